"""Verbs on what apps are made of: import, apply, documents, state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from core.apps import documents, service
from core.archive.canonical import NotCanonical, parse
from core.backups.create import state as state_of
from core.base.db import transaction
from core.base.errors import InvalidInput
from core.base.text import count_text
from core.base.time import iso
from core.cli.bar import bar
from core.cli.verbs import as_option, organization, person_of, verb
from core.extension.component import document_value
from core.extension.importer import Corrections
from core.imports.apply import import_file
from core.tenancy.wall import as_tenant

MAX_ROW = 1_048_576
MAX_LINE_BYTES = 16 * 1024 * 1024

commands = click.Group()


def _corrections(*, header: Iterable[str], encoding: str, delimiter: str, types: Iterable[str], names: Iterable[str],
                 skip: Iterable[str], skip_tables: Iterable[str]) -> Corrections:
    return Corrections(encoding=encoding, delimiter=delimiter, header=dict(map(_header, header)), types=dict(map(_pair, types)),
                       names=dict(map(_pair, names)), skip=tuple(skip), skip_tables=tuple(skip_tables))


def _header(said: str) -> tuple[str, int]:
    table, _, row = said.rpartition("=")
    if row != "none" and not (row.isascii() and row.isdigit() and 0 < int(row) <= MAX_ROW):
        raise click.UsageError(f"--header {said}: give a row number, counted from 1, or none.")
    return table, 0 if row == "none" else int(row)


def _pair(said: str) -> tuple[str, str]:
    column, equals, value = said.rpartition("=")
    if not (column and equals and value):
        raise click.UsageError(f"“{said}” is not of the form COLUMN=VALUE.")
    return column, value


def _edits(file: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield parse(line, max_bytes=MAX_LINE_BYTES)
            except NotCanonical as error:
                raise InvalidInput(f"Line {number} is not an edit: {error}.", line=number) from error


def _import_lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield (f"app {result['app'] or '(dry run: nothing created)'}  “{result['name']}”: {count_text(result['documents'], 'document')}, "
           f"{count_text(result['records'], 'record')}, {count_text(result['files'], 'file')}")
    if result["app"] is None:
        yield from _outline_lines(result["outline"])
        for table in result["tables"]:
            yield from _table_lines(table)
    if result["unsupported"]:
        yield f"{count_text(len(result['unsupported']), 'item')} changed or left out:"
        for note in result["unsupported"]:
            times = f" ({note['count']} times)" if note["count"] > 1 else ""
            yield f"  {note['what']} “{note['name']}”: {note['reason']}{times}"


def _outline_lines(outline: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for document in outline:
        if any(document["parts"].values()):
            yield f"{document['document'].partition('/')[0]} “{document['name']}”"
        for kind, parts in document["parts"].items():
            for part in parts:
                yield f"  {kind} “{part.get('name', part.get('key'))}”: {part.get('type', '')}".removesuffix(": ")


def _table_lines(table: Mapping[str, Any]) -> Iterator[str]:
    if table.get("left_out"):
        yield f"left out “{table['table']}”"
        return
    how = {"encoding": "encoding", "delimiter": "delimiter", "header": "header row"}
    said = ", ".join(f"{title} {table[name] or 'none'!r}".replace("'", "") for name, title in how.items() if name in table)
    yield f"read “{table['table']}”: {count_text(table.get('rows', 0), 'row')}{', ' if said else ''}{said}"
    for column in table["columns"]:
        yield f"  {column['name']} -> {column['type'] or 'left out'}: {' | '.join(column['samples'])}"


def _document_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for item in result.get("bin", ()):
        yield f"{item['document']}  since {item['hidden_at']}"
    for item in result.get("documents", ()):
        yield f"{item['kind']}/{item['key']}  {item['body'].get('name', '')}"


def _state_lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"content_id {result['content_id']}"
    for name, entry in result["components"].items():
        for part in ("config", "data"):
            if part in entry:
                counts = ", ".join(f"{n} {what}" for what, n in entry[part].items() if what not in ("index", "raw"))
                yield f"{name:12} {part:6} {entry[part]['index'][:16]}…  {counts}"


@verb(commands, "import", show=_import_lines)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--org", required=True, metavar="ORG", help="Id or name of the organization.")
@click.option("--from", "importer", metavar="FORMAT", help="Name of an importer; `appkeep plugins` lists them (default: detected).")
@click.option("--name", help="Name of the new app (default: the file's).")
@click.option("--header", multiple=True, metavar="ROW", help="Header row, counted from 1, or none. Table=ROW sets it for one table.")
@click.option("--encoding", default="", metavar="NAME", help="Encoding of a text file, such as utf-8, cp1251 or shift_jis.")
@click.option("--delimiter", default="", metavar="CHAR", help="Delimiter of a text file: one character, or tab.")
@click.option("--type", "types", multiple=True, metavar="COLUMN=TYPE", help="Type of a column: Zip=text, Day=date-day-first.")
@click.option("--rename", "names", multiple=True, metavar="COLUMN=NAME", help="Field name of a column.")
@click.option("--skip", multiple=True, metavar="COLUMN", help="Leave a column out. Any column can be written as Table: Column.")
@click.option("--skip-table", "skip_tables", multiple=True, metavar="TABLE", help="Leave a table or sheet out.")
@click.option("--dry-run", is_flag=True, help="Show how the file is read and what the import would create; create nothing.")
@as_option
def import_(file: Path, org: str, importer: str | None, name: str | None, dry_run: bool, email: str | None,
            **said: Any) -> dict[str, Any]:
    """Create an app from FILE and list what was changed or left out."""
    with as_tenant(organization(org)), bar("import") as shown:
        return import_file(file, organization(org), person_of(email), name=name, importer=importer, corrections=_corrections(**said),
                           dry_run=dry_run, watch=(lambda *_: None) if shown is None else shown.show)


@verb(commands, "apply", show=lambda result: (f"{count_text(len(result['answers']), 'edit')} done",))
@click.argument("app_id", metavar="APP")
@click.argument("file", type=click.File("rb"))
@as_option
def apply(app_id: str, file: Any, email: str | None) -> dict[str, Any]:
    """Apply the edits in FILE (JSON Lines; - for standard input) to APP, all or none."""
    with service.opened(app_id) as app, transaction():
        return {"app": app.id, "answers": service.apply(service.find(app.id), _edits(file), person_of(email))}


@verb(commands, "documents", show=_document_lines)
@click.argument("app_id", metavar="APP")
@click.option("--bin", "bin_", is_flag=True, help="List the recycle bin instead.")
def documents_(app_id: str, bin_: bool) -> dict[str, Any]:
    """List the documents of APP."""
    with service.opened(app_id) as app:
        if bin_:
            return {"bin": [{"document": a, "hidden_at": iso(t)} for a, t in documents.bin_of(app)]}
        return {"documents": [document_value(d) for d in documents.live(app)]}


@verb(commands, "state", show=_state_lines)
@click.argument("app_id", metavar="APP")
@click.option("--data/--config", "data", default=True, help="With records (default), or the configuration only.")
def state(app_id: str, data: bool) -> dict[str, Any]:
    """Show the content_id of APP now: the digests that a backup made now would have."""
    with service.opened(app_id) as app:
        found = state_of(app, data=data)
        return {"app": app.id, "content_id": found.content_id, **found.content.as_dict()}
