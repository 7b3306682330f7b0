"""Every pair of field types through a restore: what docs/restoring-fields.md says of each is what restores of real records do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, FieldType, InvalidValue, direct, documents, new_key, transaction
from core.backups.catalog import find_backup
from plugins.worksheets import service
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes import FIELD_TYPES
from plugins.worksheets.service import loads
from plugins.worksheets.type_pairs import ALL, LONG, NONE, SAME, SOME, Surroundings, holding
from tests.plugins.worksheets import referring
from tests.plugins.worksheets.referring import C

PAGE = Path(__file__).resolve().parents[3] / "docs/restoring-fields.md"
ROW = re.compile(r"^ *\d+ (\w+) +((?:[=cf.] *)+)$", re.M)
TEXTS = ("text", "long_text", "rich_text", "imported", "number")
"""Types beside which a field holds a text that is too long for one of them."""


def documented() -> dict[str, list[str]]:
    """Return the letters of each type in the page."""
    return {name: letters.split() for name, letters in ROW.findall(PAGE.read_text())}


class Pairs:
    """An app with a worksheet for each type, in it a field for each type that it becomes, and a record for each value."""

    def __init__(self, kinds: Sequence[FieldType]) -> None:
        self.made = referring.make()
        self.about = Surroundings(
            worksheet=f"worksheet/{C}", field=f"worksheet/{C}/field/{referring.key('self')}", department=self.made.department,
            org_role=self.made.org_role, files=(referring.letter("a.txt"), referring.letter("b.txt", b"another")))
        self.fields = {(old.name, now.name): self.about.field_of(old, new_key("f")) for old in kinds for now in FIELD_TYPES}
        self.sheets = {old.name: new_key("w") for old in kinds}
        self.kinds = kinds
        self.values: dict[tuple[str, str], dict[int, Any]] = {pair: {} for pair in self.fields}
        with transaction():
            documents.change(self.app, "system", put=list(self._worksheets(lambda old, now: old)))
            for old in kinds:
                self._fill(old)

    @property
    def app(self) -> App:
        """The app, fresh from the database."""
        return self.made.app

    def field(self, old: str, now: str, kind: FieldType) -> Field:
        """Return a pair's field, as one of a type."""
        key = self.fields[old, now].key
        return self.about.field_of(kind, key)

    def retype(self) -> None:
        """Give every field its other type."""
        with transaction():
            for document in self._worksheets(lambda old, now: now):
                documents.put(self.app, document, "system")

    def edit(self) -> None:
        """Change half of the records, under the types that their fields have by now."""
        with transaction():
            for old in self.kinds:
                seqs = [row.seq for row in service.all_rows(self.app, self.sheets[old.name])]
                new = {self.fields[old.name, now.name].key: self.about.values(now)[0] for now in FIELD_TYPES
                       if now.writable and now.stored and now.name != "autonumber"}
                for seq in seqs[::2]:
                    service.put_record(self.app, self.sheets[old.name], seq, new, "system")

    def found(self) -> dict[tuple[str, str], dict[int, Any]]:
        """Return the values of each pair by record."""
        rows = {old.name: {row.seq: loads(row.vals) for row in service.all_rows(self.app, self.sheets[old.name])} for old in self.kinds}
        return {(old, now): {seq: vals[one.key] for seq, vals in rows[old].items() if one.key in vals}
                for (old, now), one in self.fields.items()}

    def _worksheets(self, which: Any) -> Iterator[Document]:
        for old in self.kinds:
            fields = [self.field(old.name, now.name, which(old, now)).definition for now in FIELD_TYPES]
            yield Document(kind="worksheet", key=self.sheets[old.name], body={"name": old.name, "fields": fields}, position=0)

    def _fill(self, old: FieldType) -> None:
        records = []
        for value in self.about.values(old):
            for some in ([now.name] for now in FIELD_TYPES if now.name in TEXTS) if value == LONG else [[now.name for now in FIELD_TYPES]]:
                seq = len(records) + 1
                records.append({"seq": seq, "values": {self.fields[old.name, now].key: value for now in some}})
                for now in some:
                    self.values[old.name, now][seq] = value
        service.put_records(self.app, self.sheets[old.name], records, "system")


