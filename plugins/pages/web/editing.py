"""The editor of a page: its settings, its blocks as a tree, one block in a form, and how it looks meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from core.api import (
    MANAGE,
    AppkeepError,
    Conflict,
    Document,
    Editing,
    InvalidInput,
    Needs,
    NotFound,
    Targets,
    again,
    canonical,
    checked_line,
    current_app_row,
    documents,
    edit_url,
    locks,
    new_key,
    transaction,
    visit,
)
from plugins.pages import block_types, edit_forms, tree
from plugins.pages.text_templates import fixed
from plugins.pages.tokens import Tokens, tokens_of
from plugins.pages.visibility import audience
from plugins.pages.web.blueprint import pages
from plugins.pages.web.page import opened_for
from plugins.pages.web.showing import staged, where

EDIT = f"{MANAGE}/page/<key>"
SUMMARY_CHARS = 60
STALE = "Somebody else changed this page. Nothing was saved; the current version is shown below."


@pages.page(f"{MANAGE}/page/new", Needs.APP_ADMIN, ("GET", "POST"))
def new(organization_id: str, app_id: str) -> str | Response:
    """Make a page with its first words."""
    given = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in ("name", "heading", "text")}
    if request.method == "GET":
        return render_template("pages/new.html", given=given, error=None)
    try:
        checked_line(given["name"], 100, "a page name")
    except InvalidInput as refused:
        return again(render_template("pages/new.html", given=given, error=refused.message))
    app = current_app_row()
    blocks = [_started("heading", given["heading"] or given["name"], level=1)]
    if given["text"]:
        blocks.append(_started("text", given["text"]))
    with transaction():
        locks.take(app)
        position = max((one.position + 1 for one in documents.live(app, "page")), default=0)
        made = documents.put(app, Document(kind="page", key=new_key("p"), body={"name": given["name"], "blocks": blocks},
                                           position=position), visit().person)
    flash("Page created. Now add blocks to it.", "good")
    return _to(edit_url(made.address))


def _started(kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {**block_types.new_block(kind), "text": fixed(text[:5000]), **more}


@pages.page(EDIT, Needs.APP_ADMIN)
def edit(organization_id: str, app_id: str, key: str) -> Response:
    """Show a page's blocks as a tree, and the page beside them."""
    document = documents.get(current_app_row(), f"page/{key}")
    stage = staged(document, {}, stored=False)
    response = make_response(render_template(
        "pages/edit.html", document=document, stage=stage, rows=list(_rows(document.body["blocks"], _tokens(document))),
        kinds=block_types.offered(), widths=tree.WIDTHS, digest=_digest(document)))
    return opened_for(response, stage)


@pages.page(f"{EDIT}/blocks", Needs.APP_ADMIN, ("POST",))
def change(organization_id: str, app_id: str, key: str) -> Response:
    """Add a block, or move, copy or remove one."""
    app, form = current_app_row(), request.form
    act, _, block = form.get("do", "").partition(" ")
    with transaction():
        locks.take(app)
        document = documents.get(app, f"page/{key}")
        if form.get("digest") != _digest(document):
            flash(STALE, "warn")
            return _to(edit_url(document.address))
        made = block_types.new_block(form.get("type", ""), _column(form)) if act == "add" else None
        try:
            blocks = tree.done(document.body["blocks"], act, block, made)
            _put(document, {**document.body, "blocks": blocks})
        except Conflict as refused:
            flash(refused.message, "bad")
    return _to(_block_url(key, made["key"]) if made is not None else f"{edit_url(document.address)}#row-{block}")


@pages.page(f"{EDIT}/block/<block>", Needs.APP_ADMIN, ("GET", "POST"))
def edit_block(organization_id: str, app_id: str, key: str, block: str) -> str | Response | tuple[str, int]:
    """Show one block in a form that asks what makes sense for its type, and change it."""
    document = documents.get(current_app_row(), f"page/{key}")
    path = tree.path_to(document.body["blocks"], block)
    if path is None:
        raise NotFound("This block was removed from the page.")
    found = tree.at(document.body["blocks"], path)
    above = tree.at(document.body["blocks"], path[:-1]) if len(path) > 1 else None
    form = edit_forms.block_form(document.body, found, above is not None and above["type"] == "columns")
    asked = {name: value for name, value in found.items() if name in form.schema["properties"]}

    def put(value: Mapping[str, Any]) -> None:
        latest = documents.get(current_app_row(), document.address)
        _put(latest, {**latest.body, "blocks": _replaced(latest, block, found, asked, value)})

    return _form(document, form, asked, block_types.title_of(found), put, f"#row-{block}")


