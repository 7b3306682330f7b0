"""Bringing an app in: an importer's edits make a new app, which is there as a whole, or not at all."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from core.apps import service
from core.apps.making import making
from core.base.errors import ImportFailed, InvalidInput
from core.extension.hook_calls import is_passing
from core.extension.importer import NO_CORRECTIONS, Corrections, Importer, packed_kind
from core.imports.inbox import spool
from core.imports.reader_process import Asked, Heard, read
from core.imports.staging import DryRunWriter, staged
from core.objects.index import coming, known_digests
from core.objects.reader import object_reader
from core.objects.writer import ObjectWriter, recording, releasing, writing_objects
from core.server import server
from core.tenancy.models import App

log = logging.getLogger(__name__)
Watch = Callable[[str, int, int], None]
"""Hears how far an import is: its phase, records done, of how many (0 as long as that is not known)."""
Finish = Callable[[Mapping[str, Any]], None]
MAX_SHOWN = 500


@dataclass
class _Read:
    """What is kept of a file while it is read: the tables as they were shown, notes, and which files it brought."""

    writer: ObjectWriter
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)
    made: Heard = field(default_factory=Heard)

    def show(self, guesses: dict[str, Any]) -> None:
        """Keep how a table was read."""
        if len(self.tables) < MAX_SHOWN:
            self.tables.append(guesses)

    def note(self, what: str, name: str, reason: str) -> None:
        """Keep a note."""
        self.notes[what, name[:200], reason] += 1

    def take(self, path: Path) -> str:
        """Store a file that an importer made, and return its content's digest."""
        with path.open("rb") as file:
            content, _ = self.writer.put_file(file)
        path.unlink()
        self.files.add(content)
        return content

    def told(self) -> list[dict[str, Any]]:
        """Return the notes, each once, with how often it was made."""
        return [{"what": what, "name": name, "reason": reason, "count": count}
                for (what, name, reason), count in self.notes.items()]


def import_file(path: Path, organization_id: str, person: str, *, name: str | None = None, importer: str | None = None, stem: str = "",
                corrections: Corrections = NO_CORRECTIONS, dry_run: bool = False, time_s: float | None = None,
                watch: Watch = lambda *_: None, finish: Finish = lambda _: None) -> dict[str, Any]:
    """Make an app out of a file of another program and return what came of it.

    Returns {"app", "name", "documents", "records", "files", "outline": [{"document", "name", "parts": {part: [{"key", "name",
    "type"}, …]}, "records"}, …], "tables": [what `ImportContext.show` heard, …], "unsupported": [{"what", "name", "reason",
    "count"}, …]}; "app" is None after a dry run, the outline has the first 500 documents.

    Args:
        path: The file; what belongs to it lies beside it under the same name.
        organization_id: The current organization.
        person: Who imports.
        name: What the app shall be called; otherwise the file says it.
        importer: The name of the importer; otherwise the one that recognizes the file.
        stem: What its sender calls the file, without the ending, where that is not what its path says.
        corrections: What somebody says of the file where the importer would guess.
        dry_run: Keep nothing, neither the app nor its files.
        time_s: How long the file may be read; otherwise as long as the setting says.
        watch: Hears how far it is; what it raises ends the import.
        finish: Hears the result inside the transaction that makes it real; what it raises undoes it.

    Raises:
        ImportFailed: the file is not what it claims to be, or takes too much memory; nothing of it stays.
        TookTooLong: it takes too much time.
    """
    chosen, stem = find_importer(path, importer), stem or path.stem
    config = server().config

    def read_into(kept: _Read, edit: Callable[[bytes], object] | None) -> None:
        asked = Asked(chosen.name, str(path), name, stem, person, corrections, str(folder), edit is not None,
                      config.import_memory_bytes, time_s or config.import_time_s)
        kept.made = read(asked, edit=edit or bool, file=kept.take, show=kept.show, note=kept.note,
                         watch=lambda records: watch("import.reading", records, 0))

    with spool() as folder:
        if dry_run:
            with server().store.batch() as batch:
                weighed = _Read(DryRunWriter(object_reader(), batch, known_digests()))
                read_into(weighed, None)
            return _result(None, _name_said(weighed.made, name or stem), weighed)
        with TemporaryFile(dir=folder) as edits:
            with writing_objects() as writer:
                found = _Read(writer)
                read_into(found, edits.write)
            return _made(name or stem[:100], person, found, edits, watch, finish)


