"""The command line of tenants, and the way into the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from core.cli.main import main
from tests.web import OWNER, PASSWORD, browser


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A way to run `appkeep … --json` in a home of its own and get its object."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))

    def run(*words: str) -> Any:
        answer = CliRunner().invoke(main, [*words, "--json"])
        assert 0 == answer.exit_code, answer.output
        return json.loads(answer.stdout)

    return run


def test_organizations_and_people_are_made_and_listed(run) -> None:  # type: ignore[no-untyped-def]
    """With what an operator needs to know."""
    organization = run("org", "create", "Acme", "--owner", OWNER)["organization"]
    run("user", "create", "anna@example.org", "--password", PASSWORD)
    run("org", "add-member", "Acme", "anna@example.org", "--role", "admin")
    assert [{"organization": organization, "name": "Acme", "plan": "ultimate", "members": 2, "closed": False}] == \
        run("org", "list")["organizations"]
    assert [("anna@example.org", True), (OWNER, False)] == [(u["email"], u["password"]) for u in run("user", "list")["users"]]
    assert not run("org", "reopen", "Acme")["closed"]
    assert not run("user", "second-factor-off", OWNER)["second_factor"]


def test_the_sample_says_how_to_get_in_as_long_as_it_is_known(sqlite_server: Flask, run, home: Path) -> None:  # type: ignore[no-untyped-def]
    """Each time, until somebody sets another password."""
    first, second = run("sample"), run("sample")
    assert first["password"] == second["password"]
    assert 0o600 == (home / "sample-password").stat().st_mode & 0o777
    answer = browser(sqlite_server).post("/sign-in", data={"email": first["owner"], "password": first["password"]})
    assert 302 == answer.status_code
    run("user", "password", OWNER, "--password", PASSWORD)
    assert run("sample")["password"] is None
    assert not (home / "sample-password").exists()
