"""Imports as runs: a sent file is kept and looked through first; once somebody has confirmed, it becomes an app.

The first is a run too ("import_preview"), whose report says what would become what. So a file of any size goes the
same way, and the page that shows it can be loaded again, by anybody who may import.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core.base.db import db, transaction
from core.base.errors import ImportFailed, InvalidInput, NotFound, TookTooLong
from core.base.time import now_us
from core.extension.importer import NO_CORRECTIONS, Corrections
from core.imports.apply import find_importer, import_file
from core.imports.inbox import STEM, Sent, fetched, keep, lay, size_bytes, spool
from core.objects.index import files_missing
from core.objects.writer import writing_objects
from core.runs.context import SECOND_US, RunContext
from core.runs.models import Run
from core.runs.service import claim, find, request
from core.server import server
from core.tenancy.wall import tenant

SMALL_BYTES = 5 * 1024 * 1024
"""A file of at most this size is looked through while the request that brings it waits, """
AT_ONCE_S = 5
"""for so long; what takes longer is a worker's to look through."""
MAX_NOTES = 5000
MAX_PARTS = 20_000
MAX_COLUMNS, SAMPLES, MAX_SAMPLE_CHARS = 1000, 3, 60
"""How much of how a file is read a page shows, to be corrected there."""
KEPT_US = 7 * 24 * 3600 * SECOND_US
"""What was sent can be confirmed for so long."""
PREVIEW, IMPORT = "import_preview", "import"


def receive(sent: Sequence[Sent], person: str) -> Run:
    """Keep what somebody sent and return the run that tells what it would become; a small file's has ended.

    Raises:
        ImportFailed: it is nothing that can be imported; nothing of it stays.
    """
    with spool() as folder:
        laid = lay(folder, sent)
        name, path = laid[0]
        with _named(path, name):
            options: dict[str, Any] = {"importer": recognized(path)}
            report = _previewed_now(path, name, options["importer"], person) if size_bytes(laid) <= SMALL_BYTES else None
        with writing_objects(counted=False) as writer:
            options["files"] = keep(laid, writer)
    with transaction():
        writer.record()
        run_id = request(PREVIEW, None, options, person, send=report is None).id
    return _ended_with(run_id, report)


def _ended_with(run_id: str, report: Mapping[str, Any] | None) -> Run:
    if report is not None and (context := claim(run_id)) is not None:
        with transaction():
            context.succeed(report)
    return find(run_id)


def look_again(preview: Run, corrections: Corrections, person: str) -> Run:
    """Return a preview of the same file, read as somebody says that it is to be read; a small file's has ended.

    Raises:
        ImportFailed: the file cannot be read so.
        InvalidInput: what was sent is not kept any more.
    """
    _check_kept(preview)
    options = {**options_of(preview), "corrections": corrections.as_dict()}
    name, report = options["files"][0]["name"], None
    if sum(one["size"] for one in options["files"]) <= SMALL_BYTES:
        with fetched(options["files"]) as path, _named(path, name):
            report = _previewed_now(path, name, options["importer"], person, corrections)
    with transaction():
        run_id = request(PREVIEW, None, options, person, send=report is None).id
    return _ended_with(run_id, report)


def corrections_of(run: Run) -> Corrections:
    """Return what was said of the file of a preview or an import."""
    return Corrections.of(options_of(run).get("corrections", {}))


def _check_kept(preview: Run) -> None:
    if preview.kind != PREVIEW or preview.state != "succeeded":
        raise InvalidInput("Nothing to import: the file could not be read.")
    if files_missing(one["content"] for one in options_of(preview)["files"]):
        raise InvalidInput("The file was uploaded more than a week ago and is no longer kept. Upload it again.")


def confirm(preview: Run, name: str, person: str) -> Run:
    """Return the run that makes the previewed app; the one under way where somebody has confirmed already.

    Raises:
        InvalidInput: the preview has not succeeded, or what was sent is not kept any more.
    """
    _check_kept(preview)
    under_way = select(Run).where(Run.kind == IMPORT, Run.state.in_(("queued", "running")), Run.cancel_requested.is_(False),
                                  Run.options.contains(f'"preview":"{preview.id}"', autoescape=True))
    options = {**options_of(preview), "name": name, "preview": preview.id}
    return db.session.scalar(under_way) or request(IMPORT, None, options, person, send=True)


def kept_contents() -> Iterator[str]:
    """Yield the contents of what was sent to the current organization and can still be imported."""
    open_ = (Run.requested_at > now_us() - KEPT_US) | Run.state.in_(("queued", "running"))
    for run in db.session.scalars(select(Run).where(Run.kind.in_((PREVIEW, IMPORT)), open_)):
        yield from (one["content"] for one in options_of(run)["files"])


