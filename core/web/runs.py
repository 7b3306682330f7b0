"""Pages on runs: how far one is, cancelling it, how it ended. Backups, restores, checks and imports share them."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from core.apps.permissions import standing
from core.apps.service import find
from core.base.db import transaction
from core.base.errors import NotFound
from core.base.time import now_us
from core.extension.run_kind import RunKind
from core.runs import service
from core.runs.lanes import waits_since
from core.runs.models import Run
from core.runs.phases import is_counted, phase_named, unit_of
from core.runs.service import report_of
from core.server import server
from core.web.gate import ORGANIZATION, Needs, Pages
from core.web.visit import visit

pages = Pages("runs", __name__)
RUN = f"{ORGANIZATION}/runs/<run_id>"
NOTES_SHOWN = 100
SOON_US = 2_000_000
"""How long it is too early to say how long the rest will take."""
SECOND_US = 1_000_000
ADVICE = {
    "import_failed": "No app was created. Fix the file or choose another one, then import it again.",
    "invalid_input": "Nothing was changed.",
    "invalid_document": "Nothing was changed.",
    "invalid_value": "Nothing was changed.",
    "not_an_archive": "Nothing was saved. Choose a file downloaded from Backup & Restore: its name ends in .appkeep.zip.",
    "archive_damaged": "Nothing was saved. Download the file again from its source, then upload it once more.",
    "archive_too_large": "Nothing was saved.",
    "needs_newer_version": "Nothing was saved.",
    "untrusted_signature": "Nothing was saved. Download the file again from its source, then upload it once more.",
    "quota_exceeded": "Nothing was saved. An owner or admin of the organization can choose a larger plan.",
    "plan_changed": "Nothing was changed. Preview the restore again, then start it.",
    "object_missing": "Nothing was changed. This backup cannot be used. Use another one, and make a new backup now.",
    "object_damaged": "Nothing was changed. This backup cannot be used. Use another one, and make a new backup now.",
    "worker_died": "Nothing was changed. Try again; if it happens again, the server may be out of memory.",
    "timed_out": "Nothing was changed. Try again, or ask the server’s operator to allow longer runs.",
    "internal_error": "Nothing was changed. The server’s operator can find more in its log.",
    "store_unavailable": "Nothing was changed, and no data is known to be lost. Try again when the storage can be reached.",
    "database_unavailable": "Nothing was changed. Try again in a moment.",
    "storage_failed": "Nothing was changed. The server’s operator must free storage space.",
}


@pages.page(RUN, Needs.MEMBER)
def show(organization_id: str, run_id: str) -> str | Response:
    """Show a run, to be loaded as often as one likes; one that an app's own pages show is shown there."""
    run = visible(run_id)
    if run.app_id is not None and shown_in_app(run):
        return redirect(url_for("backups.run", organization_id=organization_id, app_id=run.app_id, run_id=run_id))  # type: ignore[return-value]
    app = find(run.app_id) if run.app_id is not None else None
    return render_template("runs/show.html", app=app, **shown(run))


@pages.page(f"{RUN}/progress", Needs.MEMBER)
def progress(organization_id: str, run_id: str) -> Response:
    """Answer the part of the page that changes; one that waits for something else is sent on once it has ended."""
    run = visible(run_id)
    response = make_response(render_template("runs/progress.html", **shown(run)))
    if (onward := onward_url(run)) is not None:
        response.headers["HX-Redirect"] = onward
    return response


@pages.page(f"{RUN}/cancel", Needs.MEMBER, ("POST",))
def cancel(organization_id: str, run_id: str) -> Response:
    """Ask for a run to be cancelled."""
    with transaction():
        run = visible(run_id)
        service.cancel(run)
        ended = run.state
    if ended not in ("running", "cancelled"):
        flash("It ended before it could be cancelled.", "warn")
    return redirect(url_for("runs.show", organization_id=organization_id, run_id=run_id))  # type: ignore[return-value]


def visible(run_id: str) -> Run:
    """Return a run that the visitor may see: one of an app they are an admin of, one they asked for, any other as an org admin.

    Raises:
        NotFound: there is none.
    """
    run = service.find(run_id)
    if run.app_id is not None:
        allowed = standing(find(run.app_id), visit().person).may_back_up
    else:
        allowed = run.person == visit().person or visit().manages_organization
    if not allowed:
        raise NotFound("This run no longer exists.")
    return run


def shown(run: Run) -> dict[str, Any]:
    """Return what the templates of runs need."""
    counted = run.total > 0 and is_counted(run.phase)
    return {"run": run, "title": kind_of(run).title, "phase": phase_named(run.kind, run.phase), "counted": counted,
            "unit": unit_of(run.phase), "report": report_of(run),
            "live": run.state in ("queued", "running"), "advice": ADVICE.get(run.error_code or "", "Nothing was changed."),
            "percent": min(100 * run.done // run.total, 100) if counted else None, "onward": onward_url(run),
            "left_s": left_s(run) if counted else None, "rate": rate_of(run) if counted else None, "waits_since": waits_since(run),
            **notes(report_of(run), request.args.get("q", "")[:100])}


def to_run(run: Run) -> Response:
    """Answer with the page of a run that was asked for."""
    return redirect(url_for("runs.show", organization_id=run.organization_id, run_id=run.id))  # type: ignore[return-value]


def left_s(run: Run) -> int | None:
    """Return about how many seconds the phase that a run is in will take; None while that cannot be told yet."""
    rate = rate_of(run)
    return None if not rate else max(int((run.total - run.done) / rate), 0)


def rate_of(run: Run) -> float | None:
    """Return how many things a run does in a second; None while that cannot be told yet."""
    steps = json.loads(run.steps)
    if not steps or not run.done or run.state != "running":
        return None
    elapsed_us: int = now_us() - steps[-1][1]
    return run.done * SECOND_US / elapsed_us if elapsed_us >= SOON_US else None


def kind_of(run: Run) -> RunKind:
    """Return a run's kind; one that no plugin brings any more is "Work"."""
    return server().registry.run_kinds.get(run.kind) or RunKind(name=run.kind, title="Work", work="")


def shown_in_app(run: Run) -> bool:
    """Say whether a run has its page among an app's own."""
    return kind_of(run).in_app


def notes(report: dict[str, Any], asked: str) -> dict[str, Any]:
    """Return what had no counterpart, as far as it holds what was asked for: the same thing in many places once."""
    words = asked.casefold().split()
    found = [note for note in report.get("unsupported", ())
             if all(word in f"{note['what']} {note['name']} {note['reason']}".casefold() for word in words)]
    alike: dict[tuple[str, str], list[str]] = {}
    for note in found:
        alike.setdefault((note["what"], note["reason"]), []).append(note["name"])
    listed = [{"what": what, "reason": reason, "names": names} for (what, reason), names in alike.items()]
    return {"notes": listed[:NOTES_SHOWN], "notes_found": len(listed), "asked": asked}


def onward_url(run: Run) -> str | None:
    """Return where one goes on once a run has ended well, None where its own page is the end."""
    if run.kind != "import_preview" or run.state != "succeeded":
        return None
    return url_for("imports.preview", organization_id=run.organization_id, run_id=run.id)
