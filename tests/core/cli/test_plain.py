"""Commands as people call them: in words, without --json, in a process that has nothing else at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import has_app_context

from core.cli.main import main


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A way to run `appkeep …` in a home of its own and get what it writes."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    monkeypatch.setenv("APPKEEP_BACKUP_INTERVAL_S", "0")

    def run(*words: str) -> str:
        assert not has_app_context()
        answer = CliRunner().invoke(main, [*words])
        assert 0 == answer.exit_code, (words, answer.output, answer.exception)
        return answer.stdout

    return run


def test_what_every_command_tells_is_told_in_words(run: Any, home: Path) -> None:
    """The way of the README: back up, plan, restore, undo, and everything that lists."""
    app = json.loads(run("sample", "--json"))["app"]
    backup = json.loads(run("backup", app, "--data", "--json"))["backup"]
    (home / "edits").write_text(json.dumps({"op": "put", "document": "app/main", "body": {"name": "Changed"}}))
    assert "1 edit done" in run("apply", app, str(home / "edits"))
    assert "records of “Companies”" in run("plan", backup)
    assert "The previous version is kept as backup" in run("restore", backup)
    restored = json.loads(run("runs", app, "--json"))["runs"][0]["run"]
    assert "app/main Changed" in run("undo", restored)
    assert "app a_" in run("restore-as-new", backup)
    file = str(home / "file.zip")
    run("download", backup, file)
    for words in (["plan", backup, "--only", "worksheets"], ["inspect", file], ["upload", file, "--app", app], ["backups", app], ["runs", app],
                  ["state", app], ["documents", app], ["check", backup], ["check", backup, "--quick"], ["check", backup, "--deep"],
                  ["gc", "--grace-hours", "24", "--dry-run"], ["health", "--org", "Sample organization"], ["plugins"], ["settings"],
                  ["org", "list"], ["user", "list"], ["keys", "rotate"], ["app", "list", "--org", "Sample organization"]):
        assert run(*words), words


def test_a_file_goes_into_a_folder_and_what_cannot_be_written_is_said(run: Any, home: Path) -> None:
    """In a folder it has the backup's own name; nothing that was begun is left."""
    app = json.loads(run("sample", "--json"))["app"]
    backup = json.loads(run("backup", app, "--name", "Before / after", "--json"))["backup"]
    folder = home / "files"
    folder.mkdir()
    run("download", backup, str(folder))
    assert ["Before _ after.config.appkeep.zip"] == [one.name for one in folder.iterdir()]
    (folder / "taken.zip").write_text("")
    for file, words in ((folder / "taken.zip" / "x.zip", "Not a directory"), (folder / ("x" * 300), "File name too long"),
                        (folder / "none" / "x.zip", "There is no folder")):
        answer = CliRunner().invoke(main, ["download", backup, str(file)])
        assert (1, True) == (answer.exit_code, words in answer.stderr), (answer.output, answer.exception)
    assert ["Before _ after.config.appkeep.zip", "taken.zip"] == sorted(one.name for one in folder.iterdir())
