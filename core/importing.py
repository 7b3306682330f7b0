"""Bringing an app in: an importer's edits make a new app, which is there as a whole, or not at all."""

from __future__ import annotations

import mimetypes
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from core.app import server
from core.apps import service
from core.apps.making import making
from core.apps.models import App
from core.archive.canonical import NotCanonical
from core.catalogue import coming, known_digests
from core.errors import ImportFailed, InvalidInput
from core.fieldtype import Definition
from core.importer import NO_CORRECTIONS, Corrections, Importer, packed_kind
from core.objects import ObjectWriter, recording, releasing, shelf, writing_objects
from core.staging import Weighing, stage, staged

Watch = Callable[[str, int, int], None]
"""Hears how far an import is: its phase, records done, of how many (0 as long as that is not known)."""
Finish = Callable[[Mapping[str, Any]], None]
MAX_NAME_CHARS = 255
MAX_OUTLINED = 500


@dataclass
class Context:
    """What an importer works with; see `core.importer.ImportContext`."""

    app_name: str | None
    stem: str
    person: str
    writer: ObjectWriter
    corrections: Corrections = field(default_factory=Corrections)
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)

    def show(self, guesses: Mapping[str, Any]) -> None:
        """See `ImportContext.show`."""
        if len(self.tables) < MAX_OUTLINED:
            self.tables.append(dict(guesses))

    def put_file(self, stream: BinaryIO, name: str, media_type: str | None = None) -> dict[str, Any]:
        """See `ImportContext.put_file`."""
        content, size = self.writer.put_file(stream)
        self.files.add(content)
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        safe = "".join("_" if ord(char) < 32 or char in "/\\\x7f" else char for char in name)[:MAX_NAME_CHARS]
        return {"file": content, "name": safe or "file", "size": size, "type": kind}

    def check_field(self, definition: Definition) -> None:
        """See `ImportContext.check_field`."""
        server().registry.hook.check_field(definition=definition)

    def unsupported(self, what: str, name: str, reason: str) -> None:
        """See `ImportContext.unsupported`."""
        self.notes[what, name[:200], reason] += 1

    def told(self) -> list[dict[str, Any]]:
        """Return the notes, each once, with how often it was made."""
        return [{"what": what, "name": name, "reason": reason, "count": count}
                for (what, name, reason), count in self.notes.items()]


@dataclass
class _Tally:
    """Counts the edits of an import as they pass, and keeps what documents they make and of which parts."""

    counts: Counter[str] = field(default_factory=Counter)
    outline: dict[str, dict[str, Any]] = field(default_factory=dict)

    def passing(self, operations: Iterator[Mapping[str, Any]], watch: Watch) -> Iterator[Mapping[str, Any]]:
        """Yield the edits as they are."""
        for operation in operations:
            if operation.get("op") == "put":
                self.counts["documents"] += 1
                self._outline(operation)
            if operation.get("op") == "put_records":
                self._count_records(operation)
            watch("import.reading", self.counts["records"], 0)
            yield operation

    def _count_records(self, operation: Mapping[str, Any]) -> None:
        count = len(operation.get("records", ()))
        self.counts["records"] += count
        listed = self.outline.get(f"worksheet/{operation.get('worksheet')}")
        if listed is not None:
            listed["records"] = listed.get("records", 0) + count

    def _outline(self, operation: Mapping[str, Any]) -> None:
        address, body = operation.get("document"), operation.get("body")
        if isinstance(address, str) and isinstance(body, Mapping) and (len(self.outline) < MAX_OUTLINED or address in self.outline):
            _, kind = server().registry.kinds.get(address.partition("/")[0], (None, None))
            parts = {} if kind is None else {part: _parts(body.get(listed)) for part, listed in kind.parts.items()}
            self.outline[address] = {"document": address, "name": body.get("name"), "parts": parts}


