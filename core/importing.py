"""Bringing an app in: an importer's edits, applied to a new app in one transaction, or not at all."""

from __future__ import annotations

import mimetypes
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.app import server
from core.apps import service
from core.archive.canonical import NotCanonical
from core.db import transaction
from core.errors import ImportFailed, InvalidInput
from core.fieldtype import Definition
from core.importer import Importer
from core.objects import ObjectWriter, writing_objects

MAX_NAME_CHARS = 255


class _DryRun(Exception):
    """Ends a dry run's transaction without keeping anything."""


@dataclass
class Context:
    """What an importer works with; see `core.importer.ImportContext`."""

    app_name: str | None
    person: str
    writer: ObjectWriter
    notes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)

    def put_file(self, stream: BinaryIO, name: str, media_type: str | None = None) -> dict[str, Any]:
        """See `ImportContext.put_file`."""
        content, size = self.writer.put_file(stream)
        self.writer.record()
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


def import_file(path: Path, organization_id: str, person: str, *, name: str | None = None, importer: str | None = None,
                dry_run: bool = False) -> dict[str, Any]:
    """Make an app out of a file of another program and return what came of it.

    Returns {"app", "name", "documents", "records", "files", "unsupported": [{"what", "name", "reason", "count"}, …]}; "app" is
    None after a dry run.

    Raises:
        ImportFailed: the file is not what it claims to be; nothing of it stays.
    """
    chosen = find_importer(path, importer)
    counts: Counter[str] = Counter()
    try:
        with transaction():
            with writing_objects() as writer:
                context = Context(name, person, writer)
                app = service.create(name or path.stem[:100], person)
                service.apply(app, _counted(chosen.operations(path, context), counts), person)
                if dry_run:
                    raise _DryRun
            app_id: str | None = app.id
            shown = app.name
    except _DryRun:
        app_id, shown = None, name or path.stem[:100]
    except (NotCanonical, UnicodeDecodeError, RecursionError) as error:
        raise ImportFailed(f"{path.name} cannot be read: {error}") from error
    return {"app": app_id, "name": shown, "documents": counts["documents"], "records": counts["records"],
            "files": len(context.files), "unsupported": context.told()}


def find_importer(path: Path, name: str | None) -> Importer:
    """Return the importer of that name, or the one that recognizes the file.

    Raises:
        ImportFailed: the file is not there, or nobody knows its format.
    """
    importers = server().registry.importers
    if name is not None:
        if name not in importers:
            raise InvalidInput(f"There is no importer “{name[:40]}”; there are {', '.join(importers)}.")
        return importers[name]
    if not path.is_file():
        raise ImportFailed(f"There is no file {path}.")
    found = next((one for one in importers.values() if one.recognizes(path)), None)
    if found is None:
        raise ImportFailed(f"{path.name} looks like nothing that can be imported; say --from {'|'.join(importers)}.")
    return found


def _counted(operations: Iterator[Mapping[str, Any]], counts: Counter[str]) -> Iterator[Mapping[str, Any]]:
    for operation in operations:
        if operation.get("op") == "put":
            counts["documents"] += 1
        if operation.get("op") == "put_records":
            counts["records"] += len(operation.get("records", ()))
        yield operation