@pytest.fixture(params=range(2))
def pairs(request: pytest.FixtureRequest, server: Flask, organization: str) -> Pairs:
    """Half of all types beside every type, so that two may be tried at once."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    return Pairs(holding()[request.param::2])


def test_every_pair_does_what_the_page_says(pairs: Pairs) -> None:
    """Backed up, retyped and edited: data alone gives what the table says, and all that it leaves is reported; the whole gives all back."""
    backup = direct.back_up(pairs.app).id
    pairs.retype()
    pairs.edit()
    between, before = pairs.found(), direct.content_id(pairs.app)
    said, run = restore(pairs, backup, config=False)
    letters = {pair: check(pairs, pair, between[pair], found, said) for pair, found in pairs.found().items()}
    assert documented_for(pairs) == letters
    direct.undo(pairs.app, run)
    assert before == direct.content_id(pairs.app)
    said, run = restore(pairs, backup, config=True)
    assert pairs.values == pairs.found()
    assert not said.keys() & {"references_not_restored", "choices_not_there", "fields_left"}
    assert find_backup(backup).content_id == direct.content_id(pairs.app)
    direct.undo(pairs.app, run)
    assert before == direct.content_id(pairs.app)


def restore(pairs: Pairs, backup: str, *, config: bool) -> tuple[dict[str, Any], str]:
    """Restore as the plan says, and have the accountant look; return the report and the run."""
    result, said, run = referring.restored(pairs.made.app_id, backup, config=config)
    assert [] == result.wrong
    return said, run


def documented_for(pairs: Pairs) -> dict[tuple[str, str], str]:
    """Return the letter that the page has for each pair."""
    rows, columns = documented(), [kind.name for kind in holding()]
    return {(old, now): rows[old][columns.index(now) if now in columns else -1] for old, now in pairs.fields}


def check(pairs: Pairs, pair: tuple[str, str], between: Mapping[int, Any], found: Mapping[int, Any], said: Mapping[str, Any]) -> str:
    """Return the letter for what became of a pair's values; each that was left as it was is in the report."""
    one, saved = pairs.fields[pair], pairs.values[pair]
    listed = Counter(entry["record"] for name in ("references_not_restored", "choices_not_there") for entry in said.get(name, ())
                     if entry["field"] == one.key)
    counted = sum(entry["records"] for entry in said.get("fields_left", ()) if entry["field"] == one.key)
    now = next(kind for kind in FIELD_TYPES if kind.name == pair[1])
    today = pairs.field(*pair, now)
    fit = {seq: seq in found and found[seq] == _fit(today, value) for seq, value in saved.items()}
    left = [seq for seq in saved if not fit[seq] or seq in listed]
    assert {seq: between.get(seq) for seq in left} == {seq: found.get(seq) for seq in left}, pair
    assert len(left) == len(listed) + counted, pair
    if pair[0] == pair[1]:
        return SAME
    # A text that happens to be a choice's key, say, is that choice since the field has its type: not the restore's doing.
    stood = [seq for seq in saved if seq not in left and found[seq] == between.get(seq) and _invented(pairs, pair, today, found[seq])]
    return NONE if len(left) + len(stood) == len(saved) else SOME if left else ALL


def _invented(pairs: Pairs, pair: tuple[str, str], today: Field, value: Any) -> bool:
    """Say whether a value points to something that a value of the old type never did."""
    return not pairs.field(*pair, next(kind for kind in pairs.kinds if kind.name == pair[0])).type.points and any(
        True for _ in today.references(value))


def _fit(one: Field, value: Any) -> Any:
    try:
        return one.canonical(value)
    except InvalidValue:
        return None


def test_the_page_has_every_pair() -> None:
    """A row for each type that stores values, a column for each and one for all others; the accountant's word on it is above."""
    names = [kind.name for kind in holding()]
    assert dict.fromkeys(names, len(names) + 1) == {name: len(letters) for name, letters in documented().items()}
