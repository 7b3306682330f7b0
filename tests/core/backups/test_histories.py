"""Random histories of an app against the reference model: whatever happened, a restore does what docs/rules.md says.

APPKEEP_TEST_HISTORIES says how many, APPKEEP_TEST_REHEARSALS how many restores are tried in each; a failing one names its seed.
"""

from __future__ import annotations

import copy
import itertools
import os
import random
from typing import Any

import pytest
from flask import Flask

from core.api import App, apps, db, direct, documents, new_key, transaction
from core.api import server as this_server
from core.backups.catalog import find_backup
from core.backups.plan import Options, apply, context_of, holding
from core.backups.restore_context import RestoreContext
from core.base.db import reading
from core.extension.data_report import OUTCOMES
from plugins.worksheets import service as records
from plugins.worksheets.service import loads
from tests.conftest import made_organization
from tests.core.backups.model import Model, Sheet

HISTORIES = int(os.environ.get("APPKEEP_TEST_HISTORIES", "20"))
SEEDS_A_TEST = 10
REHEARSALS = int(os.environ.get("APPKEEP_TEST_REHEARSALS", "3"))
"""How many restores, each of other options and parts, are tried before each that is done."""
Edit = dict[str, Any]
Lists = dict[tuple[str, str], dict[int, tuple[Any, Any]]]
"""(worksheet, what would happen) -> number -> values before and after."""


