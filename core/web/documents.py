"""Pages on documents: one shown, those of a component listed, the app's recycle bin.

They serve every component, also a stranger's. A plugin that has a better page for a kind serves the same address with
the kind's name written out ("…/worksheet/<key>"), which Flask prefers to the variable here.
"""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, render_template, url_for

from core.app import server
from core.apps import documents
from core.errors import NotFound
from core.web.gate import APP, MANAGE, Needs, Pages
from core.web.menu import MenuItem
from core.web.shell import edit_url
from core.web.visit import current_app_row, current_standing, require, visit

pages = Pages("documents", __name__)


@pages.page(f"{APP}/<kind>/<key>", Needs.APP)
def show(organization_id: str, app_id: str, kind: str, key: str) -> str | Response:
    """Show a document; whoever manages the app comes to its editor."""
    server().registry.kind(kind)
    require(f"{kind}/{key}", "see")
    if current_standing().admin:
        return redirect(edit_url(f"{kind}/{key}"))  # type: ignore[return-value]
    return render_template("documents/show.html", document=documents.get(current_app_row(), f"{kind}/{key}"))


@pages.page(f"{MANAGE}/<component>", Needs.APP_ADMIN)
def component(organization_id: str, app_id: str, component: str) -> str:
    """List a component's documents, by kind."""
    found = server().registry.components.get(component)
    if found is None:
        raise NotFound(f"There is no “{component[:40]}” to manage.")
    app = current_app_row()
    kinds = [(kind, documents.live(app, kind.name)) for kind in found.kinds]
    return render_template("documents/component.html", component=found, kinds=kinds)


@pages.app_template_global()
def manage_menu() -> list[MenuItem]:
    """Return the items of an app's management: one a component, then what belongs to all."""
    where: dict[str, Any] = {"organization_id": visit().organization_id, "app_id": current_app_row().id}
    items = [MenuItem(c.title, url_for("documents.component", component=c.name, **where))
             for c in server().registry.components.values()]
    return [*items, *(item for given in server().registry.hook.manage_menu(app=current_app_row()) for item in given)]
