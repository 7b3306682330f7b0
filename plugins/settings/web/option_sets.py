"""Option sets: choices that select fields of several worksheets share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, render_template, request

from core.api import (
    MANAGE,
    Document,
    InvalidInput,
    Needs,
    again,
    binned,
    current_app_row,
    digest,
    documents,
    placing,
    transaction,
    visit,
)
from plugins.settings import choices
from plugins.settings.web.blueprint import pages, seen_another, to, typed

STALE = "Somebody else changed this option set. Nothing was saved; the current version is shown below."


@pages.page(f"{MANAGE}/settings/option-sets", Needs.APP_ADMIN)
def option_sets(organization_id: str, app_id: str) -> str:
    """List the option sets, with the worksheets that use each."""
    app = current_app_row()
    found = [(document, placing.referring(app, document.address)) for document in documents.live(app, "option_set")]
    return render_template("settings/option_sets.html", sets=found)


@pages.page(f"{MANAGE}/option_set/new", Needs.APP_ADMIN, ("GET", "POST"))
def new_option_set(organization_id: str, app_id: str) -> str | Response:
    """Make an option set, a choice a line."""
    error = None
    if request.method == "POST":
        try:
            with transaction():
                made = choices.create(current_app_row(), typed("name"), typed("choices"), visit().person)
            flash("Option set created. Select fields of any worksheet can use it now.", "good")
            return to("option_set", key=made.key)
        except InvalidInput as refused:
            error = refused.message
    page = render_template("settings/new_option_set.html", name=typed("name"), lines=typed("choices"), error=error)
    return again(page) if error else page


@pages.page(f"{MANAGE}/option_set/<key>", Needs.APP_ADMIN, ("GET", "POST"))
def option_set(organization_id: str, app_id: str, key: str) -> str | Response | tuple[str, int]:
    """Show an option set with its choices, and change them."""
    document = documents.get(current_app_row(), f"option_set/{key}")
    if request.method == "GET":
        return _page(document, document.body)
    if seen_another(document):
        return _page(document, document.body, STALE), 409
    try:
        body = choices.changed(document.body, request.form)
    except InvalidInput as refused:
        return again(_page(document, _as_typed(document.body), refused.message))
    with transaction():
        placing.put_body(current_app_row(), document, body, visit().person)
    if typed("do") in ("", "save"):
        flash("Option set saved.", "good")
    return to("option_set", key=key, _anchor=typed("do").partition(" ")[2] or None)


def _as_typed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as far as a refused form can be shown again."""
    listed = [{**one, "name": request.form.get(f"name.{one['key']}", one["name"])} for one in body["choices"]]
    return {**body, "name": typed("name"), "description": typed("description"), "choices": listed}


def _page(document: Document, body: Mapping[str, Any], error: str | None = None) -> str:
    app = current_app_row()
    return render_template("settings/option_set.html", document=document, body=body, seen=digest(document.body), error=error,
                           more=typed("more") if error else "", palette=choices.palette, gone=binned(app, document.address),
                           referring=placing.referring(app, document.address))
