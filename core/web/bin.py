"""The recycle bin of an app: what was deleted, since when; brought back or deleted for good."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for

from core.apps import documents
from core.apps.long_edits import done
from core.apps.models import DocumentRow, HiddenPart
from core.apps.snapshot import parse_body
from core.base.db import db, transaction
from core.base.errors import InvalidInput, NotFound
from core.base.refs import split
from core.extension.component import Component
from core.server import server
from core.tenancy.models import App
from core.web.gate import MANAGE, Needs, Pages
from core.web.runs import to_run
from core.web.visit import current_app_row, visit

pages = Pages("bin", __name__)


@dataclass(frozen=True, slots=True)
class Binned:
    """Something in the bin: what it is ("Worksheet", "Field of Customers"), its name, since when.

    `holds` says that data goes with it when it goes for good; `waits_for` what must be brought back before it can be.
    """

    address: str
    name: str
    what: str
    hidden_at: int
    holds: bool
    waits_for: str | None = None


@pages.page(f"{MANAGE}/bin", Needs.APP_ADMIN)
def show(organization_id: str, app_id: str) -> str:
    """List what is in the app's recycle bin, newest first."""
    return render_template("documents/bin.html", binned=binned(current_app_row()))


@pages.page(f"{MANAGE}/bin/bring-back", Needs.APP_ADMIN, ("POST",))
def bring_back(organization_id: str, app_id: str) -> Response:
    """Bring a document or part back to where it was."""
    app = current_app_row()
    found = _named(app)
    with transaction():
        run = done(app, "bring_back", found.address, visit().person)
    if run is not None:
        return to_run(run)
    flash(f"“{found.name}” was restored.", "good")
    return _to_bin()


@pages.page(f"{MANAGE}/bin/delete", Needs.APP_ADMIN, ("POST",))
def delete(organization_id: str, app_id: str) -> Response:
    """Delete something in the bin for good; what holds data asks for its name."""
    app = current_app_row()
    found = _named(app)
    if found.holds and request.form.get("name", "").strip() != found.name.strip():
        flash(f"Nothing was deleted. To delete it permanently, type its name exactly: {found.name}", "bad")
        return _to_bin()
    with transaction():
        run = done(app, "purge", found.address, visit().person)
    if run is not None:
        return to_run(run)
    flash(f"“{found.name}” was deleted permanently.", "good")
    return _to_bin()


@pages.page(f"{MANAGE}/bin/empty", Needs.APP_ADMIN, ("POST",))
def empty(organization_id: str, app_id: str) -> Response:
    """Delete for good all that the page showed; what came to the bin since stays."""
    app = current_app_row()
    if request.form.get("sure") != "1":
        raise InvalidInput("Tick the box to confirm that everything will be deleted permanently.")
    shown = set(request.form.getlist("address"))
    going = [address for address, _ in documents.bin_of(app) if address in shown]
    with transaction():
        # Parts before the documents that take them along.
        runs = [done(app, "purge", address, visit().person) for address in sorted(going, key=lambda one: -one.count("/"))]
    long = sum(run is not None for run in runs)
    if long:
        flash("Data with many records is being deleted in the background; the rest is gone." if len(going) > long
              else "It is being deleted in the background, since it has many records.", "good")
        return _to_bin()
    flash("The recycle bin was emptied." if going else "There was nothing to delete.", "good")
    return _to_bin()


def binned(app: App, within: str | None = None) -> list[Binned]:
    """Return what is in an app's recycle bin, newest first; only the parts of the document *within* if one is given."""
    return [_described(app, address, at) for address, at in documents.bin_of(app)
            if within is None or address.startswith(f"{within}/")]


def _described(app: App, address: str, hidden_at: int) -> Binned:
    kind, key, part, part_key = split(address)
    component, found = server().registry.kind(kind)
    row = db.session.get(DocumentRow, (app.id, kind, key))
    body = parse_body(row.body) if row is not None else {}
    if part is None:
        return Binned(address, str(body.get("name") or found.title), found.title, hidden_at, holds_data(component))
    hidden = db.session.get(HiddenPart, (app.id, kind, key, part, part_key))
    inner = parse_body(hidden.body) if hidden is not None else {}
    above = str(body.get("name") or found.title)
    waits = above if row is None or row.hidden_at is not None else None
    what = f"{part.replace('_', ' ').capitalize()} of {above}"
    return Binned(address, str(inner.get("name") or part_key), what, hidden_at, holds=False, waits_for=waits)


def holds_data(component: Component) -> bool:
    """Say whether a component's documents have data that goes with them."""
    return type(component).data_sections is not Component.data_sections


def _named(app: App) -> Binned:
    address = request.form.get("document", "")
    found: Iterable[Binned] = (_described(app, one, at) for one, at in documents.bin_of(app) if one == address)
    one = next(iter(found), None)
    if one is None:
        raise NotFound("This is not in the recycle bin any more.")
    return one


def _to_bin() -> Response:
    app = current_app_row()
    back = request.form.get("back", "")
    here = url_for("documents.manage", organization_id=app.organization_id, app_id=app.id)
    ours = back.startswith(here) and "\\" not in back and ".." not in back
    return redirect(back if ours else url_for("bin.show", organization_id=app.organization_id, app_id=app.id), 303)  # type: ignore[return-value]