def find_preview(run_id: str) -> Run:
    """Return a preview of the current organization.

    Raises:
        NotFound: there is none.
    """
    run = find(run_id)
    if run.kind != PREVIEW:
        raise NotFound(f"There is no file “{run_id[:40]}” to import.")
    return run


def options_of(run: Run) -> dict[str, Any]:
    """Return what was asked for."""
    found: dict[str, Any] = json.loads(run.options)
    return found


def preview(run: RunContext) -> Mapping[str, Any]:
    """Do a run of kind "import_preview"."""
    run.step("import.begun")
    name = run.options["files"][0]["name"]
    with fetched(run.options["files"]) as path, _named(path, name):
        return _previewed(path, name, run.options["importer"], run.person, _said(run), watch=_watched(run))


def bring_in(run: RunContext) -> None:
    """Do a run of kind "import": the app and the run's end are one commit."""
    run.step("import.begun")

    def finish(result: Mapping[str, Any]) -> None:
        run.step("import.before_commit")
        run.succeed(_report(result))

    sent = run.options["files"][0]["name"]
    with fetched(run.options["files"]) as path, _named(path, sent):
        import_file(path, tenant(), run.person, name=run.options["name"], importer=run.options["importer"], stem=_stem(sent),
                    corrections=_said(run), watch=_watched(run), finish=finish)
    run.step("import.committed", ended=True)


def _said(run: RunContext) -> Corrections:
    return Corrections.of(run.options.get("corrections", {}))


def recognized(path: Path) -> str:
    """Return the name of the importer that knows a file.

    Raises:
        ImportFailed: there is none.
    """
    if not path.stat().st_size:
        raise ImportFailed(f"{path.name} is empty.")
    try:
        return find_importer(path, None).name
    except ImportFailed as error:
        if "compressed" in error.details:
            raise
        known = "; ".join(one.described for one in server().registry.offered_importers)
        missing = error.details.get("missing", "")
        raise ImportFailed(f"{path.name} cannot be imported.{missing} Use one of these: {known}.") from None


def _previewed_now(path: Path, name: str, importer: str, person: str,
                   corrections: Corrections = NO_CORRECTIONS) -> dict[str, Any] | None:
    """Return what a run would report that looks a file through; None where that takes too long to wait for."""
    try:
        return _previewed(path, name, importer, person, corrections, time_s=AT_ONCE_S)
    except TookTooLong:
        return None


def _previewed(path: Path, name: str, importer: str, person: str, corrections: Corrections, **more: Any) -> dict[str, Any]:
    return _report(import_file(path, tenant(), person, importer=importer, stem=_stem(name), corrections=corrections, dry_run=True,
                               **more))


def _stem(name: str) -> str:
    """Return what a file is called without its ending."""
    return Path(name).stem[:100].strip() or "Imported app"


@contextmanager
def _named(path: Path, name: str) -> Iterator[None]:
    """Make refusals name the file as its sender does."""
    try:
        yield
    except InvalidInput as error:
        raise ImportFailed(error.message.replace(path.name, name).replace(f"{STEM}.zip", "The .zip beside it")) from error


def _watched(run: RunContext) -> Any:
    def watch(phase: str, done: int, total: int) -> None:
        if phase == "import.making" != run.phase:
            run.step(phase)
        run.progress(phase, done, total, 0)

    return watch


def _report(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run keeps of an import's result: documents by kind with their parts, bounded."""
    left, kinds = MAX_PARTS, dict[str, list[dict[str, Any]]]()
    for one in result["outline"]:
        parts = {part: [[str(p.get("name", ""))[:100], str(p.get("type", ""))[:40]] for p in listed]
                 for part, listed in one["parts"].items()}
        left -= sum(map(len, parts.values()))
        kept = parts if left > 0 else {}
        kinds.setdefault(one["document"].partition("/")[0], []).append(
            {"name": str(one["name"] or "")[:100], "parts": kept, "records": one.get("records", 0)})
    return {**{key: result[key] for key in ("app", "name", "documents", "records", "files")}, "kinds": kinds,
            "unsupported": result["unsupported"][:MAX_NOTES], "unsupported_count": len(result["unsupported"]),
            **_guesses(result["tables"])}


def _guesses(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how the file is read, table by table, as far as a page can show it; "more_tables" says how many are left out."""
    kept: list[dict[str, Any]] = []
    left = MAX_COLUMNS
    for table in tables:
        left -= len(table["columns"])
        if left < 0:
            break
        kept.append({**{name: value for name, value in table.items() if name != "readings"},
                     "columns": [{**column, "samples": [str(one)[:MAX_SAMPLE_CHARS] for one in column["samples"][:SAMPLES]]}
                                 for column in table["columns"]]})
    readings = tables[0].get("readings", []) if tables else []
    return {"tables": kept, "more_tables": len(tables) - len(kept), "readings": readings} if tables else {}
