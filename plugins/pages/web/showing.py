"""Showing: a page with the headers and footers that others share with it, for the visitor of this request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request, url_for

from core.api import App, Document, current_app_row, current_standing, document_url, documents, visit
from plugins.pages.links import Links
from plugins.pages.page_context import Bounds, PageContext, Viewer
from plugins.pages.render import Builder
from plugins.pages.view_models import Shown
from plugins.pages.visibility import roles_of

PLACE = "at-"
MAX_PARAMETER_CHARS = 500
EDGES = ("header", "footer")


@dataclass
class Stage:
    """A page as it is shown: its blocks between shared ones, and the origins that it brings things from."""

    page: Document
    headers: list[Shown] = field(default_factory=list)
    blocks: list[Shown] = field(default_factory=list)
    footers: list[Shown] = field(default_factory=list)
    frames: dict[str, None] = field(default_factory=dict)
    images: dict[str, None] = field(default_factory=dict)

    @property
    def titled(self) -> bool:
        """Whether a heading of the page's own says what it is."""
        return any(one.kind == "heading" and one.data["level"] == 1 for one in walk([*self.headers, *self.blocks]))

    @property
    def notes(self) -> list[str]:
        """What whoever manages the app should know of the page."""
        return list(dict.fromkeys(one.note for one in walk([*self.headers, *self.blocks, *self.footers]) if one.note))


def walk(blocks: Iterable[Shown]) -> Iterable[Shown]:
    """Yield blocks and all inside them."""
    for block in blocks:
        yield block
        yield from walk(block.inside)


def viewer() -> Viewer:
    """Return who looks."""
    here, app, standing = visit(), current_app_row(), current_standing()
    who = here.visitor
    return Viewer(person=here.person, name=who.name if who else "", email=who.email if who else "",
                  admin=standing.admin or standing.browses, roles=roles_of(app, here.person))


def parameters_of(page: Document, given: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    """Return the parameters that a page asks for, as far as they are given."""
    names = (one["name"] for one in page.body.get("parameters", ()))
    return {name: given[prefix + name][:MAX_PARAMETER_CHARS] for name in names if prefix + name in given}


def staged(page: Document, parameters: Mapping[str, str], *, typed: Mapping[str, str] | None = None,
           errors: Mapping[str, str] | None = None, stored: bool = True) -> Stage:
    """Return a page for the visitor; where it is not *stored* as it is (a preview), nothing of it can be acted on."""
    app = current_app_row()
    there = {one.address: one for one in documents.live(app, "page")}
    making = _Making(app, page, parameters, there, typed or {}, errors or {}, viewer(), stored)
    found = Stage(page)
    edges = {"header": found.headers, "footer": found.footers}
    if not page.body.get("shared"):
        for other in there.values():
            for block in other.body["blocks"] if other.body.get("shared") else ():
                if block["type"] in EDGES and _shares(block, page.address):
                    edges[block["type"]] += making.blocks(other, [block], found)
    for block in page.body["blocks"]:
        edges.get(block["type"], found.blocks).extend(making.blocks(page, [block], found))
    return found


def _shares(block: Mapping[str, Any], address: str) -> bool:
    named = address in {one["ref"] for one in block.get("shared_pages", ())}
    return {"only": named, "except": not named}.get(block.get("share", "all"), True)


@dataclass
class _Making:
    """Makes the builders of one page, one for each document whose blocks it shows."""

    app: App
    page: Document
    parameters: Mapping[str, str]
    there: Mapping[str, Document]
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    viewer: Viewer
    stored: bool
    bounds: Bounds = field(default_factory=Bounds)
    builders: dict[str, Builder] = field(default_factory=dict)

    def blocks(self, owner: Document, blocks: list[Mapping[str, Any]], stage: Stage) -> list[Shown]:
        """Return blocks of one document, what they bring from elsewhere noted on the stage."""
        builder = self.builders.setdefault(owner.key, self._builder(owner))
        found = builder.all(blocks)
        stage.frames |= builder.frames
        stage.images |= builder.images
        return found

    def _builder(self, owner: Document) -> Builder:
        context = PageContext(self.app, owner, self.viewer, self.parameters, typed=self.typed, bounds=self.bounds)
        leads = Links(context, self.there, page_url, self._post, self.page.key, self.parameters)
        places = {name.removeprefix(PLACE): int(text) for name, text in request.args.items()
                  if name.startswith(PLACE) and text.isascii() and text.isdigit() and len(text) < 7}
        return Builder(context, leads, file_url=file_url, place_url=self._place_url, sheet_url=_sheet_url, places=places,
                       errors=self.errors, host=request.host)

    def _post(self, page: str, block: str, hidden: Mapping[str, str]) -> Mapping[str, Any]:
        url = url_for("pages.do", **where(), key=page, block=block) if self.stored else None
        return {"url": url, "hidden": hidden}

    def _place_url(self, block: str, start: int) -> str:
        others = {name: text for name, text in request.args.items() if name.startswith(PLACE) and len(text) < 7}
        given: dict[str, Any] = {**self.parameters, **others, f"{PLACE}{block}": start}
        return f"{page_url(self.page.key, given)}#block-{block}"


RESERVED = ("organization_id", "app_id", "key", "_anchor", "_external", "_method", "_scheme")


def where() -> dict[str, Any]:
    """Return what the address of each page of the app holds."""
    return {"organization_id": current_app_row().organization_id, "app_id": current_app_row().id}


def page_url(key: str, parameters: Mapping[str, Any]) -> str:
    """Return the address of a page of the app, opened with parameters."""
    given: dict[str, Any] = {name: value for name, value in parameters.items() if name not in RESERVED}
    return url_for("pages.show", **where(), key=key, **given)


def file_url(page: str, content: str) -> str:
    """Return the address of a file that a page shows."""
    return url_for("pages.file", **where(), key=page, content=content)


def _sheet_url(address: str, view: str | None) -> str:
    return document_url(address) + (f"?view={view.rpartition('/')[2]}" if view else "")
