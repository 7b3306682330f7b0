"""Random histories, a restore, and Undo: the app is what it was before the restore, down to its recycle bins.

APPKEEP_TEST_UNDOS says how many; a failing one names its seed.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, db, direct, documents
from core.apps.models import DocumentRow
from core.backups.catalog import find_backup
from core.backups.journal import standing
from core.runs.service import find, report_of
from plugins.worksheets.models import Record
from tests.conftest import made_organization
from tests.core.backups.test_histories import STEPS, History

UNDOS = int(os.environ.get("APPKEEP_TEST_UNDOS", "10"))
SEEDS_A_TEST = 10
State = dict[str, Any]


def state_of(app: App) -> State:
    """Return everything an app holds, its recycle bins as well, but for the times at which things went there."""
    d, r = DocumentRow.__table__.c, Record.__table__.c
    connection = db.session.connection()
    addresses = [f"{row.kind}/{row.key}" for row in connection.execute(select(d.kind, d.key).where(d.app_id == app.id))]
    rows = connection.execute(select(Record.__table__).where(r.app_id == app.id)).mappings()
    found: State = dict(standing(app.id, addresses))
    for row in rows:
        found[f"{row['worksheet']}/{row['seq']}"] = {**row, "deleted_at": row["deleted_at"] is not None}
    db.session.rollback()
    return found


def in_bin(stands: Any) -> bool:
    """Say whether a document or record is in the recycle bin."""
    return bool(stands["hidden"] if "parts" in stands else stands["deleted_at"])


def whole(stands: Any) -> Any:
    """Return how something stands, a record's values beside those that went to the bin with their fields."""
    if "parts" in stands:
        return stands
    return {**stands, "vals": {**json.loads(stands["hidden"] or "{}"), **json.loads(stands["vals"])}, "hidden": None}


class Undoing(History):
    """A history that ends with a restore, and that restore undone."""

    def begin(self) -> tuple[State, str, str]:
        """Change, back up, change, restore; return the state before, its content's name, and the run that restored."""
        self.add_sheet()
        self.add_sheet()
        for _ in range(2):
            self.step(3, 12)
            self.back_up()
        self.step(2, 12)
        before, content_id = state_of(self.app), direct.content_id(self.app)
        return before, content_id, self.restored()

    def step(self, least: int, most: int) -> None:
        """Do some steps."""
        for _ in range(self.random.randint(least, most)):
            self.random.choice(STEPS)(self)
        self.flush()

    def restored(self) -> str:
        """Restore one of the backups, in part or whole, and return the run's id."""
        backup_id, _, has_data = self.random.choice(self.backups)
        config = not has_data or self.random.random() < 0.7
        data = has_data and (not config or self.random.random() < 0.7)
        report = direct.restore(self.app, find_backup(backup_id), config=config, data=data, safety_backup=True,
                                bin_newer=self.random.random() < 0.3)
        return str(find_backup(report["safety_backup"]).run_id)


def without_purged(before: Any, now: Any) -> Any:
    """Return how something stands now, without the parts in the bin that were nowhere before: they had been deleted for good."""
    if now is None or "parts" not in now or "parts" not in before:
        return now
    known = {part[1] for part in before["parts"]}
    return {**now, "parts": [part for part in now["parts"] if part[1] in known or part[1] in before["body"]]}


def check_same(before: State, now: State) -> None:
    """Compare two states; what was not there before, or a part that had been deleted for good, is in the recycle bin."""
    assert before == {name: without_purged(one, now.get(name)) for name, one in before.items()}
    assert [] == [name for name in now.keys() - before.keys() if not in_bin(now[name])]


