"""A page shown, what its buttons and forms do, and the files that it shows."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, flash, make_response, redirect, render_template, request

from core.api import (
    Document,
    InvalidInput,
    Needs,
    NotFound,
    current_app_row,
    current_standing,
    documents,
    edit_url,
    files,
    read_file,
    require,
    transaction,
)
from plugins.pages.events import Event, Outcome, way_to
from plugins.pages.links import Links
from plugins.pages.page_context import PageContext
from plugins.pages.render import PICTURES
from plugins.pages.visibility import audience
from plugins.pages.web.blueprint import PAGE, pages
from plugins.pages.web.showing import Stage, page_url, parameters_of, staged, viewer

MAX_TYPED_CHARS = 50_000
HIDDEN = "_p-"


@pages.page(PAGE, Needs.APP, guests=True, browse=True)
def show(organization_id: str, app_id: str, key: str) -> Response:
    """Show a page."""
    page = _page(key)
    return answered(staged(page, parameters_of(page, request.args), stored=not current_standing().browses))


@pages.page(f"{PAGE}/do/<block>", Needs.APP, ("POST",), guests=True)
def do(organization_id: str, app_id: str, key: str, block: str) -> Response:
    """Do what a button or form of a page does; a form with a mistake comes back with all that was typed."""
    owner, here = _page(key), _page(request.form.get("_here", ""))
    parameters = parameters_of(here, request.form, HIDDEN)
    typed = {name: ", ".join(values)[:MAX_TYPED_CHARS] for name, values in request.form.lists() if name.startswith("b_")}
    try:
        with transaction():
            outcome = _acted(owner, here, parameters, typed, block)
    except InvalidInput as refused:
        return answered(staged(here, parameters, typed=typed, errors={block: refused.message}), 422)
    for category, message in outcome.messages:
        flash(message, category)
    return redirect(outcome.url or page_url(here.key, parameters), 303)  # type: ignore[return-value]


@pages.page(f"{PAGE}/file/<content>", Needs.APP, guests=True, browse=True)
def file(organization_id: str, app_id: str, key: str, content: str) -> Response:
    """Give a file that a page shows; pictures only are shown, all else is saved."""
    page = _page(key)
    if content not in set(files(page.body)):
        raise NotFound("File not found on this page.")
    item = next(one for one in _files(page.body) if one["file"] == content)
    kind = item["type"] if item["type"] in PICTURES else "application/octet-stream"
    response = Response(read_file(content), mimetype=kind)
    way = "inline" if kind in PICTURES else "attachment"
    response.headers["Content-Disposition"] = f"{way}; filename*=UTF-8''{quote(item['name'], safe='')}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def answered(stage: Stage, status: int = 200) -> Response:
    """Return the answer that shows a page, open for what it brings from elsewhere."""
    admin = current_standing().admin
    response = make_response(render_template(
        "pages/show.html", stage=stage, page=stage.page, edit=edit_url(stage.page.address) if admin else None,
        whom=audience(current_app_row(), stage.page.body) if admin else None), status)
    return opened_for(response, stage)


def opened_for(response: Response, stage: Stage) -> Response:
    """Allow an answer to show what a page brings from elsewhere, and nothing else from there."""
    if stage.frames:
        response.frames = " ".join(["'self'", *stage.frames])  # type: ignore[attr-defined]  # read by core.web.protection
    if stage.images:
        response.images = tuple(stage.images)  # type: ignore[attr-defined]
    return response


def _page(key: str) -> Document:
    require(f"page/{key}", "see")
    return documents.get(current_app_row(), f"page/{key}")


def _acted(owner: Document, here: Document, parameters: dict[str, str], typed: dict[str, str], key: str) -> Outcome:
    app = current_app_row()
    context = PageContext(app, owner, viewer(), parameters, typed=typed)
    there = {one.address: one for one in documents.live(app, "page")}
    leads = Links(context, there, page_url, lambda *_: {}, here.key, parameters)
    return Event(context, leads).act(way_to(owner.body["blocks"], key), request.form.get("_source"), request.form.get("_record", ""))


def _files(body: object):  # type: ignore[no-untyped-def]
    """Yield the files in a body as they stand there."""
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("file"), str) and "type" in one and "name" in one:
                yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
