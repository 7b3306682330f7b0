"""Browsing a backup: what it holds, listed by component, and the page that is shown while more of it is unpacked.

The pages that show it are those of the app itself; see `core.web.gate.Pages.page`, *browse*.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request, url_for

from core.apps import documents
from core.backups.absent import not_installed, title_of
from core.backups.browse import BrowsedBackup
from core.base.content import StillPreparing
from core.extension.component import Component, Document, Kind
from core.server import server
from core.web.answers import is_partial
from core.web.backups.blueprint import pages
from core.web.gate import BROWSE, Needs
from core.web.visit import visit


@dataclass(frozen=True, slots=True)
class Part:
    """What a backup holds of one component: its documents by kind, and what is said of the rest."""

    component: Component
    kinds: list[tuple[Kind, list[Document]]]
    records: dict[str, int]
    """How many records hang on a document, by its address; of documents that have records."""
    note: str = ""


def browsed_here() -> BrowsedBackup:
    """Return the backup that this page shows."""
    found = visit().browsed
    if found is None:
        raise RuntimeError("This page shows no backup.")
    return found


@pages.page(f"{BROWSE}/contents", Needs.BACKUP)
def contents(organization_id: str, app_id: str) -> str:
    """List what is in a backup, with links to how it looks."""
    browsed = browsed_here()
    absent = [not_installed(title_of(name), version) for name, version in browsed.reader.absent.items()]
    return render_template("backups/contents.html", parts=_parts(browsed), absent=absent)


def _parts(browsed: BrowsedBackup) -> list[Part]:
    found = [_part(browsed, one) for one in server().registry.ranked if one.name in browsed.reader.content.components]
    return [one for one in found if one.note or any(some for _, some in one.kinds)]


def _part(browsed: BrowsedBackup, component: Component) -> Part:
    kinds = [(kind, documents.live(browsed.app, kind.name)) for kind in component.kinds]
    counts = component.browsed_records(browsed)
    entry = browsed.reader.content.components[component.name]
    has_data = any(part == "data" and one.records for part, one in entry.present())
    note = "Its data cannot be browsed. It is restored as usual." if has_data and not counts else ""
    return Part(component, kinds, dict(counts), note)


@pages.app_template_global()
def browsed_address() -> str:
    """Return what is looked at in a backup: "worksheet/w_…/record/12", "page/p_…"; "" for a page about no one thing."""
    given = request.view_args or {}
    if "key" not in given:
        return ""
    prefix = url_for("apps.app_home", organization_id=given["organization_id"], app_id=given["app_id"])
    kind = request.path.removeprefix(prefix).partition("/")[0]
    return f"{kind}/{given['key']}" + (f"/record/{given['seq']}" if "seq" in given else "")


def still_preparing(error: StillPreparing) -> Response:
    """Say how much of what a page shows is unpacked; the browser asks again by itself, and the request goes on."""
    here = request.full_path.rstrip("?")
    if is_partial():
        return Response("", headers={"HX-Redirect": here})
    page = make_response(render_template("backups/preparing.html", percent=int(error.share * 100), here=here))
    page.headers["Cache-Control"] = "no-store"
    return page


def register(app: Flask) -> None:
    """Answer pages that are still being unpacked."""
    app.register_error_handler(StillPreparing, still_preparing)


__all__ = ["browsed_address", "browsed_here", "contents", "register", "still_preparing"]
