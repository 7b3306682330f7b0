"""Pages that bring an app in: choose a file, see what will become what, confirm. The rest is a run."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, g, redirect, render_template, request, url_for

from core.base.db import transaction
from core.base.errors import ImportFailed, InvalidInput, TooManyRuns
from core.base.text import size_text
from core.extension.importer import Corrections
from core.imports import previews
from core.runs.service import report_of
from core.server import server
from core.web import correcting
from core.web.answers import again
from core.web.apps import checked_name
from core.web.gate import ORGANIZATION, Needs, Pages
from core.web.runs import notes
from core.web.visit import visit

pages = Pages("imports", __name__)


@pages.page(f"{ORGANIZATION}/import", Needs.ORG_ADMIN, max_bytes=lambda: upload_limit())
def choose(organization_id: str) -> str:
    """Ask for a file."""
    return _form()


@pages.page(f"{ORGANIZATION}/import", Needs.ORG_ADMIN, ("POST",), max_bytes=lambda: upload_limit())
def receive(organization_id: str) -> Response:
    """Take a file; one that cannot be imported is refused beside the field."""
    try:
        run = previews.receive(request.files.getlist("file"), visit().person)
    except (InvalidInput, TooManyRuns) as refused:
        return again(_form(refused.message))
    where = "imports.preview" if run.state == "succeeded" else "runs.show"
    return redirect(url_for(where, organization_id=organization_id, run_id=run.id), 303)  # type: ignore[return-value]


def upload_limit() -> int:
    """Return how many bytes may be sent."""
    limit: int = server().config.upload_limit_bytes
    return limit


@pages.page(f"{ORGANIZATION}/import/<run_id>", Needs.ORG_ADMIN)
def preview(organization_id: str, run_id: str) -> str | Response:
    """Show what a file will become; one that is still looked through, or failed, is its run's page to tell."""
    run = previews.find_preview(run_id)
    if run.state != "succeeded":
        return redirect(url_for("runs.show", organization_id=organization_id, run_id=run_id))  # type: ignore[return-value]
    return _preview(run, request.args.get("name", "")[:100].strip() or report_of(run)["name"])


@pages.page(f"{ORGANIZATION}/import/<run_id>", Needs.ORG_ADMIN, ("POST",))
def confirm(organization_id: str, run_id: str) -> Response:
    """Start the import of what was shown; where somebody has changed how the file is read, show first what becomes of it."""
    run, name = previews.find_preview(run_id), request.form.get("name", "").strip()
    if run.state != "succeeded":
        return redirect(url_for("runs.show", organization_id=organization_id, run_id=run_id), 303)  # type: ignore[return-value]
    try:
        said = correcting.read(report_of(run), previews.corrections_of(run), request.form)
    except InvalidInput as refused:
        return again(_preview(run, name, trouble=refused.message))
    try:
        if said != previews.corrections_of(run) or "look" in request.form:
            return _looked_again(run, said, name)
        checked_name(name)
    except InvalidInput as refused:
        return again(_preview(run, name, refused.message))
    try:
        with transaction():
            started = previews.confirm(previews.find_preview(run_id), name, visit().person).id
    except TooManyRuns as refused:
        return again(_preview(previews.find_preview(run_id), name, trouble=refused.message))
    return redirect(url_for("runs.show", organization_id=organization_id, run_id=started), 303)  # type: ignore[return-value]


@pages.app_context_processor
def offered() -> dict[str, Any]:
    """Give templates the address to import at, where the visitor may."""
    here = g.get("visit")
    if here is None or here.organization_id is None or not here.manages_organization:
        return {}
    return {"import_url": url_for("imports.choose", organization_id=here.organization_id)}


def _looked_again(run: Any, said: Corrections, name: str) -> Response:
    try:
        seen = previews.look_again(run, said, visit().person)
    except (ImportFailed, TooManyRuns) as refused:
        return again(_preview(run, name, trouble=refused.message))
    if "look" not in request.form:
        flash("You changed how the file is read. This is what it becomes now. Check it, then import it.", "warn")
    where = "imports.preview" if seen.state == "succeeded" else "runs.show"
    address = url_for(where, organization_id=visit().organization_id, run_id=seen.id, name=name or None)
    return redirect(address, 303)  # type: ignore[return-value]


def _form(error: str | None = None) -> str:
    importers = server().registry.offered_importers
    return render_template("imports/choose.html", error=error, limit=size_text(upload_limit()), importers=importers,
                           suffixes=[suffix for one in importers for suffix in one.suffixes])


def _preview(run: Any, name: str, error: str | None = None, trouble: str | None = None) -> str:
    """Return the page; of what was typed and refused nothing is lost."""
    report, registry = report_of(run), server().registry
    kinds = [(registry.kinds[kind][1], found) for kind, found in report["kinds"].items()
             if kind in registry.kinds and not registry.kinds[kind][1].single]
    kinds.sort(key=lambda one: -sum(document["records"] for document in one[1]))
    types = {name: kind.title for name, kind in registry.field_types.items()}
    sent = previews.options_of(run)["files"]
    return render_template("imports/preview.html", run=run, report=report, kinds=kinds, types=types, name=name, error=error, sent=sent,
                           delimiters=correcting.DELIMITERS, encodings=correcting.ENCODINGS,
                           reading_titles=dict(report.get("readings", ())),
                           trouble=trouble, sheets=correcting.shown(report, previews.corrections_of(run), request.form),
                           importer=registry.importers[previews.options_of(run)["importer"]].title,
                           **notes(report, request.args.get("q", "")[:100]))
