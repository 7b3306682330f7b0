"""What an uploaded backup keeps of what its file says of itself: when it was made, and its app's name."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from core.api import App, apps, as_tenant, direct, import_file
from core.archive.errors import ArchiveDamaged
from core.backups import ingest
from core.backups.catalog import backups_of
from core.backups.models import Backup
from core.base.time import iso, moved
from core.cli.main import main
from tests.conftest import made_organization
from tests.foreign import retold
from tests.web import make_person

NOW = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()) * 1_000_000
DAY_S = 24 * 3600
THERE = "2021-02-03T04:05:06Z"


def uploaded(app: App, content: bytes) -> Backup:
    """Bring a file in."""
    return ingest.upload(io.BytesIO(content), apps.find(app.id), "system")


def told(backup: Backup) -> dict[str, str]:
    """Return what a backup's file says of itself."""
    found: dict[str, str] = ingest.inspect(io.BytesIO(direct.file_of(backup, "config")))["envelope"]
    return found


def test_an_uploaded_backup_keeps_when_it_was_made(app: App) -> None:
    """To the second, as its file says, also in the file that is made of it; one that was made here has its time already."""
    backup = direct.back_up(app)
    made, content = backup.created_at, direct.file_of(backup)
    with moved(3 * DAY_S):
        found = uploaded(app, content)
    assert (None, iso(made)) == (backup.made_at, iso(found.made_at or 0))
    assert found.created_at > made + 3 * DAY_S * 1_000_000
    assert iso(made) == told(found)["created_at"]
    assert [found.made_at, None] == [one.made_at for one in backups_of(app.id)]


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "2025-02-28T23:59:59Z", "2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z"])
def test_a_moment_that_can_be_is_kept(text: str) -> None:
    """From the first day on to a day ahead, since clocks differ."""
    assert text == iso(ingest.told_moment(text, NOW) or 0)


@pytest.mark.parametrize("text", [
    "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2019-12-31T23:59:59Z", "2026-02-30T00:00:00Z",
    "2026-13-45T99:99:99Z", "2026-06-30T23:59:60Z", "2026-11-26T12:00:01Z", "9999-12-31T23:59:59Z", "9999-99-99T99:99:99Z"])
def test_a_moment_that_cannot_be_is_none(text: str) -> None:
    """Not in the calendar, before there were such files, or to come."""
    assert ingest.told_moment(text, NOW) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z"])
def test_a_file_that_was_made_at_no_possible_moment_is_taken_without_it(app: App, text: str) -> None:
    """Its form is what the reader asks for and its content is proven; nothing is believed of when it was made."""
    found = uploaded(app, retold(direct.file_of(direct.back_up(app, data=False)), created_at=text))
    assert ("foreign", None) == (found.origin, found.made_at)
    assert iso(found.created_at) == told(found)["created_at"]


@pytest.mark.parametrize("text", ["yesterday", "2026-11-25", "2026-11-25T12:00:00+14:00", "12026-11-25T12:00:00Z", "", 7, None])
def test_a_moment_in_another_form_is_refused(app: App, text: object) -> None:
    """By the reader, before anything is kept."""
    content = direct.file_of(direct.back_up(app, data=False))
    with pytest.raises(ArchiveDamaged, match="envelope"):
        uploaded(app, retold(content, created_at=text))
    assert ["manual"] == [one.type for one in backups_of(app.id)]


def test_an_apps_name_is_kept_as_it_can_be_shown(app: App) -> None:
    """Not too long, and without what would act on a terminal; so is the name that the backup gets of it."""
    content = direct.file_of(direct.back_up(app, data=False))
    found = uploaded(app, retold(content, app_name="\x1b[2J\u009b1m\r\nSales\u2028" + "🥐" * 270))
    assert "[2J1mSales" + "🥐" * 190 == found.app_name
    assert found.name.startswith("Uploaded Backup_[2J1mSales🥐") and 120 == len(found.name)


def test_commands_tell_when_a_backup_was_made(sqlite_server: Flask, home: Path) -> None:
    """`upload` and `backups`, as JSON and in words."""
    with made_organization("Example") as organization, as_tenant(organization):
        app_id = import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"]
        content = direct.file_of(direct.back_up(apps.find(app_id), data=False))
        (home / "there.zip").write_bytes(retold(content, created_at=THERE))

    def run(*words: str) -> str:
        answer = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(main, words)
        assert 0 == answer.exit_code, answer.output
        return answer.stdout

    assert THERE == json.loads(run("upload", str(home / "there.zip"), "--app", app_id, "--json"))["made_at"]
    assert [THERE, None] == [one["made_at"] for one in json.loads(run("backups", app_id, "--json"))["backups"]]
    assert f"from another server, made {THERE}" in run("backups", app_id)


@pytest.mark.parametrize("words", [("inspect",), ("upload", "--app", "a_1111111111")], ids=["inspect", "upload"])
def test_a_pipe_is_refused_in_words(sqlite_server: Flask, home: Path, words: tuple[str, ...]) -> None:
    """A backup file is read twice."""
    read, write = os.pipe()
    os.close(write)
    answer = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(main, [words[0], f"/dev/fd/{read}", *words[1:], "--json"])
    os.close(read)
    assert 1 == answer.exit_code and "give a file, not a pipe" in json.loads(answer.stdout)["error"]["detail"]