def check_undone(seed: int) -> None:
    """Undo gives the state before, and undoing that gives the state after the restore."""
    history = Undoing(seed)
    before, content_id, run = history.begin()
    restored, restored_id = state_of(history.app), direct.content_id(history.app)
    plan = direct.undo_plan(history.app, run)
    done = direct.undo(history.app, run, plan=plan["plan"])
    assert plan["components"] == told(done)
    assert content_id == direct.content_id(history.app)
    check_same(before, state_of(history.app))
    direct.undo(history.app, done.id)
    assert restored_id == direct.content_id(history.app)
    check_same(restored, {name: one for name, one in state_of(history.app).items() if name in restored})


def told(run: Any) -> dict[str, Any]:
    """Return a report's components without what only a write counts."""
    return {name: kept for name, said in report_of(run)["components"].items()
            if (kept := {k: v for k, v in said.items() if k != "notes"})}


def check_edited(seed: int) -> None:
    """With edits between: what nobody touched is as before the restore, what somebody touched is left; a tick takes all back."""
    history = Undoing(seed)
    before, content_id, run = history.begin()
    restored = state_of(history.app)
    # The model knows nothing of restores: the edits since are made of what is really there.
    edits_since(history)
    edited = state_of(history.app)
    later = history.random.random() < 0.5
    direct.undo(history.app, run, also_later=later)
    now = state_of(history.app)
    if later:
        done = report_of(find(run))
        assert not (done["config"] and done["data"]) or content_id == direct.content_id(history.app)
        return
    sheets = {name.removeprefix("worksheet/") for name in edited if name.startswith("worksheet/") and edited[name] != restored.get(name)}
    for name, stands in edited.items():
        if name.partition("/")[0] in sheets:
            continue
        if stands == restored.get(name):
            assert now[name] == before[name] if name in before else in_bin(now[name]), name
        elif name not in restored:
            assert whole(stands) == whole(now[name]), name


def edits_since(history: History) -> None:
    """Let people edit, make, delete and bring back records, and put pages, as the app is now."""
    rows = [one for one in state_of(history.app).values() if "parts" not in one and not one["deleted_at"]]
    live = {d.key: d for d in apps_documents(history.app) if d.kind == "worksheet"}
    edits: list[dict[str, Any]] = []
    for row in history.random.sample(rows, min(len(rows), 4)):
        if row["worksheet"] not in live:
            continue
        texts = [f["key"] for f in live[row["worksheet"]].body["fields"] if f["type"] == "text"]
        chance = history.random.random()
        if chance < 0.3:
            edits.append({"op": "delete_record", "worksheet": row["worksheet"], "seq": row["seq"]})
        elif texts:
            edits.append({"op": "put_record", "worksheet": row["worksheet"], "seq": row["seq"] if chance < 0.8 else None,
                          "values": {history.random.choice(texts): "edited since"}})
    with_pages = [d for d in apps_documents(history.app) if d.kind == "page"]
    for page in with_pages[:1]:
        edits.append({"op": "put", "document": page.address, "body": {**page.body, "name": "Edited since"}, "position": page.position})
    history.edits = edits
    history.flush()


def apps_documents(app: App) -> list[Any]:
    """Return the live documents."""
    return documents.live(app)


@pytest.mark.parametrize("check", [check_undone, check_edited])
@pytest.mark.parametrize("start", range(0, UNDOS, SEEDS_A_TEST))
def test_whatever_a_restore_did_undo_takes_it_back(start: int, check: Any, server: Flask, engine: str) -> None:
    """Documents, parts, records, values set aside, times, persons, recycle bins; purged things come back into the bin at most."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    with made_organization("Undone"):
        for seed in range(start, start + SEEDS_A_TEST):
            if engine == "postgresql" and seed % 5:
                continue
            try:
                check(seed)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error}") from error


def test_the_states_that_are_compared_tell_things_apart(server: Flask) -> None:
    """The comparison sees an edit, a deletion, and something that is live and was not there."""
    with made_organization("Undone"):
        history = Undoing(1)
        history.add_sheet()
        history.step(10, 12)
        before = state_of(apps.find(history.app_id))
        history.step(10, 12)
        with pytest.raises(AssertionError):
            check_same(before, state_of(apps.find(history.app_id)))