def _parts(listed: Any) -> list[dict[str, Any]]:
    """Return key, name and type of the parts of a document, as far as each has them."""
    parts = listed if isinstance(listed, list) else []
    return [{what: part[what] for what in ("key", "name", "type") if what in part} for part in parts if isinstance(part, Mapping)]


def import_file(path: Path, organization_id: str, person: str, *, name: str | None = None, importer: str | None = None, stem: str = "",
                corrections: Corrections = NO_CORRECTIONS, dry_run: bool = False, watch: Watch = lambda *_: None,
                finish: Finish = lambda _: None) -> dict[str, Any]:
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
        watch: Hears how far it is; what it raises ends the import.
        finish: Hears the result inside the transaction that makes it real; what it raises undoes it.

    Raises:
        ImportFailed: the file is not what it claims to be; nothing of it stays.
    """
    chosen, tally = find_importer(path, importer), _Tally()
    try:
        if dry_run:
            with server().store.batch() as batch:
                context = Context(name, stem or path.stem, person, Weighing(shelf(), batch, known_digests()), corrections)
                return _looked_through(chosen, path, name, context, tally, watch)
        with TemporaryFile() as kept:
            with writing_objects() as writer:
                context = Context(name, stem or path.stem, person, writer, corrections)
                stage(tally.passing(chosen.operations(path, context), watch), kept)
            return _made(name or context.stem[:100], context, tally, kept, watch, finish)
    except (NotCanonical, UnicodeDecodeError, RecursionError) as error:
        raise ImportFailed(f"{path.name} cannot be read: {error}") from error


def _looked_through(chosen: Importer, path: Path, name: str | None, context: Context, tally: _Tally, watch: Watch) -> dict[str, Any]:
    """Return what an import would make; nothing is written, so that nobody waits for it."""
    for _ in tally.passing(chosen.operations(path, context), watch):
        pass
    said = next((one["name"] for address, one in tally.outline.items() if address.startswith("app/")), None)
    return _result(None, str(said or name or context.stem)[:100], context, tally)


def _made(name: str, context: Context, tally: _Tally, kept: IO[bytes], watch: Watch, finish: Finish) -> dict[str, Any]:
    """Make the app out of staged edits: in parts that hold up nobody for long, and there as a whole with the last, or not at all."""
    total = tally.counts["records"]
    watch("import.making", 0, total)
    with making(name, context.person) as made:
        context.writer.app_id, done = made.app.id, Counter[str]()
        with releasing(context.writer):
            for _ in made.do(_steps(made.app, context.person, set(context.writer.added), kept, done)):
                watch("import.making", done["records"], total)
        with recording(context.writer):
            app = made.finish()
            result = _result(app.id, app.name, context, tally)
            finish(result)
    return result


def _steps(app: App, person: str, files: set[str], kept: IO[bytes], done: Counter[str]) -> Iterator[object]:
    """Do an import's edits in a new app, and yield after each."""
    coming(files)
    service.start(app, person)
    script = service.Script(app, person)
    for answer in script.edits(staged(kept)):
        done["records"] += answer.get("records", 0) if isinstance(answer, Mapping) else 0
        yield answer
    yield from script.checks()


def _result(app_id: str | None, name: str, context: Context, tally: _Tally) -> dict[str, Any]:
    return {"app": app_id, "name": name, "documents": tally.counts["documents"], "records": tally.counts["records"],
            "files": len(context.files), "outline": list(tally.outline.values()), "tables": context.tables, "unsupported": context.told()}


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
    found = next((one for one in importers.values() if one.recognizes(path)), None)
    if found is None:
        with path.open("rb") as file:
            kind = packed_kind(file.read(16))
        if kind:
            raise ImportFailed(f"{path.name} is compressed ({kind}). Unpack it first.")
        formats = ", ".join(one.title for one in importers.values())
        raise ImportFailed(f"“{path.name}” has an unknown format. These can be imported: {formats}. "
                           f"On the command line, --from sets the format ({'|'.join(importers)}).")
    return found
