"""The log knows of every run twice: that it was asked for, and, once, how it ended."""

from __future__ import annotations

import json
from contextvars import Context
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from core.api import App, apps, as_server, db, direct, transaction
from core.backups import requests
from core.backups.catalog import names_of
from core.backups.log import acts_of, people_of
from core.backups.models import BackupAct
from core.base.time import moved
from core.cli.main import main
from core.runs.service import announce_ended, cancel, find, recover
from tests.conftest import made_organization
from tests.core.runs.making import ask


def results(app_id: str, act: str) -> list[str]:
    """Return the results of an act, the oldest first."""
    return [one.result for one in reversed(acts_of(app_id, act=act))]


def test_the_end_of_a_run_is_written_once(app: App) -> None:
    """However often it is announced; with the backup and the run."""
    backup_id, app_id = direct.back_up(app).id, app.id
    announce_ended()
    assert ["asked", "done"] == results(app_id, "backup")
    last = acts_of(app_id)[0]
    assert last.backup_id == backup_id and find(last.run_id or "").kind == "backup"
    assert ["system"] == people_of(app_id) and {backup_id: (find_name(backup_id), True)} == names_of([backup_id])


def find_name(backup_id: str) -> str:
    """Return what a backup is called."""
    return names_of([backup_id])[backup_id][0]


def test_a_run_that_was_cancelled_before_it_began_is_told_of_by_the_clock(app: App) -> None:
    """Once, as cancelled."""
    app_id, run_id = app.id, ask("backup", app, None, send=False)
    with transaction():
        cancel(find(run_id))
    for seconds in (5, 60, 120):
        with moved(seconds):
            announce_ended()
    assert ["asked", "cancelled"] == results(app_id, "backup")


def test_a_run_whose_worker_died_for_good_is_told_of_as_failed(app: App) -> None:
    """With its reason."""
    app_id, run_id = app.id, ask("backup", app, None, send=False)
    with transaction():
        run = find(run_id)
        run.state, run.attempt, run.lease_until = "running", 3, 1
    recover()
    with moved(60):
        announce_ended()
    assert ["asked", "worker_died"] == results(app_id, "backup")
    assert "died 3 times" in json.loads(acts_of(app_id)[0].detail)["reason"]


def test_a_check_and_a_copy_belong_to_the_app_of_their_backup(app: App) -> None:
    """So that its admins find them in its log."""
    app_id, backup = app.id, direct.back_up(app)
    with transaction():
        runs = [requests.request_check(backup, "system", send=False).id, requests.request_copy(backup, "system", name=None, send=False).id]
    for run_id in runs:
        direct.finished(run_id)
    assert ["asked", "done"] == results(app_id, "check") == results(app_id, "restore_as_new")


def test_a_run_keeps_its_steps(app: App) -> None:
    """In their order, each with its time."""
    direct.back_up(app)
    run = find(acts_of(app.id)[0].run_id or "")
    names, times = zip(*json.loads(run.steps), strict=True)
    assert ("backup.reading", "backup.read", "backup.objects_stored") == names
    assert sorted(times) == list(times) and times[-1] <= (run.ended_at or 0)


def test_what_the_command_line_does_is_in_the_log(sqlite_server: Flask, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads and uploads too, and what of them was refused."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    file = home / "x.appkeep.zip"
    with made_organization("Example"):
        with transaction():
            app_id = apps.create("Sales", "system").id
        backup = direct.back_up(apps.find(app_id), data=False).id
        db.session.rollback()
    commands = [("download", backup, str(file)), ("download", backup, str(file), "--part", "data"), ("upload", str(file), "--app", app_id),
                ("upload", __file__, "--app", app_id)]
    codes = [Context().run(CliRunner().invoke, main, [*words, "--json"]).exit_code for words in commands]
    assert [0, 1, 0, 1] == codes
    with as_server():
        found = db.session.execute(select(BackupAct.act, BackupAct.result).where(BackupAct.app_id == app_id).order_by(BackupAct.id))
        assert [("download", "done"), ("download", "invalid_input"), ("upload", "done"), ("upload", "not_an_archive")] == \
            [tuple(row) for row in found if row.act in ("download", "upload")]
