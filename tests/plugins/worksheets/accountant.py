"""An accountant of restores: every reference and value of a backup is there afterwards, or the report has it; and nothing else is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.api import App, Document, InvalidValue, Reference, apps, documents, files_missing, find_app, org_exists
from core.backups.catalog import find_backup
from core.backups.reader import BackupReader
from plugins.worksheets import service
from plugins.worksheets.fields import Field, fields_of, shaped
from plugins.worksheets.records import Row, read_lines
from plugins.worksheets.sections import read_shapes
from plugins.worksheets.service import loads

Entry = tuple[str, int, str, str]
"""A reference: worksheet, record, field, target as the report writes it."""
MAX_WRONG = 20
ASIDE, RESTORED, SKIPPED, GONE_BEFORE = "in a field in the bin", "restored", "in a skipped worksheet", "gone at the backup already"


@dataclass
class Account:
    """What became of all references of a backup, by outcome or by the reason that the report gives; and what is wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    by_entry: dict[Entry, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many references the backup has."""
        return self.outcomes.total()


def account(app_id: str, backup_id: str, said: Mapping[str, Any], only: Sequence[str] = ()) -> Account:
    """Return the account of a restore of data, or of *only* some worksheets; *said* is its report on worksheets."""
    return _Books(apps.find(app_id), BackupReader(find_backup(backup_id)), said, only).checked()


class _Books:
    """A backup, the app after the restore, and the report."""

    def __init__(self, app: App, saved: BackupReader, said: Mapping[str, Any], only: Sequence[str]) -> None:
        self.app, self.saved, self.said, self.only = app, saved, said, only
        self.sheets = {one.key: one for one in documents.live(app, "worksheet")}
        self.store = service.store_of(app)
        self.result = Account()
        self.numbers: dict[str, set[int]] = {}
        self.not_there: Counter[tuple[str, str]] = Counter()

    @cached_property
    def listed(self) -> dict[Entry, str]:
        """The reason of each reference that the report lists."""
        found: dict[Entry, str] = {}
        for one in (*self.said.get("references_not_restored", ()), *self.said.get("choices_not_there", ())):
            entry = one["worksheet"], one["record"], one["field"], one["target"]
            if entry in found or not one["reason"]:
                self.result.wrong.append(f"{entry} is listed twice, or without a reason")
            found[entry] = one["reason"]
        return found

    @property
    def is_cut(self) -> bool:
        """Whether the lists of the report do not have all that it counts."""
        return len(self.listed) < sum(self.said.get(f"{name}_count", 0) for name in ("references_not_restored", "choices_not_there"))

    def checked(self) -> Account:
        """Compare all, and return the account."""
        seen: Counter[Entry] = Counter()
        for entry, outcome in self._entries():
            self.result.outcomes[outcome] += 1
            self.result.by_entry[entry] = outcome
            seen[entry] += outcome not in (RESTORED, ASIDE, SKIPPED, GONE_BEFORE)
        count = sum(self.said.get(f"{name}_count", 0) for name in ("references_not_restored", "choices_not_there"))
        if not self.is_cut:
            self.result.wrong += [f"{entry} is listed although it was restored, or never was: {reason}"
                                  for entry, reason in self.listed.items() if entry not in seen]
        elif count != seen.total():
            self.result.wrong.append(f"{count} are counted, {seen.total()} are not restored")
        self._check_values()
        self._check_skipped()
        del self.result.wrong[MAX_WRONG:]
        return self.result

    @cached_property
    def shapes(self) -> dict[str, dict[str, Field]]:
        """The fields that the backup knows, by worksheet."""
        lines = [line for line in self.saved.data_lines("worksheets") if line.section == "fields"]
        written = read_shapes(loads(text) for line in lines for text in self.saved.read(line.content).decode().split("\n") if text)
        return {worksheet: {key: shaped(key, shape) for key, shape in shapes.items()} for worksheet, shapes in written.items()}

    def _records(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        for line in self.saved.data_lines("worksheets"):
            worksheet = line.section.removeprefix("records/")
            if worksheet != line.section and (not self.only or f"worksheet/{worksheet}" in self.only):
                for one in read_lines(self.saved.read(line.content)):
                    yield worksheet, one.seq, loads(bytes(one.vals).decode())

    def _entries(self) -> Iterator[tuple[Entry, str]]:
        """Yield every reference of the backup with what became of it."""
        for worksheet, seq, vals in self._records():
            row = self._rows(worksheet).get(seq) if worksheet in self.sheets else None
            if worksheet in self.sheets and (row is None or row.deleted_at is not None):
                self.result.wrong.append(f"record {seq} of {worksheet} is not there")
            for key, value in vals.items():
                old = self.shapes[worksheet][key]
                for reference in dict.fromkeys(old.references(value)):
                    entry = worksheet, seq, key, _target(reference)
                    yield entry, self._outcome(entry, old, reference, row)
                if not old.type.points and worksheet in self.sheets and row is not None:
                    self._look_at_value(worksheet, key, value, row)

    def _outcome(self, entry: Entry, old: Field, reference: Reference, row: Row | None) -> str:
        worksheet, _, key, _ = entry
        if worksheet not in self.sheets:
            return SKIPPED
        assert row is not None
        reason = self.listed.get(entry)
        now = self._fields(worksheet).get(key)
        if now is None:
            return self._in_bin(entry, old, reference, row, reason)
        value = loads(row.vals).get(key)
        there = value is not None and reference in set(now.references(value))
        exists = self._exists(now, reference)
        if there and exists:
            if reason is not None and not reason.startswith("the field "):
                self.result.wrong.append(f"{entry} is restored and listed: {reason}")
            return RESTORED if reason is None else reason
        if reason is None and there and reference.kind == "choice" and not self._was_choice(worksheet, key, reference):
            return GONE_BEFORE
        return self._due(entry, reason)

    def _in_bin(self, entry: Entry, old: Field, reference: Reference, row: Row, reason: str | None) -> str:
        """Return what became of a reference of a field that stores nothing now: it waits in the recycle bin, or it is listed."""
        hidden = loads(row.hidden or "{}").get(entry[2])
        waits = (f"worksheet/{entry[0]}/field/{entry[2]}" in self._bin and hidden is not None and reference in set(old.references(hidden)))
        return ASIDE if waits and (reference.kind == "choice" or self._exists(old, reference)) else self._due(entry, reason)

    def _due(self, entry: Entry, reason: str | None) -> str:
        if reason is None and not self.is_cut:
            self.result.wrong.append(f"{entry} is neither restored nor listed")
        return reason or "listed beyond the length of the list"

    def _look_at_value(self, worksheet: str, key: str, value: Any, row: Row) -> None:
        """Count a value that is not the backup's, not even in another form."""
        now = self._fields(worksheet).get(key)
        if now is None:
            waits = f"worksheet/{worksheet}/field/{key}" in self._bin and loads(row.hidden or "{}").get(key) == value
            self.not_there[worksheet, key] += not waits
            return
        found = loads(row.vals).get(key)
        self.not_there[worksheet, key] += found != value and (found is None or found != _fit(now, value))

    def _check_values(self) -> None:
        told: Counter[tuple[str, str]] = Counter()
        for one in self.said.get("fields_left", ()):
            told[one["worksheet"], one["field"]] += one["records"]
        for place, count in self.not_there.items():
            if count > told[place]:
                self.result.wrong.append(f"{place}: {count} values are not the backup's, the report says {told[place]}")

    def _check_skipped(self) -> None:
        held = Counter(worksheet for worksheet, _, _ in self._records() if worksheet not in self.sheets)
        told = {one["worksheet"]: one["records"] for one in self.said.get("skipped", ())}
        for worksheet, count in held.items():
            if told.get(worksheet) != count:
                self.result.wrong.append(f"{count} records of {worksheet} are skipped, the report says {told.get(worksheet)}")

    @cached_property
    def _bin(self) -> set[str]:
        return {address for address, _ in documents.bin_of(self.app)}

    @cached_property
    def _known(self) -> dict[str, Any]:
        return {}

    def _rows(self, worksheet: str) -> dict[int, Row]:
        if ("rows", worksheet) not in self._known:
            self._known["rows", worksheet] = {row.seq: row for row in self.store.rows(worksheet, 1, 10**9)}
        found: dict[int, Row] = self._known["rows", worksheet]
        return found

    def _fields(self, worksheet: str) -> dict[str, Field]:
        if ("fields", worksheet) not in self._known:
            self._known["fields", worksheet] = fields_of(self.sheets[worksheet].body)
        found: dict[str, Field] = self._known["fields", worksheet]
        return found

    def _exists(self, one: Field, reference: Reference) -> bool:
        if reference.kind == "record":
            address, seq = reference.target
            return seq in self._seqs(address)
        if reference.kind == "choice":
            return reference.target in _choices(one, {d.address: d for d in self._live})
        if reference.kind == "file":
            return not files_missing([reference.target])
        return org_exists(self.app.organization_id, reference.target)

    @cached_property
    def _live(self) -> list[Document]:
        return list(documents.live(self.app))

    def _seqs(self, address: str) -> set[int]:
        if address not in self.numbers:
            app = find_app(address.split("/")[1]) if address.startswith("app/") else self.app
            self.numbers[address] = set() if app is None else {
                row.seq for row in service.store_of(app).rows(address.rpartition("/")[2], 1, 10**9)}
        return self.numbers[address]

    def _was_choice(self, worksheet: str, key: str, reference: Reference) -> bool:
        """Say whether the field had the choice when the backup was made."""
        fields = fields_of(self.saved.documents[f"worksheet/{worksheet}"].body)
        return reference.target in _choices(fields[key], self.saved.documents)


def _choices(one: Field, by_address: Mapping[str, Document]) -> set[str]:
    options = one.definition.get("options", {})
    if "option_set" in options:
        document = by_address.get(options["option_set"]["ref"])
        return set() if document is None else {choice["key"] for choice in document.body["choices"]}
    return {choice["key"] for choice in options.get("choices", ())}


def _target(reference: Reference) -> str:
    if reference.kind == "record":
        return f"{reference.target[0]}/record/{reference.target[1]}"
    return f"{reference.kind}/{reference.target}" if reference.kind in ("file", "choice") else str(reference.target)


def _fit(one: Field, value: Any) -> Any:
    try:
        return one.canonical(value)
    except InvalidValue:
        return None