def _name_said(made: Heard, otherwise: str) -> str:
    """Return what an app would be called: as its own document says."""
    said = next((one["name"] for one in made.outline if one["document"].startswith("app/")), None)
    return str(said or otherwise)[:100]


def _made(name: str, person: str, found: _Read, edits: IO[bytes], watch: Watch, finish: Finish) -> dict[str, Any]:
    """Make the app out of staged edits: in parts that hold up nobody for long, and there as a whole with the last, or not at all."""
    total, writer = found.made.counts["records"], found.writer
    watch("import.making", 0, total)
    with making(name, person) as made:
        writer.app_id, done = made.app_id, Counter[str]()
        with releasing(writer):
            for _ in made.do(_steps(made.app, person, set(writer.added), edits, done)):
                watch("import.making", done["records"], total)
        with recording(writer):
            app = made.finish()
            result = _result(app.id, app.name, found)
            finish(result)
    return result


def _steps(app: App, person: str, files: set[str], edits: IO[bytes], done: Counter[str]) -> Iterator[object]:
    """Do an import's edits in a new app, and yield after each."""
    coming(files)
    service.start(app, person)
    script = service.Script(app, person)
    for answer in script.edits(staged(edits)):
        done["records"] += answer.get("records", 0) if isinstance(answer, Mapping) else 0
        yield answer
    yield from script.checks()


def _result(app_id: str | None, name: str, found: _Read) -> dict[str, Any]:
    return {"app": app_id, "name": name, "documents": found.made.counts["documents"], "records": found.made.counts["records"],
            "files": len(found.files), "outline": found.made.outline, "tables": found.tables, "unsupported": found.told()}


def find_importer(path: Path, name: str | None) -> Importer:
    """Return the importer of that name, or the one that recognizes the file.

    Raises:
        ImportFailed: the file is not there, or nobody knows its format.
    """
    importers = server().registry.importers
    if name is not None:
        if name not in importers:
            raise InvalidInput(f"Unknown importer “{name[:40]}”. Choose one of: {', '.join(importers)}.")
        return importers[name]
    if not path.is_file():
        raise ImportFailed(f"File not found: {path}")
    found = _surest(importers, path)
    if found is None:
        with path.open("rb") as file:
            kind = packed_kind(file.read(16))
        if kind:
            raise ImportFailed(f"{path.name} is compressed ({kind}). Unpack it first.")
        formats = ", ".join(one.title for one in importers.values())
        raise ImportFailed(f"“{path.name}” has an unknown format. These can be imported: {formats}. "
                           f"On the command line, --from sets the format ({'|'.join(importers)}).")
    return found


def _surest(importers: Mapping[str, Importer], path: Path) -> Importer | None:
    """Return the importer that is surest to know a file, None where none knows it; see `Importer.recognizes`."""
    strangers = server().registry.of_strangers("register_importer")
    found = [(-sure, name in strangers, name) for name, one in importers.items() if (sure := _sure(one, path)) > 0]
    return importers[min(found)[2]] if found else None


def _sure(importer: Importer, path: Path) -> float:
    try:
        given = importer.recognizes(path)
    except Exception as error:
        # A stranger's code may raise anything, and others may know the file.
        if is_passing(error):
            raise
        log.exception("The importer %s failed to look at a file", importer.name)
        return 0
    if isinstance(given, bool):
        return 0.5 if given else 0
    return min(float(given), 1) if isinstance(given, int | float) and given == given else 0
