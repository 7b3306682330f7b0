"""Undo, case by case: what comes back, what is left alone and said, and how long it can be undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from core.api import App, apps, db, direct, documents, transaction
from core.backups import catalog
from core.backups.catalog import backups_of, find_backup
from core.backups.journal import RestoreChange, is_kept
from core.base.errors import Conflict
from core.cli.main import main
from core.gc import sweep
from core.runs.models import Run
from core.runs.service import report_of
from core.server import server as current_server
from plugins.worksheets import service
from tests.core.runs.making import FIELD, SHEETS, change, fill


@pytest.fixture
def restored(server: Flask, app: App) -> tuple[App, str, str]:
    """An app that was changed after a backup and restored: the app, the content before the restore, the run."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    backup = direct.back_up(fill(app))
    before = direct.content_id(change(app))
    report = direct.restore(apps.find(app.id), backup, safety_backup=True)
    return apps.find(app.id), before, str(find_backup(report["safety_backup"]).run_id)


def put(app: App, worksheet: str, seq: int | None, value: str) -> None:
    """Put a record."""
    with transaction():
        service.put_record(apps.find(app.id), worksheet, seq, {FIELD: value}, "system")


def value(app: App, worksheet: str, seq: int) -> str | None:
    """Return a live record's value."""
    row = service.store_of(apps.find(app.id)).row(worksheet, seq)
    return None if row is None or row.deleted_at is not None else service.loads(row.vals).get(FIELD)


def told(run: Run) -> dict[str, object]:
    """Return what an undo's report says of records."""
    found: dict[str, object] = report_of(run)["components"]["worksheets"].get("data", {})
    return found


def test_what_a_restore_brought_back_goes_where_it_was(restored: tuple[App, str, str]) -> None:
    """Deleted, brought back by a restore, undone: deleted again; what was changed is changed again; what was hidden is hidden."""
    app, before, run = restored
    assert value(app, SHEETS[0], 2) is not None
    direct.undo(app, run)
    assert (None, "changed", before) == (value(app, SHEETS[0], 2), value(app, SHEETS[0], 1), direct.content_id(app))
    assert f"worksheet/{SHEETS[2]}" in {address for address, _ in documents.bin_of(apps.find(app.id))}


def test_undo_leaves_what_was_changed_since_and_says_so(restored: tuple[App, str, str]) -> None:
    """Field by field and record by record; what was made since stays; with the tick all of it goes back."""
    app, before, run = restored
    put(app, SHEETS[0], 1, "edited since")
    put(app, SHEETS[0], None, "made since")
    done = direct.undo(app, run)
    assert [{"worksheet": SHEETS[0], "record": 1, "field": FIELD, "reason": "it was changed since"}] == told(done)["left_alone"]
    assert ("edited since", None, "made since") == tuple(value(app, SHEETS[0], seq) for seq in (1, 2, 4))
    assert "changed" == value(app, SHEETS[1], 1)
    direct.undo(app, done.id)
    direct.undo(app, run, also_later=True)
    assert before == direct.content_id(app)


def test_records_made_since_go_to_the_bin_and_the_app_is_the_backup(server: Flask, app: App) -> None:
    """Where that is asked for; and undo brings them back."""
    backup = direct.back_up(fill(app))
    change(app)
    put(app, SHEETS[1], None, "made since")
    before = direct.content_id(app)
    plan = direct.plan(apps.find(app.id), backup, bin_newer=True)["components"]
    report = direct.restore(apps.find(app.id), backup, bin_newer=True, safety_backup=True)
    sheets = report["components"]["worksheets"]["data"]["worksheets"]
    assert sheets == plan["worksheets"]["data"]["worksheets"] and 1 == sum(one.get("binned", 0) for one in sheets)
    assert backup.content_id == direct.content_id(app)
    direct.undo(app, str(find_backup(report["safety_backup"]).run_id))
    assert (before, "made since") == (direct.content_id(app), value(app, SHEETS[1], 4))


def test_a_restore_can_be_undone_as_long_as_the_version_before_is_kept(restored: tuple[App, str, str]) -> None:
    """Its backup deleted, the journal goes with the next collection, and Undo says why it cannot be."""
    app_id, run = restored[0].id, restored[2]
    assert is_kept(app_id, run)
    (safety,) = (backup.id for backup in backups_of(app_id) if backup.type == "pre_restore")
    with transaction():
        catalog.delete(safety, "system")
    sweep.one_pass(0)
    assert not is_kept(app_id, run)
    with pytest.raises(Conflict, match="its backup was deleted"):
        direct.undo(apps.find(app_id), run)


def test_a_restore_without_a_journal_is_undone_by_its_backup(restored: tuple[App, str, str]) -> None:
    """As one that was made by an earlier version; records that it brought back stay, as they did."""
    app, _, run = restored
    with transaction():
        db.session.connection().execute(RestoreChange.__table__.delete())
    direct.undo(app, run)
    assert ("changed", f"{SHEETS[0]} 1") == (value(app, SHEETS[0], 1), value(app, SHEETS[0], 2))


def test_the_command_line_shows_what_an_undo_would_change(restored: tuple[App, str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under its own name of a plan, and nothing is changed."""
    app, before, run = restored
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    monkeypatch.setenv("APPKEEP_DATABASE_URL", str(app_config()["database_url"]))
    now = direct.content_id(app)
    result = CliRunner().invoke(main, ["undo", run, "--dry-run", "--json"])
    assert 0 == result.exit_code, result.output
    assert direct.undo_plan(apps.find(app.id), run) == json.loads(result.stdout)
    assert now == direct.content_id(apps.find(app.id)) != before


def app_config() -> dict[str, object]:
    """Return the settings of the server."""
    found: dict[str, object] = current_server().config.values
    return found
