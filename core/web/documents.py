"""Pages on documents: an app's management, a component's documents, each document and each of its parts in a form.

They serve every component, also a stranger's. A plugin that has a better page for a kind serves the same address with
the kind's name written out ("…/worksheet/<key>"), which Flask prefers to the variable here.
"""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for

from core.apps import documents, parts
from core.apps.long_edits import done
from core.base.db import transaction
from core.base.errors import AppkeepError, NotFound
from core.extension.component import Component, Document, Kind
from core.server import server
from core.web.editor import Editing, Targets
from core.web.gate import APP, MANAGE, Needs, Pages
from core.web.menu import MenuItem
from core.web.outline import outline
from core.web.runs import to_run
from core.web.shell import edit_url
from core.web.visit import current_app_row, current_standing, require, visit

pages = Pages("documents", __name__)
MOVES = {"up": -1, "down": 1}


@pages.page(f"{APP}/<kind>/<key>", Needs.APP, guests=True, browse=True)
def show(organization_id: str, app_id: str, kind: str, key: str) -> str | Response:
    """Show a document; whoever manages the app comes to its editor."""
    server().registry.kind(kind)
    require(f"{kind}/{key}", "see")
    document = documents.get(current_app_row(), f"{kind}/{key}")
    if current_standing().admin:
        return _to(edit_url(document.address))
    told = outline(current_app_row(), document) if current_standing().browses else ()
    return render_template("documents/show.html", document=document, told=told)


@pages.page(f"{MANAGE}/", Needs.APP_ADMIN)
def manage(organization_id: str, app_id: str) -> str:
    """Show what the app is made of: a card a component, with how much there is."""
    app = current_app_row()
    counts: dict[str, int] = {}
    for document in documents.live(app):
        counts[document.kind] = counts.get(document.kind, 0) + 1
    return render_template("documents/manage.html", components=_with_pages(), counts=counts,
                           binned=len(documents.bin_of(app)))


def _with_pages() -> list[Component]:
    """Return the components that have documents, in the order in which people see them; data alone is shown by its plugin."""
    return [one for one in server().registry.ranked if one.kinds]


@pages.page(f"{MANAGE}/<component>", Needs.APP_ADMIN)
def component(organization_id: str, app_id: str, component: str) -> str:
    """List a component's documents, by kind."""
    found = server().registry.components.get(component)
    if found is None or not found.kinds:
        raise NotFound("Page not found.")
    app = current_app_row()
    kinds = [(kind, documents.live(app, kind.name)) for kind in found.kinds]
    return render_template("documents/component.html", component=found, kinds=kinds)


@pages.page(f"{MANAGE}/<kind>/new", Needs.APP_ADMIN, ("GET", "POST"))
def new(organization_id: str, app_id: str, kind: str) -> str | Response | tuple[str, int]:
    """Make a document in a form made of its kind's schema."""
    app, (component, found) = current_app_row(), server().registry.kind(kind)
    if found.single:
        raise NotFound(f"This app already has its {found.title.lower()}.")
    editing = Editing(app, found.schema, {}, targets=_targets(), without=found.parts.values(), title=found.title)
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            with transaction():
                made = parts.add(app, kind, {**_empty_lists(found), **editing.value}, visit().person)
            flash(f"{found.title} created.", "good")
            return _to(edit_url(made.address))
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("documents/new.html", component=component, kind=found, editing=editing), editing.status


