"""`appkeep prune`: says what would go and why, and removes just that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from core.api import as_tenant, db, transaction
from core.backups.models import Backup
from core.cli import backups as backups_module
from core.cli.main import main
from tests.core.backups.retention.test_service import back_up, keep
from tests.core.web.backups.test_schedule import app_of_owner


def prune(home: Path, *words: str) -> tuple[int, Any]:
    """Run the verb and return its exit status and object."""
    answer = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(main, ["prune", *words, "--json"])
    return answer.exit_code, json.loads(answer.stdout)


def test_prune_removes_what_the_dry_run_named(sqlite_server: Flask, home: Path) -> None:
    """A dry run changes nothing; the real one removes what it said, once; an app without a policy is refused."""
    app = app_of_owner()
    with as_tenant(app.organization_id):
        made = back_up(app, 3)
        assert (1, "empty_policy") == ((refused := prune(home, app.id))[0], refused[1]["error"]["code"])
        keep(app, last=1)
        status, told = prune(home, app.id, "--dry-run")
        assert (0, True, []) == (status, told["dry_run"], told["removed"])
        assert [(made[0], True), (made[1], False), (made[2], False)] == [(one["backup"], one["keep"]) for one in told["backups"]]
        assert sorted(made[1:]) == prune(home, app.id)[1]["removed"]
        assert [] == prune(home, app.id)[1]["removed"]
        with transaction():
            assert [True, False, False] == [db.session.get(Backup, one).deleted_at is None for one in made]
    assert 1 == prune(home, "a_1111111111")[0]


def test_what_a_library_prints_does_not_spoil_the_object(sqlite_server: Flask, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes to standard error."""
    app = app_of_owner()
    listing = backups_module.backups_of

    def chatty(app_id: str) -> object:
        print("a library says hello")
        return listing(app_id)

    monkeypatch.setattr(backups_module, "backups_of", chatty)
    answer = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(main, ["backups", app.id, "--json"])
    assert {"backups": []} == json.loads(answer.stdout)
    assert "a library says hello" in answer.stderr
