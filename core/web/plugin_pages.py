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
            _guard_what_follows(app, name, pages.name)
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


def _guard_what_follows(app: Flask, plugin: str, blueprint: str) -> None:
    """Let what a stranger does after its pages fail without harm to them."""
    if blueprint in app.after_request_funcs:
        app.after_request_funcs[blueprint] = [_following(plugin, one) for one in app.after_request_funcs[blueprint]]
    if blueprint in app.teardown_request_funcs:
        app.teardown_request_funcs[blueprint] = [_ending(plugin, one) for one in app.teardown_request_funcs[blueprint]]


def _following(plugin: str, function: Callable[..., Any]) -> Callable[[Response], Response]:
    """Return what follows a stranger's page: where it fails, the page is answered without it."""
    @wraps(function)
    def follow(response: Response) -> Response:
        try:
            with as_error():
                given = function(response)
        except (Exception, SystemExit) as error:
            # A stranger's code may raise anything.
            log.error("The plugin %s failed after its page, which was answered without it: %s", plugin, error, exc_info=error)
            return response
        if not isinstance(given, Response):
            log.error("The plugin %s gave %s after its page, which was answered without it", plugin, type(given).__name__)
            return response
        return given

    return follow


def _ending(plugin: str, function: Callable[..., Any]) -> Callable[[BaseException | None], None]:
    """Return what a stranger does when a request for its page has ended: where it fails, nobody waits for it."""
    @wraps(function)
    def end(error: BaseException | None) -> None:
        try:
            with as_error():
                function(error)
        except (Exception, SystemExit) as failed:
            # A stranger's code may raise anything.
            log.error("The plugin %s failed when a request for its page had ended: %s", plugin, failed, exc_info=failed)

    return end


def _check_reach(app: Flask, alone: Flask) -> None:
    """Refuse what a stranger adds to every page, or puts in the place of what templates have.

    Raises:
        PluginFailed: with what it is.
    """
    bare = Flask("bare", static_folder=None)
    found = [what for what, functions in (
        ("before_app_request", alone.before_request_funcs), ("after_app_request", alone.after_request_funcs),
        ("teardown_app_request", alone.teardown_request_funcs), ("app_url_value_preprocessor", alone.url_value_preprocessors),
        ("app_url_defaults", alone.url_default_functions)) if functions.get(None)]
    if len(alone.template_context_processors[None]) > len(bare.template_context_processors[None]):
        found.append("app_context_processor")
    if any(handlers for handlers in alone.error_handler_spec[None].values()):
        found.append("app_errorhandler")
    if found:
        raise PluginFailed(f"It adds to every page by {', '.join(found)}; add to its own pages only.")
    for what in ("filters", "tests", "globals"):
        own, here, before = (getattr(one.jinja_env, what) for one in (alone, app, bare))
        # Flask's own globals are other objects in each application.
        taken = sorted(name for name in own if name in here
                       and (name not in before or (what != "globals" and own[name] is not before[name])))
        if taken:
            raise PluginFailed(f"It gives templates “{taken[0]}”, which they have already.")


def _check(app: Flask, pages: Any) -> None:
    """Refuse what is no `Pages`, has a page that does not say who may enter, or lies over an address that is there.

    Raises:
        PluginFailed: with the page.
    """
    if not isinstance(pages, Pages):
        raise PluginFailed(f"register_blueprint gave {type(pages).__name__}; give core.api.Pages.")
    alone = Flask("alone", static_folder=None)
    alone.register_blueprint(pages)
    _check_reach(app, alone)
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