@pages.page(f"{MANAGE}/<kind>/<key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit(organization_id: str, app_id: str, kind: str, key: str) -> str | Response | tuple[str, int]:
    """Show a document in a form made of its kind's schema, and change it."""
    app, (component, found) = current_app_row(), server().registry.kind(kind)
    document = documents.get(app, f"{kind}/{key}")
    editing = Editing(app, found.schema, document.body, targets=_targets(document.address), without=found.parts.values(),
                      title=found.title)
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            with transaction():
                parts.put_body(app, document, editing.value, visit().person)
            flash("Saved.", "good")
            return _to(edit_url(document.address))
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("documents/edit.html", component=component, kind=found, document=document, editing=editing,
                           referring=parts.referring(app, document.address)), editing.status


@pages.page(f"{MANAGE}/<kind>/<key>/hide", Needs.APP_ADMIN, ("POST",))
def hide(organization_id: str, app_id: str, kind: str, key: str) -> Response:
    """Move a document to the recycle bin."""
    app = current_app_row()
    name = name_of(documents.get(app, f"{kind}/{key}"))
    with transaction():
        documents.hide(app, f"{kind}/{key}", visit().person)
    flash(f"“{name}” was moved to the recycle bin. You can restore it from there.", "good")
    return _to(_back() or _component_url(kind))


@pages.page(f"{MANAGE}/<kind>/<key>/move", Needs.APP_ADMIN, ("POST",))
def move(organization_id: str, app_id: str, kind: str, key: str) -> Response:
    """Move a document up or down among those of its kind."""
    with transaction():
        parts.move(current_app_row(), f"{kind}/{key}", MOVES.get(request.form.get("to", ""), 0), visit().person)
    return _to(_back() or _component_url(kind))


@pages.page(f"{MANAGE}/<kind>/<key>/<part>/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_part(organization_id: str, app_id: str, kind: str, key: str, part: str) -> str | Response | tuple[str, int]:
    """Make a part of a document (a view, a choice) in a form of its own."""
    return _part_page(documents.get(current_app_row(), f"{kind}/{key}"), part, None)


@pages.page(f"{MANAGE}/<kind>/<key>/<part>/<part_key>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_part(organization_id: str, app_id: str, kind: str, key: str, part: str, part_key: str) -> str | Response | tuple[str, int]:
    """Show one part of a document in a form of its own, and change it."""
    return _part_page(documents.get(current_app_row(), f"{kind}/{key}"), part, part_key)


def _part_page(document: Document, part: str, part_key: str | None) -> str | Response | tuple[str, int]:
    app, (component, kind) = current_app_row(), server().registry.kind(document.kind)
    schema = kind.schema["properties"][parts.listed(document.kind, part)]["items"]
    body = dict(parts.part_of(document, part, part_key)) if part_key is not None else {}
    editing = Editing(app, schema, body, root=kind.schema, targets=_targets(document.address), title=part.replace("_", " ").capitalize())
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            given = {**editing.value, "key": part_key} if part_key is not None else editing.value
            with transaction():
                parts.put_part(app, document, part, given, visit().person)
            flash(f"{part.replace('_', ' ').capitalize()} saved.", "good")
            return _to(edit_url(document.address))
        except AppkeepError as error:
            editing.refuse(error)
    return render_template("documents/part.html", component=component, kind=kind, document=document, part=part, part_key=part_key,
                           editing=editing), editing.status


@pages.page(f"{MANAGE}/<kind>/<key>/<part>/<part_key>/hide", Needs.APP_ADMIN, ("POST",))
def hide_part(organization_id: str, app_id: str, kind: str, key: str, part: str, part_key: str) -> Response:
    """Move a part of a document to the recycle bin."""
    app, address = current_app_row(), f"{kind}/{key}/{part}/{part_key}"
    found = parts.part_of(documents.get(app, f"{kind}/{key}"), part, part_key)
    with transaction():
        run = done(app, "hide", address, visit().person)
    if run is not None:
        return to_run(run)
    flash(f"“{found.get('name', part_key)}” was moved to the recycle bin. You can restore it from there.", "good")
    return _to(_back() or edit_url(f"{kind}/{key}"))


@pages.page(f"{MANAGE}/<kind>/<key>/<part>/<part_key>/move", Needs.APP_ADMIN, ("POST",))
def move_part(organization_id: str, app_id: str, kind: str, key: str, part: str, part_key: str) -> Response:
    """Move a part up or down in its document."""
    app = current_app_row()
    with transaction():
        parts.move_part(app, documents.get(app, f"{kind}/{key}"), part, part_key, MOVES.get(request.form.get("to", ""), 0),
                        visit().person)
    return _to((_back() or edit_url(f"{kind}/{key}")) + f"#{part}-{part_key}")


@pages.app_template_global()
def manage_menu() -> list[MenuItem]:
    """Return the items of an app's management: one a component, then what belongs to all."""
    app = current_app_row()
    where: dict[str, Any] = {"organization_id": visit().organization_id, "app_id": app.id}
    items = [MenuItem(c.title, url_for("documents.component", component=c.name, **where)) for c in _with_pages()]
    given = (item for some in server().registry.hook.manage_menu(app=app) for item in some)
    kept = [MenuItem("Backup & Restore", url_for("backups.show", **where))] if current_standing().may_back_up else []
    return [MenuItem("Overview", url_for("documents.manage", **where)), *items, *given, *kept,
            MenuItem("Recycle bin", url_for("bin.show", **where))]


@pages.app_template_global()
def name_of(document: Document) -> str:
    """Return what a document is called."""
    return str(document.body.get("name") or document.body.get("title") or server().registry.kind(document.kind)[1].title)


def _targets(own: str | None = None) -> Targets:
    return Targets(current_app_row(), visit().person, own=own)


def _empty_lists(kind: Kind) -> dict[str, Any]:
    """Return what a new document has of the parts that its form does not ask for: none, where they must be listed."""
    return {listed: [] for listed in kind.parts.values() if listed in kind.schema.get("required", ())}


def _component_url(kind: str) -> str:
    app, (component, _) = current_app_row(), server().registry.kind(kind)
    return url_for("documents.component", organization_id=app.organization_id, app_id=app.id, component=component.name)


def _back() -> str | None:
    """Return the page of this app's management that the form says to go back to."""
    back, here = request.form.get("back", ""), url_for("documents.manage", **(request.view_args or {}))
    start = here.split("?")[0]
    return back if back.startswith(start) and "\\" not in back and ".." not in back else None


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
