"""Content that the store has lost: a check says so, the next backup stores it again, and all that needs it is whole again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from core.api import App, AppkeepError, apps, db, direct, transaction
from core.backups.catalog import find_backup
from core.base.errors import ObjectMissing, StoreUnavailable
from core.base.time import moved
from core.cli.main import main
from core.gc.mark import LOST_KEPT_DAYS
from core.gc.sweep import one_pass
from core.objects.index import StoredObject, files_missing
from core.objects.reader import note_lost, read_object
from core.objects.writer import put_file
from core.runs.service import work
from plugins.worksheets import service
from tenants import quota
from tests.conftest import made_organization, opened_server
from tests.core.runs.making import FIELD, SHEETS, ask, fill, state_of

DAY_S = 24 * 3600


@pytest.fixture
def server(database_url: str, home: Path) -> Iterator[Flask]:
    """A server on each engine; backups may follow each other at once."""
    yield from opened_server(home, database_url, backup_interval_s=0)


def packs(home: Path) -> list[Path]:
    """Return all that lies in the store."""
    return sorted((home / "objects").rglob("*.zst"))


def lost() -> int:
    """Return how many objects count as lost."""
    return db.session.scalar(select(func.count()).select_from(StoredObject).where(StoredObject.lost_at.is_not(None))) or 0


def checked(backup_id: str) -> str | None:
    """Check a backup and return the code of what was wrong."""
    try:
        direct.check(find_backup(backup_id))
    except AppkeepError as error:
        return error.code
    return None


def spoil(path: Path) -> None:
    """Flip a bit in each part of a file."""
    raw = bytearray(path.read_bytes())
    raw[::7] = bytes(byte ^ 1 for byte in raw[::7])
    path.write_bytes(raw)


def change(app: App) -> None:
    """Write one value."""
    with transaction():
        service.put_record(apps.find(app.id), SHEETS[0], 1, {FIELD: "changed"}, "system")


@pytest.mark.parametrize(("harm", "code"), [(Path.unlink, "object_missing"), (spoil, "object_damaged")])
def test_the_next_backup_stores_again_what_a_check_found_lost_and_mends_the_older_one(
        app: App, home: Path, harm, code: str) -> None:  # type: ignore[no-untyped-def]
    """It counts to the quota again, and both backups are whole."""
    app = fill(app)
    first = direct.back_up(app)
    added, first_id = first.added_bytes, first.id
    for path in packs(home):
        harm(path)
    assert code == checked(first_id)
    before = quota.usage(app.organization_id).used
    second = direct.back_up(apps.find(app.id))
    assert (added, added) == (second.added_bytes, quota.usage(app.organization_id).used - before)
    assert 0 == lost()
    assert (None, None) == (checked(second.id), checked(first_id))
    change(app)
    direct.restore(apps.find(app.id), find_backup(first_id))
    assert find_backup(first_id).content_id == direct.content_id(app)


def test_all_that_is_lost_is_found_by_one_check(app: App, home: Path) -> None:
    """Also behind a list that cannot be read, and what lay beside it in the pack."""
    first = direct.back_up(fill(app)).id
    change(app)
    second = direct.back_up(apps.find(app.id)).id
    for path in packs(home):
        spoil(path)
    assert "object_damaged" == checked(second)
    direct.back_up(apps.find(app.id))
    assert None is checked(second)
    assert "object_damaged" == checked(first)  # what it alone holds can be stored again by nobody


def test_a_read_that_fails_is_enough(app: App, home: Path) -> None:
    """A restore that meets the hole lets the next backup mend it."""
    app = fill(app)
    first = direct.back_up(app).id
    change(app)
    for path in packs(home):
        path.unlink()
    run_id = ask("restore", app, find_backup(first), send=False)
    work(run_id)
    assert ("failed", "object_missing") == state_of(run_id)
    assert lost()


def test_what_comes_back_counts_as_there_again(app: App, home: Path) -> None:
    """A pack that was only elsewhere, and is read whole by the next check."""
    first = direct.back_up(fill(app)).id
    kept = {path: path.read_bytes() for path in packs(home)}
    for path in kept:
        path.unlink()
    assert "object_missing" == checked(first)
    assert lost()
    for path, raw in kept.items():
        path.write_bytes(raw)
    assert None is checked(first)
    assert 0 == lost()


def test_a_file_whose_only_copy_is_lost_is_told_of_and_mended_by_sending_it_again(app: App, home: Path) -> None:
    """The backup is made, and says from its beginning what it lacks."""
    app = fill(app)
    digest, size = put_file(io.BytesIO(b"x" * 5000), app.id)
    _attach(app, digest, size)
    direct.back_up(apps.find(app.id))
    for path in packs(home):
        path.unlink()
    with pytest.raises(ObjectMissing) as missing:
        read_object(digest)
    assert note_lost(missing.value)
    assert {digest} == files_missing([digest])
    with moved(400):
        born = direct.back_up(apps.find(app.id))
    assert "1 file of the app was lost" in (born.check_error or "")
    put_file(io.BytesIO(b"x" * 5000), app.id)
    assert set() == files_missing([digest])
    with moved(800):
        assert direct.back_up(apps.find(app.id)).check_error is None


def _attach(app: App, digest: str, size: int) -> None:
    from dataclasses import replace

    from core.api import documents

    sheet = documents.get(app, f"worksheet/{SHEETS[0]}")
    field = {"key": "f_Fi1es11111", "type": "file", "name": "Files", "options": {}}
    with transaction():
        documents.put(apps.find(app.id), replace(sheet, body={**sheet.body, "fields": [*sheet.body["fields"], field]}), "system")
    with transaction():
        value = [{"file": digest, "name": "a.bin", "size": size, "type": "application/octet-stream"}]
        service.put_record(apps.find(app.id), SHEETS[0], 1, {"f_Fi1es11111": value}, "system")


def test_a_store_whose_folder_is_gone_is_away_and_nothing_counts_as_lost(app: App, home: Path) -> None:
    """A disk that is not mounted: the check could not look, and when it is back all is as it was."""
    first = direct.back_up(fill(app)).id
    (home / "objects").rename(home / "elsewhere")
    assert "store_unavailable" == checked(first)
    assert (None, None, 0) == (find_backup(first).checked_at, find_backup(first).check_error, lost())
    with pytest.raises(StoreUnavailable):
        read_object(db.session.scalars(select(StoredObject.content)).first() or "")
    (home / "elsewhere").rename(home / "objects")
    assert None is checked(first)


def test_collecting_goes_on_once_a_list_has_been_lost_for_long(app: App, home: Path) -> None:
    """Until then nothing goes, and it says what to do; afterwards only what that backup alone needs is given up."""
    app = fill(app)
    broken = direct.back_up(app)
    broken_id, name = broken.id, broken.name
    for path in packs(home):
        path.unlink()
    with transaction():
        service.put_record(apps.find(app.id), SHEETS[0], 1, {FIELD: "changed"}, "system")
    with pytest.raises(ObjectMissing, match="backup-delete") as refused:
        one_pass(DAY_S)
    assert name in refused.value.message
    note_lost(refused.value)
    with moved(400):
        kept = direct.back_up(apps.find(app.id)).id
    with moved(2 * DAY_S), pytest.raises(ObjectMissing):
        one_pass(DAY_S)
    with moved((LOST_KEPT_DAYS + 1) * DAY_S):
        assert one_pass(DAY_S).condemned
    with moved((LOST_KEPT_DAYS + 3) * DAY_S):
        assert one_pass(DAY_S).removed
        assert one_pass(DAY_S).needed
    assert None is checked(kept)
    assert "object_missing" == checked(broken_id)


def test_a_backup_is_renamed_pinned_and_deleted_from_the_command_line(
        sqlite_server: Flask, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an object for programs; a pinned one stays, what is deleted is gone from the list."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    with made_organization("Example"):
        with transaction():
            app_id = apps.create("Sales", "system").id
        backup_id = direct.back_up(apps.find(app_id)).id

    def say(*words: str, status: int = 0) -> dict[str, object]:
        result = CliRunner().invoke(main, [*words, "--json"])
        assert status == result.exit_code, result.output
        found: dict[str, object] = json.loads(result.stdout)
        return found

    assert "Before the move" == say("backup-rename", backup_id, "Before the move")["name"]
    assert True is say("backup-pin", backup_id)["pinned"]
    assert "conflict" == say("backup-delete", backup_id, status=1)["error"]["code"]  # type: ignore[index]
    assert False is say("backup-pin", backup_id, "--off")["pinned"]
    assert backup_id == say("backup-delete", backup_id)["backup"]
    assert [] == say("backups", app_id)["backups"]
    assert "not_found" == say("backup-delete", backup_id, status=1)["error"]["code"]  # type: ignore[index]
