"""The history of a record: what happened to it, as far as the visitor may read it, and a version brought back with one click."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flask import Response, flash, redirect, render_template, request
from markupsafe import Markup, escape

from core.api import SYSTEM, AppkeepError, Conflict, InvalidValue, Needs, NotFound, documents, placing, transaction
from plugins.worksheets import history_log as log
from plugins.worksheets.access import found_row
from plugins.worksheets.fields import Field, field_of
from plugins.worksheets.history_versions import Entry, History, State, Version, newest
from plugins.worksheets.records import Row
from plugins.worksheets.service import dumps, store_of
from plugins.worksheets.targets import Targets
from plugins.worksheets.web.blueprint import RECORD, pages
from plugins.worksheets.web.export import plain
from plugins.worksheets.web.lines import Line as RecordLine
from plugins.worksheets.web.lines import lines_of, title_of
from plugins.worksheets.web.record_form import check_reach, write
from plugins.worksheets.web.record_lookup import find
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

HISTORY = f"{RECORD}/history"
PAGE = 25
MOST_CHARS = 500
AS_TEXT = ("text", "long_text", "rich_text", "file", "signature")
"""Types whose values are shown as text, however their cells look."""
NOT_BROUGHT_BACK = ("subform",)
"""Rows of a subform are records with a history of their own."""
SENTENCES = {
    log.CREATED: "Created", log.CHANGED: "Changed", log.DELETED: "Moved to the recycle bin",
    log.BROUGHT_BACK: "Restored from the recycle bin", log.PURGED: "Deleted permanently",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A field as an entry changed it, each side as people see it; None for empty."""

    name: str
    before: Markup | None
    after: Markup | None


@dataclass
class Line:
    """An entry as the page shows it. `why` says why its version cannot be brought back, where that is so and not plain."""

    entry: Entry
    who: str
    what: str
    changes: list[Change] = field(default_factory=list)
    back: bool = False
    why: str = ""

    @property
    def of_at(self) -> int | None:
        """When the version was made that was brought back; None for what is no such act."""
        return self.entry.source.get("at") if self.entry.how == log.VERSION else None


@dataclass
class Shown:
    """A page of a record's history: `older` is the entry after which the next page begins, `cut` why there is no more."""

    lines: list[Line]
    older: int | None
    cut: str


@pages.page(HISTORY, Needs.APP)
def history(organization_id: str, app_id: str, key: str, seq: int) -> str:
    """Show what happened to a record, newest first; of one in the recycle bin to whoever sees the bin."""
    sheet = open_sheet(key)
    row = _row(sheet, seq)
    around = RelatedNames(sheet)
    before = request.args.get("before", "")
    shown = _page(sheet, around, row, int(before) if before.isdecimal() and len(before) < 19 else None)
    title = [sheet.fields[sheet.title_key]] if sheet.title_key is not None else []
    return render_template("worksheets/history.html", sheet=sheet, row=row, title=title_of(around, lines_of(around, [row], title)[0]),
                           shown=shown, first=not before, undo=_undo(sheet, shown))


def _row(sheet: SheetContext, seq: int) -> Row:
    """Return a record, live or in the recycle bin.

    Raises:
        NotFound: there is none that the visitor may see.
    """
    try:
        return find(sheet, seq, "read")
    except NotFound:
        if not sheet.access.scope("delete"):
            raise
        return found_row(sheet.app, sheet.access, seq, "delete", deleted=True)


def _page(sheet: SheetContext, around: RelatedNames, row: Row, before: int | None) -> Shown:
    known = History(sheet.access, row)
    seen = _seen(sheet, known)
    fresh = (one for one in seen if before is None or one[0].entry.id < before)
    found = list(islice(fresh, PAGE + 1))
    lines = [_line(sheet, around, row, version, changes) for version, changes in found[:PAGE]]
    _fill(sheet, around, row, [(line, version, changes) for line, (version, changes) in zip(lines, found, strict=False)])
    if lines and before is None and lines[0].entry.id == newest(sheet.app, sheet.key, row.seq):
        lines[0].back, lines[0].why = False, ""
    return Shown(lines, found[PAGE - 1][0].entry.id if len(found) > PAGE else None, known.cut if len(found) <= PAGE else "")