class History:
    """One app and its model, changed alike."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.model = Model()
        with transaction():
            self.app_id = apps.create("History", "system").id
        self.backups: list[tuple[str, dict[str, Any], bool]] = []
        self.edits: list[Edit] = []
        self.numbers: dict[str, int] = {}

    @property
    def app(self) -> App:
        """The app, fresh from the database."""
        return apps.find(self.app_id)

    def run(self) -> None:
        """Change, back up, change, restore, and compare after every restore."""
        self.add_sheet()
        self.add_sheet()
        for _ in range(self.random.randint(2, 4)):
            for _ in range(self.random.randint(3, 12)):
                self.random.choice(STEPS)(self)
            self.flush()
            self.compare()
            if not self.backups or self.random.random() < 0.6:
                self.back_up()
        for _ in range(2):
            for _ in range(self.random.randint(2, 10)):
                self.random.choice(STEPS)(self)
            self.flush()
            for _ in range(REHEARSALS):
                self.rehearse()
            self.restore()
            self.compare()

    def flush(self) -> None:
        """Do the waiting edits, all in one transaction."""
        with transaction():
            apps.apply(self.app, self.edits, "system")
        self.edits = []

    def compare(self) -> None:
        """The app is what the model is: what is live, what is in the bin, and every value."""
        app, wanted = self.app, self.model.shown()
        live = documents.live(app)
        assert wanted["pages"] == {d.key: d.body["name"] for d in live if d.kind == "page"}
        sheets = {d.key: d for d in live if d.kind == "worksheet"}
        assert wanted["sheets"].keys() == sheets.keys()
        for key, sheet in self.model.sheets.items():
            if not sheet.hidden:
                assert sheet.live == [f["key"] for f in sheets[key].body["fields"]]
            self.compare_records(app, key, sheet)

    def compare_records(self, app: App, key: str, sheet: Sheet) -> None:
        """Every record, deleted or not, with the values of hidden fields too."""
        rows = {row.seq: row for row in records.store_of(app).rows(key, 1, 10**9)}
        assert sheet.records.keys() == rows.keys()
        for seq, record in sheet.records.items():
            row = rows[seq]
            assert record["deleted"] == (row.deleted_at is not None), (key, seq)
            live = {f: v for f, v in record["vals"].items() if f in sheet.live}
            hidden = {f: v for f, v in record["vals"].items() if f in sheet.hidden_fields}
            assert live == loads(row.vals), (key, seq)
            assert hidden == loads(row.hidden or "{}"), (key, seq)

    # Steps. Each changes the model and notes the edit that does the same.

    def add_sheet(self) -> None:
        """Make a worksheet of three text fields and a link to a worksheet."""
        key, fields = new_key("w"), [new_key("f") for _ in range(4)]
        self.model.sheets[key] = Sheet(fields=fields)
        self.model.links[fields[3]] = self.random.choice(list(self.model.sheets))
        self.put_sheet(key)

    def put_sheet(self, key: str) -> None:
        """Note the edit that puts a worksheet as the model has it."""
        fields = [{"key": f, "name": f, "type": "text", "options": {}} if f not in self.model.links else
                  {"key": f, "name": f, "type": "relationship", "options": {"target": {"ref": f"worksheet/{self.model.links[f]}"}}}
                  for f in self.model.sheets[key].live]
        self.edits.append({"op": "put", "document": f"worksheet/{key}", "body": {"name": key, "fields": fields}, "position": 0})

    def some_sheet(self, *, hidden: bool = False) -> str | None:
        """Return a worksheet that is live, or one in the bin."""
        return self.pick([k for k, s in self.model.sheets.items() if s.hidden is hidden])

    def pick(self, given: list[Any]) -> Any:
        """Return one of a list, None of an empty one."""
        return self.random.choice(given) if given else None

    def note(self, op: str, document: str) -> None:
        """Note an edit of a document."""
        self.edits.append({"op": op, "document": document})

    def toggle_sheet(self) -> None:
        """Hide a worksheet, bring one back, or purge one."""
        if (key := self.some_sheet()) is not None and self.random.random() < 0.5 and len(self.model.sheets) > 1:
            self.model.sheets[key].hidden = True
            self.note("hide", f"worksheet/{key}")
        elif (key := self.some_sheet(hidden=True)) is not None and self.random.random() < 0.7:
            self.model.sheets[key].hidden = False
            self.note("bring_back", f"worksheet/{key}")
        elif key is not None:
            del self.model.sheets[key]
            self.note("purge", f"worksheet/{key}")

    def toggle_field(self) -> None:
        """Hide a field, bring one back, purge one, or add one."""
        if (key := self.some_sheet()) is None:
            return
        sheet, chance = self.model.sheets[key], self.random.random()
        gone = [f for f in sheet.fields if f in sheet.hidden_fields]
        if chance < 0.4 and len(sheet.live) > 1:
            field = self.random.choice(sheet.live)
            sheet.hidden_fields.add(field)
            # What comes back later comes back to its place, which the model keeps by leaving it in the list.
            self.note("hide", f"worksheet/{key}/field/{field}")
        elif chance < 0.6 and gone:
            field = self.random.choice(gone)
            sheet.fields.remove(field)
            sheet.hidden_fields.discard(field)
            sheet.fields.append(field)
            self.put_sheet(key)
        elif chance < 0.75 and gone:
            field = self.random.choice(gone)
            sheet.fields.remove(field)
            sheet.hidden_fields.discard(field)
            for record in sheet.records.values():
                record["vals"].pop(field, None)
            self.note("purge", f"worksheet/{key}/field/{field}")
        elif len(sheet.live) < 7:
            sheet.fields.append(new_key("f"))
            self.put_sheet(key)

    def put_record(self) -> None:
        """Make a record, or change one; a value may be emptied."""
        if (key := self.some_sheet()) is None:
            return
        sheet = self.model.sheets[key]
        seq = self.pick([n for n, r in sheet.records.items() if not r["deleted"]]) if self.random.random() < 0.5 else None
        given = {f: self.value(f) for f in sheet.live if self.random.random() < 0.6}
        edit = {"op": "put_record", "worksheet": key, "seq": seq, "values": given}
        if seq is None:
            seq = self.next_seq(key)
            sheet.records[seq] = {"vals": {}, "deleted": False}
        for field, value in given.items():
            sheet.records[seq]["vals"].pop(field, None)
            if value is not None:
                sheet.records[seq]["vals"][field] = value
        self.edits.append(edit)

    def next_seq(self, key: str) -> int:
        """Return the number that the next record gets; numbers never come again."""
        self.numbers[key] = self.numbers.get(key, 0) + 1
        return int(self.numbers[key])

    def value(self, field: str) -> Any:
        """Return a text, or, for a link, numbers of records that are there."""
        if self.random.random() < 0.2:
            return None
        if field not in self.model.links:
            return self.random.choice(("a", "ä", "😀", "x" * 40, '"', "\\", "line\nline")) + str(self.random.randint(0, 5))
        sheet = self.model.sheets.get(self.model.links[field])
        there = sorted(sheet.records) if sheet is not None else []
        chosen = self.random.sample(there, min(len(there), self.random.randint(1, 3))) if there else []
        return chosen or None

    def move_record(self) -> None:
        """Delete a record, bring one back, or purge one."""
        if (key := self.some_sheet()) is None:
            return
        sheet, chance = self.model.sheets[key], self.random.random()
        live, gone = ([n for n, r in sheet.records.items() if r["deleted"] is side] for side in (False, True))
        if chance < 0.5 and live:
            seq, op = self.random.choice(live), "delete_record"
            sheet.records[seq]["deleted"] = True
        elif chance < 0.7 and gone:
            seq, op = self.random.choice(gone), "bring_back_record"
            sheet.records[seq]["deleted"] = False
        elif gone:
            seq, op = self.random.choice(gone), "purge_record"
            self.model.forget_record(key, seq)
        else:
            return
        self.edits.append({"op": op, "worksheet": key, "seq": seq})

    def touch_page(self) -> None:
        """Put a page, hide one, bring one back, or purge one."""
        chance, pages = self.random.random(), self.model.pages
        if chance < 0.5:
            key = self.pick(list(pages)) if pages and chance < 0.2 else new_key("p")
            text = self.random.choice(("One", "Two", "Three"))
            pages[key] = {"text": text, "hidden": False}
            self.edits.append({"op": "put", "document": f"page/{key}", "body": {"name": text, "blocks": []}, "position": 0})
            return
        key = self.pick([k for k, p in pages.items() if p["hidden"] is (chance >= 0.75)])
        if key is None:
            return
        if chance < 0.75:
            pages[key]["hidden"] = True
            self.note("hide", f"page/{key}")
        elif chance < 0.9:
            pages[key]["hidden"] = False
            self.note("bring_back", f"page/{key}")
        else:
            del pages[key]
            self.note("purge", f"page/{key}")

    # Backups and restores.

    def back_up(self) -> None:
        """Back up, mostly with data, and keep what the model showed."""
        data = self.random.random() < 0.8
        backup = direct.back_up(self.app, data=data)
        self.backups.append((backup.id, copy.deepcopy(self.model.shown()), data))
        assert backup.content_id == direct.content_id(self.app, data=data)

    def some_restore(self) -> tuple[Options, dict[str, Any]]:
        """Return what to restore, in part or whole, and what the model showed at the backup."""
        backup_id, saved, has_data = self.random.choice(self.backups)
        config = not has_data or self.random.random() < 0.7
        data = has_data and (not config or self.random.random() < 0.7)
        only, bin_newer = self.some_parts(saved, config=config, data=data), data and self.random.random() < 0.3
        return Options(backup=backup_id, config=config, data=data, only=tuple(sorted(only)), bin_newer=bin_newer), saved

    def rehearse(self) -> None:
        """Merge a backup in a transaction that is rolled back: its plan, its lists and the model say what is there then."""
        (options, saved), model = self.some_restore(), copy.deepcopy(self.model)
        with transaction():
            connection, nested = db.session.connection(), db.session.begin_nested()
            try:
                reader, app = holding(find_backup(options.backup), config=options.config, data=options.data), self.app
                lists, before = self.lists(options, saved) if options.data else {}, self.rows()
                told = apply(app, reader, connection, "system", options, None, writing=False)
                done = apply(app, reader, connection, "system", options, None, writing=True)
                db.session.expire_all()
                assert told == {name: {k: v for k, v in said.items() if k != "notes"} for name, said in done.items()}
                self.restored(options, saved, lists, before)
                self.compare()
            finally:
                nested.rollback()
                db.session.expire_all()
                self.model = model

    def restore(self) -> None:
        """Restore one of the backups, in part or whole; the plan says beforehand what the report says afterwards."""
        options, saved = self.some_restore()
        backup_id, config, data, only, bin_newer = options.backup, options.config, options.data, options.only, options.bin_newer
        plan = direct.plan(self.app, find_backup(backup_id), config=config, data=data, only=only, bin_newer=bin_newer)
        with reading():
            lists = self.lists(options, saved) if data else {}
        before = self.rows()
        report = direct.restore(self.app, find_backup(backup_id), config=config, data=data, only=only, bin_newer=bin_newer)
        told = {name: {k: v for k, v in said.items() if k not in ("notes",)} for name, said in report["components"].items()}
        assert plan["components"] == told
        self.restored(options, saved, lists, before)
        for key, was in saved["sheets"].items():
            restored = self.model.chosen(saved, key, frozenset(only))
            if data and restored:
                highest = max(was["records"]) if not any(name.count("/") == 3 for name in only) else max(restored)
                self.numbers[key] = max(self.numbers.get(key, 0), highest, *restored)

    def restored(self, options: Options, saved: dict[str, Any], lists: Lists, before: dict[str, dict[int, Any]]) -> None:
        """Have the model restored as the app is, and compare what the plan listed with what happened."""
        only, wanted = frozenset(options.only), copy.deepcopy(self.model)
        self.model.restore(saved, config=options.config, data=options.data, only=only, bin_newer=options.bin_newer)
        wanted.restore(saved, config=options.config, data=False, only=only)
        newer = {key: wanted.newer(saved, key, only) for key in saved["sheets"]}
        self.compare_lists(lists, before, newer, bin_newer=options.bin_newer)

    def some_parts(self, saved: dict[str, Any], *, config: bool, data: bool) -> list[str]:
        """Return what to restore alone: documents, fields, records; mostly nothing, which is everything."""
        if self.random.random() < 0.4:
            return []
        live = [k for k, s in self.model.sheets.items() if not s.hidden and k in saved["sheets"]]
        found = [f"page/{key}" for key in saved["pages"] if config and self.random.random() < 0.5]
        found += [f"worksheet/{key}" for key in saved["sheets"] if self.random.random() < 0.3 and (config or key in live)]
        for key in live if data else ():
            numbers = list(saved["sheets"][key]["records"])
            found += [f"worksheet/{key}/record/{n}" for n in numbers if self.random.random() < 0.2]
        for key in live if config else ():
            found += [f"worksheet/{key}/field/{field}" for field in saved["sheets"][key]["fields"] if self.random.random() < 0.2]
        return found

    def lists(self, options: Options, saved: dict[str, Any]) -> Lists:
        """Return the records that a plan lists, by worksheet and what would happen to them."""
        reader = holding(find_backup(options.backup), config=options.config, data=options.data)
        context = context_of(self.app, reader, db.session.connection(), "system", options)
        return {(key, what): self.listed(context, key, what) for key in saved["sheets"] for what in OUTCOMES}

    def listed(self, context: RestoreContext, key: str, outcome: str) -> dict[int, tuple[Any, Any]]:
        """Return (values before, values after) of the records on one list, by number; read in pages of a random size."""
        worksheets = this_server().registry.components["worksheets"]
        found: dict[int, tuple[Any, Any]] = {}
        after = 0
        while True:
            pairs = worksheets.planned_records(self.app, context, f"worksheet/{key}", outcome, after)
            some = list(itertools.islice(pairs, self.random.randint(1, 5)))
            if not some:
                return found
            found.update({pair.number: (pair.before, pair.after) for pair in some})
            after = some[-1].number

    def rows(self) -> dict[str, dict[int, Any]]:
        """Return all rows of all worksheets."""
        store = records.store_of(self.app)
        return {key: {row.seq: row for row in store.rows(key, 1, 10**9)} for key in self.model.sheets}

    def compare_lists(self, lists: Lists, before: dict[str, dict[int, Any]], newer: dict[str, set[int]], *, bin_newer: bool) -> None:
        """What the plan listed is what happened, record for record; of no other record a value has changed."""
        after = self.rows()
        for (key, outcome), pairs in lists.items():
            was, now = before.get(key, {}), after.get(key, {})
            for seq, (old, new) in pairs.items():
                assert old == shown_of(was.get(seq)), (key, outcome, seq)
                assert outcome == "new_since" or new == shown_of(now.get(seq)), (key, outcome, seq)
                assert (old is None) is (outcome == "brought_back"), (key, outcome, seq)
        for key, now in after.items():
            told = {what: lists.get((key, what), {}).keys() for what in OUTCOMES}
            assert not lists or newer.get(key, set()) == set(told["binned" if bin_newer else "new_since"]), key
            for seq, row in now.items():
                old = before.get(key, {}).get(seq)
                if seq in told["brought_back"] or seq in told["overwritten"] or seq in told["binned"]:
                    continue
                assert old is not None, (key, seq)
                assert (old.deleted_at is None) == (row.deleted_at is None), (key, seq)
                live = self.model.sheets[key].live
                vals, became = loads(old.vals), loads(row.vals)
                assert {f: v for f, v in vals.items() if f in live} == {f: v for f, v in became.items() if f in vals}, (key, seq)


def shown_of(row: Any) -> Any:
    """Return the values of a live row; None for one in the bin, or none."""
    return None if row is None or row.deleted_at is not None else loads(row.vals)


STEPS = [History.put_record] * 6 + [History.move_record] * 3 + [History.touch_page] * 2 + [History.toggle_field] * 2 \
    + [History.toggle_sheet, History.add_sheet]


@pytest.mark.parametrize("start", range(0, HISTORIES, SEEDS_A_TEST))
def test_whatever_happened_a_restore_does_what_the_rules_say(start: int, server: Flask, engine: str) -> None:
    """Thousands of steps, and after each restore every document, field, value and mark of deletion is as the model says."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    with made_organization("Histories"):
        for seed in range(start, start + SEEDS_A_TEST):
            if engine == "postgresql" and seed % 4:
                continue
            history = History(seed)
            try:
                history.run()
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
