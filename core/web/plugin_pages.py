"""The pages of plugins: Appkeep's own as they are; a stranger's only where they are pages behind the gate, at addresses of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response
from pluggy import HookImpl

from core.base.errors import PluginFailed
from core.extension.hook_calls import ELSEWHERE_S
from core.extension.hook_results import checked
from core.extension.registry import Registry
from core.extension.time_bound import RaisedOtherwise, as_error, bounded
from core.web.gate import Needs, Pages
from core.web.http_api import operations
from core.web.http_api.operations import operations_of

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Add the pages of all plugins; a stranger's plugin whose pages cannot be served is left out."""
    registry: Registry = app.extensions["appkeep"].registry
    manager, own, others = registry.manager, list[Any](), list[tuple[str, Any]]()
    for one in manager.in_order(manager.hook.register_blueprint.get_hookimpls()):
        given = _given(registry, one)
        found = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
        if registry.is_stranger(one.plugin_name) or one.plugin_name in registry.broken:
            others += [(one.plugin_name, pages) for pages in found]
        else:
            own += found
    for pages in sorted(own, key=lambda one: one.name):
        app.register_blueprint(pages)
    for name, pages in sorted(others, key=lambda one: one[0]):
        try:
            _check(app, pages)
            pages.plugin = name
            with as_error():
                app.register_blueprint(pages)
            for endpoint, view in app.view_functions.items():
                if endpoint.startswith(f"{pages.name}."):
                    app.view_functions[endpoint] = _answering(app, name, view)
        except (Exception, SystemExit) as error:
            # A stranger's pages may be anything.
            registry.leave_out(name, f"its pages cannot be served: {error}")


def _given(registry: Registry, one: HookImpl) -> Any:
    """Return what a plugin gives; None for a stranger's that fails, which is left out."""
    if not registry.is_stranger(one.plugin_name):
        return one.function()
    try:
        return checked("register_blueprint", bounded(ELSEWHERE_S, one.function))
    except (Exception, SystemExit) as error:
        # A stranger's code may raise anything.
        registry.leave_out(one.plugin_name, f"its pages cannot be served: {error}")
        return None


def _answering(app: Flask, plugin: str, view: Callable[..., Any]) -> Callable[..., Response]:
    """Return a stranger's view whose answer is one; it keeps what the gate reads of it."""
    def failed(error: BaseException, why: str) -> PluginFailed:
        log.error("The plugin %s failed in its page %s: %s", plugin, view.__name__, why, exc_info=error)
        return PluginFailed(f"This page is of the plugin “{plugin}”, which failed: {why}. Ask whoever looks after this server.")

    @wraps(view)
    def answer(**names: Any) -> Response:
        try:
            with as_error():
                given = view(**names)
        except (RaisedOtherwise, SystemExit) as error:
            raise failed(error, "it stopped in the middle") from error
        try:
            return app.make_response(given)
        except TypeError as error:
            raise failed(error, f"it gave {type(given).__name__}, which cannot be shown") from error

    return answer


def _check(app: Flask, pages: Any) -> None:
    """Refuse what is no `Pages`, has a page that does not say who may enter, or lies over an address that is there.

    Raises:
        PluginFailed: with the page.
    """
    if not isinstance(pages, Pages):
        raise PluginFailed(f"register_blueprint gave {type(pages).__name__}; give core.api.Pages.")
    alone = Flask("alone", static_folder=None)
    alone.register_blueprint(pages)
    taken, names = {rule.rule for rule in app.url_map.iter_rules()}, {one.name for one in operations_of(app)}
    for one in operations_of(alone):
        operations.check(one)
        if one.name in names:
            raise PluginFailed(f"The operation {one.name} has the name of another one.")
    for rule in alone.url_map.iter_rules():
        if not isinstance(getattr(alone.view_functions[rule.endpoint], "needs", None), Needs):
            raise PluginFailed(f"The page {rule.endpoint} does not say who may enter; add it by Pages.page.")
        if rule.rule in taken:
            raise PluginFailed(f"The page {rule.endpoint} has the address {rule.rule}, which another page has.")
