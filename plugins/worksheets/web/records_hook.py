"""Records for other plugins' pages: what they ask of worksheets, given and taken as far as the person may."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import has_request_context
from werkzeug.datastructures import MultiDict

from core.api import (
    EVERYTHING,
    MOST_RECORDS,
    SYSTEM,
    App,
    FieldGiven,
    FileGiven,
    Forbidden,
    InvalidInput,
    NotFound,
    RecordGiven,
    RecordsAsked,
    RecordsGiven,
    RestoreContext,
    Standing,
    Stored,
    author,
    documents,
    standing,
)
from plugins.worksheets.access import SheetAccess, delete_record, found_row
from plugins.worksheets.content import content_store
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.query import LOOK_ROWS, Query, count, distinct, listed_choices, page
from plugins.worksheets.records import Row, open_store
from plugins.worksheets.restore import coming_numbers
from plugins.worksheets.service import dumps, loads
from plugins.worksheets.web.cells import align_of, show
from plugins.worksheets.web.cells.choices import hue_of
from plugins.worksheets.web.editors import digest
from plugins.worksheets.web.filter_match import fits
from plugins.worksheets.web.grid_query import view_columns
from plugins.worksheets.web.lines import Line, lines_of, title_of
from plugins.worksheets.web.record_form import Refused, enter, save
from plugins.worksheets.web.related_names import LINKING, RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key

BATCH = 1000
READ_AS_CELLS = ("number", "currency", "percent", "rating", "date", "datetime", "time", "created_time", "modified_time")
COMPUTED = ("formula", "lookup", "rollup", "count")
"""Types whose values people read as cells show them, the computed ones where they give numbers, days or moments."""
_MEASURED = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+Z-]+)?\Z")
SEVERAL = ("multiple_select", "relationship", "free_link", "member", "department", "org_role")
UNTICKED = ("", "0", "false", "no", "off")
SELECTS = ("single_select", "multiple_select")
SHOWN = ("free_link", "region", "location", "duration")
"""Types whose values are read as their cells show them; the others as plain texts that a page puts into its own."""


def records_there(app: App, worksheet: str, seqs: Sequence[int], restoring: RestoreContext | None) -> Collection[int]:
    """Give those of the records that are there or, once a backup is back, will be."""
    store = content_store(app.id) if restoring is None else open_store(restoring.connection, app.id)
    found = {row.seq for row in store.rows_of(worksheet, seqs)}
    if restoring is not None and (missing := set(seqs) - found):
        found |= {seq for seq in missing if seq in coming_numbers(restoring, worksheet)}
    return found


def records_for(app: App, person: str, asked: RecordsAsked) -> RecordsGiven | None:
    """Give records of a worksheet; None where it, or the view of it, is not there for the person."""
    sheet = _sheet(app, person, asked.worksheet)
    if sheet is None or not sheet.access.scope("read"):
        return None
    try:
        view = sheet.view(asked.view.rpartition("/")[2]) if asked.view else None
    except NotFound:
        return None
    limit = max(min(asked.limit, MOST_RECORDS), 1)
    ask = _ask(sheet, asked, view)
    if asked.distinct and asked.fields is not None and asked.seqs is None and (alike := _alike(sheet, ask, asked)) is not None:
        return alike
    rows = list(_numbered(sheet, asked.seqs)) if asked.seqs is not None else _asked_rows(sheet, ask, asked.offset + limit + 1)
    chosen, more = rows[asked.offset:asked.offset + limit], len(rows) > asked.offset + limit
    total, exact = _counted(sheet, ask, len(rows), asked.offset + limit) if asked.counted else (None, True)
    order = dict.fromkeys([*view_columns(sheet, view), *sheet.fields])
    fields = [sheet.fields[key] for key in order if asked.fields is None or key in asked.fields]
    hidden = sheet.fields.keys() - set(view_columns(sheet, view))
    return RecordsGiven(name=sheet.name, records=_given(sheet, chosen, fields), more=more, total=total, exact=exact,
                        fields=[_field_given(sheet, one, one.key in hidden) for one in fields])


def _alike(sheet: SheetContext, ask: Query, asked: RecordsAsked) -> RecordsGiven | None:
    """Give records that are alike once, with how many they are; None where the database cannot tell."""
    fields = [sheet.fields[key] for key in asked.fields or () if key in sheet.fields]
    found = distinct(sheet.app, ask, [one.key for one in fields], most=MOST_RECORDS)
    if found is None:
        return None
    groups, seen, whole = found
    rows = [Row(n, dumps(values), None, 0, SYSTEM, 0, SYSTEM, None) for n, (values, _) in enumerate(groups, 1)]
    given = [replace(one, seq=0, url=None, title="", count=number)
             for one, (_, number) in zip(_given(sheet, rows, fields), groups, strict=True)]
    return RecordsGiven(name=sheet.name, records=given, more=not whole, total=seen, exact=whole,
                        fields=[_field_given(sheet, one, False) for one in fields])


def _field_given(sheet: SheetContext, one: Field, hidden: bool) -> FieldGiven:
    options, kind = one.definition.get("options", {}), one.type.name
    after = {"currency": options.get("currency", ""), "percent": "%"}.get(kind, options.get("unit", ""))
    return FieldGiven(key=one.key, name=one.name, type=kind, hidden=hidden, writable=sheet.editable(one),
                      numeric=align_of(one) == "number", before=options.get("unit_before", ""), after=f" {after}" if after else "",
                      decimals=options.get("decimals", 0) if kind == "currency" else 0,
                      choices=[(one["name"], hue_of(one.get("colour", ""))) for one in listed_choices(sheet.app, one.definition)]
                      if kind in SELECTS else ())


def _counted(sheet: SheetContext, ask: Query, read: int, wanted: int) -> tuple[int, bool]:
    """Return how many records there are; those that were read are no more to count where they are all."""
    total, exact = count(sheet.app, ask, look=LOOK_ROWS) if read > wanted else (read, True)
    return max(total, read), exact and total >= read


def write_record(app: App, person: str, worksheet: str, seq: int | None, values: Mapping[str, Any]) -> int | None:
    """Make a record or change one; None where there is no such worksheet for the person.

    Values are read as people type them, unless they are `Stored`.

    Raises:
        InvalidInput: a value does not fit its field; the message names it.
        Forbidden, NotFound: see `access.save_record`.
    """
    sheet = _sheet(app, person, worksheet)
    if sheet is None:
        return None
    if seq is None and not sheet.access.may_create:
        raise Forbidden("You cannot create records in this worksheet.")
    held = None if seq is None else found_row(app, sheet.access, seq, "update")
    old = None if held is None else loads(held.vals)
    fields = [sheet.everything[key] for key in values if key in sheet.everything]
    if gone := next((key for key in values if key not in sheet.everything), None):
        raise InvalidInput(f"The worksheet “{sheet.name}” has no field {gone[:40]} any more.")
    for one in fields:
        if not sheet.editable(one):
            raise Forbidden(f"“{one.name if one.key in sheet.fields else one.key}” cannot be filled in by you.")
    typed = [one for one in fields if not isinstance(values[one.key], Stored)]
    form = MultiDict([pair for one in typed for pair in _pairs(sheet, one, str(values[one.key]), (old or {}).get(one.key))])
    try:
        entered = enter(sheet, typed, form, old)
        entered.changes.update({one.key: one.canonical(values[one.key].value) for one in fields if one not in typed})
        return save(sheet, seq, entered, held)
    except Refused as refused:
        trouble = refused.typed.trouble
        told = [f"{sheet.fields[key].name}: {text}" if key in sheet.fields else text for key, text in trouble.errors.items()]
        raise InvalidInput(" ".join([*([trouble.general] if trouble.general else []), *told])) from refused


def remove_record(app: App, person: str, worksheet: str, seq: int) -> bool | None:
    """Move a record to the recycle bin; None where there is no such worksheet for the person.

    Raises:
        NotFound, Forbidden: see `access.read_record`.
    """
    sheet = _sheet(app, person, worksheet)
    if sheet is None:
        return None
    delete_record(app, sheet.access, seq, sheet.person)
    return True


def record_reads(app: App, person: str, worksheet: str, seq: int, values: Mapping[str, Any]) -> RecordsGiven | None:
    """Give what a record reads as that holds these stored values; see the hook."""
    sheet = _sheet(app, person, worksheet)
    if sheet is None or not sheet.access.scope("read"):
        return None
    fields = list(sheet.fields.values())
    return RecordsGiven(name=sheet.name, records=_given(sheet, [_imagined(app, sheet.key, seq, values)], fields),
                        fields=[_field_given(sheet, one, False) for one in fields])


def record_fits(app: App, worksheet: str, seq: int, values: Mapping[str, Any], filter: Mapping[str, Any]) -> bool | None:
    """Say whether a record that holds these stored values fits a filter; all of the app counts, whoever asks."""
    try:
        document = documents.get(app, f"worksheet/{worksheet}")
    except NotFound:
        return None
    access = SheetAccess(app, Standing(person=SYSTEM, role=None, admin=True, sees=True), document, EVERYTHING)
    return fits(SheetContext(app, document, access, SYSTEM, True), filter, _imagined(app, worksheet, seq, values))


def _imagined(app: App, worksheet: str, seq: int, values: Mapping[str, Any]) -> Row:
    """Return a row of these values: who made it, and when, as the record of that number says, where there is one."""
    found = content_store(app.id).row(worksheet, seq)
    return (found or Row(seq, "", None, 0, SYSTEM, 0, SYSTEM, None))._replace(vals=dumps(values), hidden=None, deleted_at=None)


def _sheet(app: App, person: str, address: str) -> SheetContext | None:
    here = standing(app, person)
    try:
        access = SheetAccess.of(app, here, address.rpartition("/")[2])
    except NotFound:
        return None
    return SheetContext(app, access.document, access, author(person), here.admin)


def _numbered(sheet: SheetContext, seqs: Sequence[int]) -> Iterator[Row]:
    for seq in seqs[:BATCH]:
        try:
            yield found_row(sheet.app, sheet.access, seq, "read")
        except NotFound:
            continue


def _ask(sheet: SheetContext, asked: RecordsAsked, view: Mapping[str, Any] | None) -> Query:
    filters = [one for one in ((view or {}).get("filter"), asked.filter) if one]
    sorts = [(str(part_key(one["field"])), bool(one.get("descending"))) for one in asked.sorts or (view or {}).get("sorts", ())]
    return sheet.access.ask(filter={"all": filters} if filters else None, sorts=sorts, search=asked.search)


def _asked_rows(sheet: SheetContext, ask: Query, most: int) -> list[Row]:
    rows: list[Row] = []
    cursor = None
    while len(rows) < min(most, 2 * MOST_RECORDS):
        found = page(sheet.app, ask, cursor=cursor, limit=min(most - len(rows), BATCH))
        rows += found.rows
        cursor = found.next
        if cursor is None or (found.partial and has_request_context()):  # a worker looks on: nobody waits for a page
            break
    return rows


def _given(sheet: SheetContext, rows: Sequence[Row], fields: Sequence[Field]) -> list[RecordGiven]:
    around = RelatedNames(sheet)
    title = sheet.fields.get(sheet.title_key or "")
    wanted = [*fields, *([title] if title is not None and title not in fields else [])]
    lines = lines_of(around, rows, wanted)
    return [RecordGiven(seq=line.seq, values=line.values, title=title_of(around, line), url=sheet.url("record", seq=line.seq) or None,
                        texts={one.key: text for one in fields if (text := _text(around, line, one))},
                        shown={one.key: str(line.show(one, True).striptags()) for one in fields if _measured(line, one)},
                        files={one.key: _files(sheet, line, one) for one in fields if one.type.holds_files and one.key in line.values})
            for line in lines]


def _text(around: RelatedNames, line: Line, one: Field) -> str:
    value, kind = line.values.get(one.key), one.type.name
    if value is None:
        return ""
    items = value if isinstance(value, list) else [value]
    if kind in LINKING:
        return ", ".join(line.around.linked(target_address(one.definition), seq).title for seq in items)
    if kind in SELECTS:
        names = {choice.value: choice.name for choice in around.choices(one.definition)}
        return ", ".join(names.get(key, str(key)) for key in items)
    if one.type.holds_files:
        return ", ".join(str(item["name"]) for item in items)
    return str(show(value, one, line.around, True).striptags()) if kind in SHOWN else around.text(one.definition, value)


def _measured(line: Line, one: Field) -> bool:
    value, kind = line.values.get(one.key), one.type.name
    if value is None or kind not in COMPUTED:
        return value is not None and kind in READ_AS_CELLS
    return all(type(item) is int or (isinstance(item, str) and _MEASURED.match(item) is not None)
               for item in (value if isinstance(value, list) else [value]))


def _files(sheet: SheetContext, line: Line, one: Field) -> list[FileGiven]:
    value = line.values[one.key]
    items = value if isinstance(value, list) else [value]
    return [FileGiven(name=item["name"], type=item["type"], size=item["size"],
                      url=sheet.url("file", seq=line.seq, field=one.key, content=item["file"]))
            for item in items if isinstance(item, Mapping) and "file" in item]


def _pairs(sheet: SheetContext, one: Field, text: str, old: Any) -> Iterator[tuple[str, str]]:
    """Yield what a worksheet's own form would send for a text: its mark, then the values."""
    yield f"was-{one.key}", digest(old)
    text = text.strip() if one.type.name != "long_text" else text
    if one.type.name == "checkbox":
        yield from [] if text.casefold() in UNTICKED else [(one.key, "1")]
        return
    for part in [part.strip() for part in text.split(",")] if one.type.name in SEVERAL else [text]:
        if part:
            yield one.key, _chosen(sheet, one, part)


def _chosen(sheet: SheetContext, one: Field, text: str) -> str:
    """Return the key of a choice that is named by its name; anything else as it is."""
    if one.type.name not in SELECTS:
        return text
    choices = listed_choices(sheet.app, one.definition)
    if any(choice["key"] == text for choice in choices):
        return text
    return next((str(choice["key"]) for choice in choices if choice["name"].casefold() == text.casefold()), text)
