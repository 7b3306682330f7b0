"""Bringing an app in: an importer's edits make a new app, which is there as a whole, or not at all."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.apps import service
from core.apps.making import WAITING, Making, making
from core.base.errors import ImportFailed, InvalidInput
from core.extension.hook_calls import is_passing
from core.extension.importer import NO_CORRECTIONS, Corrections, Importer, packed_kind
from core.imports.inbox import spool
from core.imports.reader_process import Asked, Heard, Reading, reading
from core.imports.staging import DryRunWriter, staged
from core.objects.index import coming, known_digests
from core.objects.reader import object_reader
from core.objects.writer import ObjectWriter, recording, writing_objects
from core.server import server
from core.tenancy.models import App

log = logging.getLogger(__name__)
Watch = Callable[[str, int, int], None]
"""Hears how far an import is: its phase, records done, of how many, 0 as long as that is not known."""
Finish = Callable[[Mapping[str, Any]], None]
MAX_SHOWN = 500


@dataclass
class _Read:
    """What is kept of a file while it is read: the tables as they were shown, notes, which files it brought, and how far it is."""

    writer: ObjectWriter
    tell: Watch
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)
    told: Reading = field(init=False)
    making: Making | None = None
    records: int = 0
    """How many are in the app that is made."""

    def show(self, guesses: dict[str, Any]) -> None:
        """Keep how a table was read."""
        if len(self.tables) < MAX_SHOWN:
            self.tables.append(guesses)

    def note(self, what: str, name: str, reason: str) -> None:
        """Keep a note."""
        self.notes[what, name[:200], reason] += 1

    def file(self, path: Path) -> str:
        """Store a file that an importer made, and return its content's digest."""
        with path.open("rb") as file:
            content, _ = self.writer.put_file(file)
        path.unlink()
        self.files.add(content)
        return content

    def watch(self) -> None:
        """Tell how far it is, between two parts of the making, and hold on to what is made."""
        if self.making is None:
            self.tell("import.reading", self.told.records, 0)
        else:
            self.making.keep()
            self.tell("import.making", self.records, self.total)

    @property
    def total(self) -> int:
        """How many records there will be; as long as that is not known, what tables say that were shown, or 0."""
        if self.told.made is not None:
            return self.told.made.counts["records"]
        tables = [table for table in self.tables if not table.get("left_out")]
        rows = [int(table["rows"]) for table in tables if type(table.get("rows")) is int]
        return sum(rows) if len(rows) == len(tables) else 0

    def notes_told(self) -> list[dict[str, Any]]:
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

    with spool() as folder:
        asked = Asked(chosen.name, str(path), name, stem, person, corrections, str(folder), not dry_run, config.import_memory_bytes,
                      time_s or config.import_time_s)
        return _weighed(asked, name or stem, watch) if dry_run else _made(asked, name or stem[:100], watch, finish)


def _weighed(asked: Asked, name: str, watch: Watch) -> dict[str, Any]:
    """Read a file and keep nothing."""
    with server().store.batch() as batch:
        found = _Read(DryRunWriter(object_reader(), batch, known_digests()), watch)
        with _reading(asked, found) as told:
            told.listen()
    return _result(None, _name_said(_ended(told), name), found)


def _name_said(made: Heard, otherwise: str) -> str:
    """Return what an app would be called: as its own document says."""
    said = next((one["name"] for one in made.outline if one["document"].startswith("app/")), None)
    return str(said or otherwise)[:100]


def _made(asked: Asked, name: str, watch: Watch, finish: Finish) -> dict[str, Any]:
    """Make an app of a file while it is read: in parts that hold up nobody for long, and there as a whole with the last, or not at all.

    Between two parts it is heard what was read meanwhile; no part waits for that.
    """
    with ExitStack() as stack:
        with writing_objects() as writer:
            found = _Read(writer, watch)
            with _reading(asked, found) as told:
                told.listen()  # of what cannot be read at all nothing is made
                watch("import.making", 0, found.total)
                found.making = made = stack.enter_context(making(name, asked.person))
                writer.app_id = made.app_id
                for _ in made.do(_steps(made.app, asked.person, found)):
                    watch("import.making", found.records, found.total)
                    told.listen()
        with recording(writer):
            app = made.finish()
            result = _result(app.id, app.name, found)
            finish(result)
        return result


@contextmanager
def _reading(asked: Asked, found: _Read) -> Iterator[Reading]:
    with reading(asked, found) as found.told:
        yield found.told


def _steps(app: App, person: str, found: _Read) -> Iterator[object]:
    """Do an import's edits in a new app as they come, and yield after each."""
    coming(found.writer.added)
    service.start(app, person)
    script = service.Script(app, person)
    while True:
        for answer in script.edits(staged(found.told.edits())):
            found.records += answer.get("records", 0) if isinstance(answer, Mapping) else 0
            yield answer
        if found.told.made is not None:
            break
        yield WAITING
    yield from script.checks()


def _ended(told: Reading) -> Heard:
    assert told.made is not None, "it was not read to its end"
    return told.made


def _result(app_id: str | None, name: str, found: _Read) -> dict[str, Any]:
    made = _ended(found.told)
    return {"app": app_id, "name": name, "documents": made.counts["documents"], "records": made.counts["records"],
            "files": len(found.files), "outline": made.outline, "tables": found.tables, "unsupported": found.notes_told()}


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
            raise ImportFailed(f"{path.name} is compressed ({kind}). Unpack it first.", compressed=kind)
        formats, missing = ", ".join(one.title for one in importers.values()), _missing(importers, path)
        raise ImportFailed(f"“{path.name}” has an unknown format.{missing} These can be imported: {formats}. "
                           f"On the command line, --from sets the format ({'|'.join(importers)}).", missing=missing)
    return found


def _missing(importers: Mapping[str, Importer], path: Path) -> str:
    """Return what importers of files that end so looked for in one that none of them knows, with a space before each."""
    asked = (one for one in importers.values() if path.suffix.lower() in one.suffixes)
    return "".join(f" {said}" for one in asked if (said := _asked(one, one.missing, path)) and isinstance(said, str))


def _surest(importers: Mapping[str, Importer], path: Path) -> Importer | None:
    """Return the importer that is surest to know a file, None where none knows it; see `Importer.recognizes`."""
    strangers = server().registry.of_strangers("register_importer")
    found = [(-sure, name in strangers, name) for name, one in importers.items() if (sure := _sure(one, path)) > 0]
    return importers[min(found)[2]] if found else None


def _asked(importer: Importer, question: Callable[[Path], Any], path: Path) -> Any:
    """Return what an importer says of a file, None where it fails."""
    try:
        return question(path)
    except Exception as error:
        # A stranger's code may raise anything, and others may know the file.
        if is_passing(error):
            raise
        log.exception("The importer %s failed to look at a file", importer.name)
        return None


def _sure(importer: Importer, path: Path) -> float:
    given = _asked(importer, importer.recognizes, path)
    if isinstance(given, bool):
        return 0.5 if given else 0
    return min(float(given), 1) if isinstance(given, int | float) and given == given else 0