@pages.page(f"{EDIT}/settings", Needs.APP_ADMIN, ("GET", "POST"))
def settings(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Show a page's own properties in a form: name, path, who sees it, parameters, sources of records."""
    document = documents.get(current_app_row(), f"page/{key}")
    asked = {name: value for name, value in document.body.items() if name != "blocks"}

    def put(value: Mapping[str, Any]) -> None:
        latest = documents.get(current_app_row(), document.address)
        if {name: one for name, one in latest.body.items() if name != "blocks"} != asked:
            raise Conflict(STALE)
        _put(latest, {**value, "blocks": latest.body["blocks"]})

    return _form(document, edit_forms.page_form(document.body), asked, "Page settings", put, "")


def _form(document: Document, form: edit_forms.Form, asked: Mapping[str, Any], title: str, put: Any,
          anchor: str) -> str | Response | tuple[str, int]:
    """Show a piece of a page in a form, and save it."""
    app = current_app_row()
    tokens, names = _tokens(document), edit_forms.source_names(document.body)
    editing = Editing(app, form.schema, edit_forms.written(asked, tokens, names), root=form.root, title=title,
                      targets=Targets(app, visit().person, own=document.address), narrow=edit_forms.narrowing(document.body))
    if request.method == "POST" and editing.receive(request.form, request.files):
        try:
            edit_forms.check_whole(form, editing.value)
            value = edit_forms.read(editing.value, form, tokens, names, asked)
            with transaction():
                locks.take(app)
                put(value)
            flash("Saved.", "good")
            return _to(edit_url(document.address) + anchor)
        except AppkeepError as error:
            editing.refuse(InvalidInput(error.message))
    return render_template("pages/piece.html", document=document, editing=editing, title=title, tokens=tokens), editing.status


def _replaced(latest: Document, key: str, found: Mapping[str, Any], asked: Mapping[str, Any], value: Mapping[str, Any]) -> list[Any]:
    """Return the page's blocks with what a form says of one.

    Raises:
        Conflict: the block is not what the form was made from.
    """
    blocks: list[Any] = tree.done(latest.body["blocks"], "keep", key)
    block = tree.at(blocks, tree.path_to(blocks, key) or [])
    if _own(block) != _own(found):
        raise Conflict(STALE)
    for name in asked.keys() - value.keys():
        del block[name]
    block.update(value)
    return blocks


def _own(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "blocks"}


def _digest(document: Document) -> str:
    return hashlib.sha256(canonical(document.body)).hexdigest()[:32]


def _tokens(document: Document) -> Tokens:
    named = {source["worksheet"]["ref"] for source in document.body.get("sources", ()) if "worksheet" in source}
    return tokens_of(document.body, {address: body for address in named if (body := _body(address)) is not None})


def _body(address: str) -> Mapping[str, Any] | None:
    try:
        return documents.get(current_app_row(), address).body
    except NotFound:
        return None


def _rows(blocks: list[Mapping[str, Any]], tokens: Tokens, depth: int = 0,
          above: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the lines of the tree: each block with where it stands and what can be done to it."""
    for place, block in enumerate(blocks):
        kind = block["type"]
        yield {"block": block, "depth": depth, "title": block_types.title_of(block), "summary": _summary(block, tokens),
               "first": place == 0, "last": place == len(blocks) - 1, "goes_in": place > 0 and blocks[place - 1]["type"] in tree.HOLDERS,
               "goes_out": depth > 0, "holds": kind in tree.HOLDERS, "columns": block.get("columns", 2) if kind == "columns" else 0,
               "column": block.get("column", 0) + 1 if above is not None and above["type"] == "columns" else None,
               "width": tree.WIDTHS.get(block.get("style", {}).get(tree.SPAN, 0), ""),
               "whom": audience(current_app_row(), block)}
        yield from _rows(block.get("blocks", []), tokens, depth + 1, block)


def _summary(block: Mapping[str, Any], tokens: Tokens) -> str:
    """Return how a block's text begins as its form has it; of one that has none, the worksheet that it shows."""
    for name in ("name", "text", "label", "html"):
        value = block.get(name)
        text = tokens.written(value) if isinstance(value, Mapping) else value
        if text:
            return text if len(text) <= SUMMARY_CHARS else text[:SUMMARY_CHARS].rstrip() + "…"
    sheet = _body(block["worksheet"]["ref"]) if "worksheet" in block else None
    return str(sheet["name"]) if sheet is not None else ""


def _column(form: Mapping[str, str]) -> int:
    text = form.get("column", "0")
    return min(int(text), 11) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _put(document: Document, body: Mapping[str, Any]) -> None:
    documents.put(current_app_row(), Document(kind="page", key=document.key, body=body, position=document.position), visit().person)


def _block_url(key: str, block: str) -> str:
    return url_for("pages.edit_block", key=key, block=block, **where())


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
