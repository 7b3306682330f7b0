"""How a file is read, as a form: what was guessed of each table and column, and what somebody says instead. No requests, no pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.base.errors import InvalidInput
from core.extension.importer import Corrections

LEFT_OUT = "-"
"""What the type of a column is called that is not to come along."""
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Pipe"}
ENCODINGS = ("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso-8859-15", "shift_jis", "euc_jp", "gb18030",
             "big5", "cp949")
MAX_TEXT = 100
MAX_ROW = 1_000_000


@dataclass
class ColumnForm:
    """A column: what it is called in the file, what it becomes, and some of its cells."""

    label: str
    name: str
    type: str
    samples: list[str]
    fields: tuple[str, str]
    """The names of its two controls: of the name, and of the type."""


@dataclass
class SheetForm:
    """A table: how it is read, and its columns. What a file does not have (an encoding, a header row) is None.

    `left_out` says whether it is not to come along, None where it is the only one.
    """

    title: str
    rows: int
    place: int
    header: int | None
    encoding: str | None
    delimiter: str | None
    left_out: bool | None
    columns: list[ColumnForm] = field(default_factory=list)


def shown(report: Mapping[str, Any], said: Corrections, typed: Mapping[str, str]) -> list[SheetForm]:
    """Return a form for each table of a preview's report; where something was *typed*, that stands in it."""
    tables = report.get("tables", ())
    return [_sheet(place, table, said, typed, alone=len(tables) == 1) for place, table in enumerate(tables)]


def _sheet(place: int, table: Mapping[str, Any], said: Corrections, typed: Mapping[str, str], *, alone: bool) -> SheetForm:
    def now(name: str) -> str | None:
        return None if table.get(name) is None else typed.get(f"{name}-{place}", str(table[name]))[:MAX_TEXT]

    header = now("header")
    left_out = typed.get(f"keep-{place}", "" if table.get("left_out") else "1") == ""
    row = None if header is None else _row(header, int(table["header"]))
    made = SheetForm(str(table["table"]), int(table.get("rows", 0)), place, row, now("encoding"), now("delimiter"),
                     None if alone else left_out)
    for number, column in enumerate(table["columns"]):
        names = (f"name-{place}-{number}", f"type-{place}-{number}")
        left = said.skips(made.title, column["name"])
        made.columns.append(ColumnForm(
            column["name"], typed.get(names[0], column["field"] or said.name_of(made.title, column["name"]))[:MAX_TEXT],
            typed.get(names[1], LEFT_OUT if left else column["type"])[:MAX_TEXT], column["samples"], names))
    return made


def read(report: Mapping[str, Any], before: Corrections, typed: Mapping[str, str]) -> Corrections:
    """Return what is said of a file now: what was said before, and what was changed in the form that showed it.

    Where other rows or cells become the columns, what was said of those columns holds no more.

    Raises:
        InvalidInput: a row's number, or a name, is none.
    """
    _check(report, typed)
    tables, forms = report.get("tables", ()), shown(report, before, typed)
    whole = {name: next((str(getattr(form, name)) for form, table in zip(forms, tables, strict=True)
                         if getattr(form, name) is not None and getattr(form, name) != str(table[name])), getattr(before, name))
             for name in ("encoding", "delimiter")}
    header, types, names, skip = dict(before.header), dict(before.types), dict(before.names), set(before.skip)
    anew = whole != {"encoding": before.encoding, "delimiter": before.delimiter}
    for form, table in zip(forms, tables, strict=True):
        moved = form.header is not None and form.header != table["header"]
        if moved and form.header is not None:
            header[form.title] = form.header
        labels = [f"{form.title}: {column.label}" for column in form.columns]
        if anew or moved:
            _forget(labels, form.columns, types, names, skip)
        else:
            for label, column, guessed in zip(labels, form.columns, table["columns"], strict=True):
                _column(label, column, guessed, types, names, skip)
    left_out = tuple(sorted(form.title for form in forms if form.left_out))
    return Corrections(header=header, types=types, names=names, skip=tuple(sorted(skip)), skip_tables=left_out, **whole)


def _check(report: Mapping[str, Any], typed: Mapping[str, str]) -> None:
    for place, table in enumerate(report.get("tables", ())):
        row = typed.get(f"header-{place}", "0").strip()
        if not (row.isascii() and row.isdigit() and len(row) <= len(str(MAX_ROW)) and int(row) <= MAX_ROW):
            raise InvalidInput(f"Header row of “{table['table']}”: enter a number from 0 to {MAX_ROW:,}. 0 means that there is none.")
        for number, column in enumerate(table["columns"]):
            if column["field"] and not typed.get(f"name-{place}-{number}", column["field"]).strip():
                raise InvalidInput(f"Enter a field name for the column “{column['name'][:60]}”, or choose “Leave out” as its type.")


def _forget(labels: list[str], columns: list[ColumnForm], types: dict[str, str], names: dict[str, str], skip: set[str]) -> None:
    for one in (*labels, *(column.label for column in columns)):
        types.pop(one, None)
        names.pop(one, None)
        skip.discard(one)


def _column(label: str, form: ColumnForm, guessed: Mapping[str, Any], types: dict[str, str], names: dict[str, str],
            skip: set[str]) -> None:
    if form.type == LEFT_OUT:
        skip.add(label)
        return
    skip.discard(label)
    if form.type and form.type != guessed["type"]:
        types[label] = form.type
    if form.name.strip() and guessed["field"] and form.name.strip() != guessed["field"]:
        names[label] = form.name.strip()


def _row(text: str, otherwise: int) -> int:
    row = text.strip()
    return int(row) if row.isascii() and row.isdigit() and len(row) <= len(str(MAX_ROW)) else otherwise