def _seen(sheet: SheetContext, known: History) -> Iterator[tuple[Version, dict[str, Field]]]:
    """Yield the versions that the visitor sees something of, with the fields that they may know of."""
    deleted = _deleted_fields(sheet) if sheet.admin else {}
    for version in known.versions():
        entry = version.entry
        there = entry.changes or {}
        fields = {**{key: one for key, one in sheet.fields.items() if key in there},
                  **{key: one for key, one in deleted.items() if key in there}}
        if fields or entry.act != log.CHANGED or entry.changes is None or (not there and entry.how in (log.RESTORE, log.UNDO)):
            yield version, fields


def _deleted_fields(sheet: SheetContext) -> dict[str, Field]:
    """Return the fields in the recycle bin, for those who manage the app."""
    return {key: field_of(body) for key, body in placing.in_bin(sheet.app, sheet.document, "field").items()}


def _line(sheet: SheetContext, around: RelatedNames, row: Row, version: Version, fields: Mapping[str, Field]) -> Line:
    entry = version.entry
    line = Line(entry, who_did(around, entry), what_was_done(entry))
    if row.deleted_at is None and entry.act not in (log.DELETED, log.PURGED) and sheet.access.may("update", row):
        line.why = _why_not(sheet, version.after)
        line.back = not line.why and bool(_own(sheet))
    return line


def who_did(around: RelatedNames, entry: Entry) -> str:
    """Return who did something: a person, or a workflow for one."""
    person = around.org_name(f"user/{entry.by}") if entry.by != SYSTEM else ""
    if entry.how == log.WORKFLOW:
        name = f"Workflow “{entry.source.get('name', '')}”"
        return f"{name}, for {person}" if person else name
    if entry.how == log.FORM:
        return "Public form"
    return person or "Appkeep"


def what_was_done(entry: Entry) -> str:
    """Return what happened in words."""
    name = f"“{entry.source.get('name', '')}”"
    deleted = entry.act == log.DELETED
    return {
        log.IMPORT: "Imported",
        log.RESTORE: f"Moved to the recycle bin by the restore of {name}" if deleted else f"Restored from {name}",
        log.UNDO: f"Moved to the recycle bin: the restore of {name} was undone" if deleted else f"The restore of {name} was undone",
        log.FORM: "Created with a public form",
        log.VERSION: "Undid bringing back the version of" if entry.source.get("undo") else "Brought back the version of",
        log.RETYPED: "The type of a field was changed",
        log.UNLINKED: "A linked record was deleted permanently",
    }.get(entry.how, SENTENCES.get(entry.act, "Changed"))


def _own(sheet: SheetContext) -> list[Field]:
    """Return the fields that the visitor can bring back."""
    return [one for one in sheet.fields.values() if sheet.editable(one) and one.type.name not in NOT_BROUGHT_BACK]


def _why_not(sheet: SheetContext, state: State) -> str:
    """Say why a version cannot be brought back; "" where it can."""
    if state.barrier is not None:
        return (f"Cannot be brought back: “{what_was_done(state.barrier)}” changed many records at once, "
                "and what they held before was not kept.")
    lost = [one.name for one in _own(sheet) if one.key in state.lost]
    return f"Cannot be brought back whole: “{lost[0]}” was too long to keep." if lost else ""


def _fill(sheet: SheetContext, around: RelatedNames, row: Row, found: Iterable[tuple[Line, Version, dict[str, Field]]]) -> None:
    """Add what the fields of entries were and became; what they are called and point to is read for all at once."""
    told = list(found)
    wanted = {key: one for _, _, fields in told for key, one in fields.items()}
    sides = [{key: version.entry.sides(key)[side] for key in fields} for _, version, fields in told for side in (0, 1)]
    rows = [row._replace(vals=dumps({key: value for key, value in values.items() if _fits(wanted[key], value)}), hidden=None)
            for values in sides]
    lines = lines_of(around, rows, wanted.values())
    for n, (line, version, fields) in enumerate(told):
        for key, one in fields.items():
            before, after, cut = version.entry.sides(key)
            texts = [TOO_LONG if mark in cut else _shown(lines[2 * n + side], one, value)
                     for side, mark, value in ((0, log.BEFORE, before), (1, log.AFTER, after))]
            line.changes.append(Change(one.name, texts[0], texts[1]))


TOO_LONG = Markup('<span class="soft">too long to keep</span>')


def _fits(one: Field, value: Any) -> bool:
    """Say whether a value is one of the field as it is today."""
    try:
        return value is not None and bool(one.canonical(value) == value)
    except InvalidValue:
        return False


def _shown(line: RecordLine, one: Field, value: Any) -> Markup | None:
    """Return a value as people see it, None for an empty one."""
    if value is None:
        return None
    if one.key not in line.values:  # of another type than the field is of now
        return escape(_short(str(value))) if isinstance(value, str | int) else Markup("a value of another type")
    if one.type.name in AS_TEXT:
        return escape(_short(plain(line, one)))
    return line.show(one) or escape(_short(plain(line, one)))


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _undo(sheet: SheetContext, shown: Shown) -> Line | None:
    """Return the entry that can be undone: the visitor has just brought a version back, and nobody did anything since."""
    first = shown.lines[0] if shown.lines else None
    just = first is not None and request.args.get("brought", "") == str(first.entry.id)
    return first if just and first is not None and first.entry.how == log.VERSION and first.entry.by == sheet.person else None


@pages.page(f"{HISTORY}/<int:entry>/bring-back", Needs.APP, ("POST",))
def bring_back_version(organization_id: str, app_id: str, key: str, seq: int, entry: int) -> Response:
    """Give a record the values that it had after an entry; with `undo`, those before it, if nothing has happened since."""
    sheet, undo = open_sheet(key), "undo" in request.form
    try:
        with transaction():
            row = find(sheet, seq, "update")
            if undo and newest(sheet.app, key, seq) != entry:
                raise Conflict("Somebody changed this record since. Nothing was undone.")
            version = History(sheet.access, row).find(entry)
            left = _bring_back(sheet, row, version, undo=undo)
            made = newest(sheet.app, key, seq)
    except (InvalidValue, Conflict) as refused:
        flash(_sentence(refused), "bad")
        return redirect(sheet.url("history", seq=seq))  # type: ignore[return-value]
    for sentence in left:
        flash(sentence, "warn")
    return redirect(sheet.url("history", seq=seq, brought=made))  # type: ignore[return-value]


def _sentence(refused: AppkeepError) -> str:
    text = refused.message.partition(": ")[2] or refused.message
    return f"Not brought back: {text}" if isinstance(refused, InvalidValue) else text


def _bring_back(sheet: SheetContext, row: Row, version: Version, *, undo: bool) -> list[str]:
    """Write what a record was, and return sentences on what stays as it is now.

    Raises:
        Conflict: the version is not known whole, or the record is as it was then.
        InvalidValue: the worksheet refuses a value; see `record_form.write`.
    """
    state = version.before if undo else version.after
    why = _why_not(sheet, state)
    if why:
        raise Conflict(why)
    changes, left = _wanted(sheet, row, state)
    if not changes:
        raise Conflict(" ".join([*left, "Nothing else differs."]) if left else "The record is already as it was then.")
    at = version.entry.source.get("at", version.entry.at) if undo else version.entry.at
    with log.by_means(log.VERSION, {"at": at, "undo": undo}):
        write(sheet, row.seq, changes, row)
    return left


def _wanted(sheet: SheetContext, row: Row, state: State) -> tuple[dict[str, Any], list[str]]:
    """Return what a version changes, and of which fields it cannot, as sentences."""
    now = log.values_of(row, sheet.everything.keys())
    around = RelatedNames(sheet)
    targets = Targets(store_of(sheet.app), sheet.app, lambda address: _live(sheet, address))
    changes, left = dict[str, Any](), list[str]()
    for one in _own(sheet):
        value = state.values.get(one.key)
        if value == now.get(one.key):
            continue
        why = "" if value is None else _unfit(around, targets, one, value, now.get(one.key))
        if why:
            left.append(f"“{one.name}” stays as it is: {why}.")
        else:
            changes[one.key] = value
    return changes, left


def _live(sheet: SheetContext, address: str) -> Any:
    try:
        return documents.get(sheet.app, address)
    except NotFound:
        return None


def _unfit(around: RelatedNames, targets: Targets, one: Field, value: Any, now: Any) -> str:
    """Say why a field cannot have a value that it had; "" where it can."""
    if not _fits(one, value):
        return "its type has changed since"
    if any(reference.kind != "record" and not targets.exist(one, reference) for reference in one.references(value)):
        return "what it pointed to was deleted"
    try:
        check_reach(around, one, value, now)
    except InvalidValue:
        return "what it pointed to was deleted, or you do not have access to it"
    return ""
