"""The quota of uploads: exact to the byte, whoever comes at once, and nothing of what it refuses stays."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.api import App, apps, as_tenant, db, direct, transaction
from core.backups.models import Backup
from core.base.errors import AppkeepError
from core.objects.index import StoredObject
from core.objects.writer import put_file
from tenants import quota
from tenants.plans import PLANS, Plan
from tenants.service import find_organization

LIMIT = 1_000_000


@pytest.fixture
def limit(organization: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A plan of a million bytes a year, and the organization on it."""
    monkeypatch.setitem(PLANS, "small", Plan("small", "Small", LIMIT, scheduled_backups=True))
    with transaction():
        find_organization(organization).plan = "small"
    yield LIMIT


def stored_bytes() -> int:
    """Return what the organization's objects take by the catalogue."""
    return int(db.session.scalar(select(func.coalesce(func.sum(StoredObject.size), 0))) or 0)


def test_what_is_stored_is_what_is_counted(organization: str, limit: int, app: App) -> None:
    """Used equals the bytes that uploads and backups added to storage; the ledger's sum says the same."""
    put_file(io.BytesIO(b"a" * 1000), app.id)
    backup = direct.back_up(app)
    now = quota.usage(organization)
    assert stored_bytes() == now.used
    assert 0 == now.reserved
    told = quota.by_month(organization, now.year)
    assert now.used == sum(row["bytes"] for row in told)
    assert {"attachment", "backup"} == {row["purpose"] for row in told}
    assert backup.added_bytes == sum(row["bytes"] for row in told if row["purpose"] == "backup")


def test_content_that_is_there_is_not_counted_again(organization: str, limit: int) -> None:
    """The second upload of one content costs nothing."""
    put_file(io.BytesIO(b"the same"))
    before = quota.usage(organization).used
    put_file(io.BytesIO(b"the same"))
    assert before == quota.usage(organization).used


def test_deleting_gives_nothing_back(organization: str, limit: int, app: App) -> None:
    """The quota is one of uploads in a year."""
    backup = direct.back_up(app)
    before = quota.usage(organization).used
    with transaction():
        found = db.session.get(Backup, backup.id)
        assert found is not None
        found.deleted_at = 1
    assert before == quota.usage(organization).used


def test_a_backup_that_does_not_fit_fails_whole(organization: str, limit: int, app: App, server: Flask) -> None:
    """It says what was needed and left; no row, no object, no reservation stays."""
    with transaction():
        quota.settle(organization, limit - 10, "q_filled", "attachment", None)
    before = stored_bytes()
    with pytest.raises(AppkeepError) as refused:
        direct.back_up(app)
    assert "quota_exceeded" == refused.value.code
    assert " 10 of 1,000,000 are left" in refused.value.message
    assert (before, 0, 0) == (stored_bytes(), quota.usage(organization).reserved, db.session.scalar(
        select(func.count()).select_from(Backup)))
    assert [] == [path for path in (server.extensions["appkeep"].config.home_path / "objects").rglob("*") if path.is_file()]


def test_fifty_at_once_never_overdraw(server: Flask, organization: str, limit: int) -> None:
    """Fifty uploads of 30,000 bytes that cannot be compressed: as many pass as fit, and not a byte more is counted."""
    refused: list[str] = []
    start = threading.Barrier(10)

    def upload(first: int) -> None:
        with server.app_context(), as_tenant(organization):
            start.wait()
            for n in range(first, first + 5):
                try:
                    put_file(io.BytesIO(random.Random(n).randbytes(30_000)))
                except quota.QuotaExceeded as error:
                    refused.append(error.code)

    threads = [threading.Thread(target=upload, args=(n,)) for n in range(0, 50, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = quota.usage(organization)
    assert now.used == stored_bytes() <= limit
    assert 0 == now.reserved
    # As much was let in as fits: one more of that size would not.
    assert now.used + 30_000 > limit
    assert 50 - len(refused) == db.session.scalar(select(func.count()).select_from(StoredObject))


def test_fifty_threads_of_uploads_and_backups_never_overdraw(server: Flask, organization: str, limit: int) -> None:
    """Half of them upload, half back an app up, all of it new content: what passes fits, what is refused leaves nothing."""
    with transaction():
        filled = [fill_with_chance(f"App {n}") for n in range(25)]
        used = quota.usage(organization).used
    refused: list[str] = []
    start, room = threading.Barrier(50), threading.Semaphore(20)  # a server of PostgreSQL has a hundred connections, a backup takes up to three

    def work(number: int) -> None:
        start.wait()
        with room, server.app_context(), as_tenant(organization):
            try:
                if number < 25:
                    put_file(io.BytesIO(random.Random(number).randbytes(30_000)), filled[number])
                else:
                    direct.back_up(apps.find(filled[number - 25]))
            except AppkeepError as error:
                refused.append(error.code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = quota.usage(organization)
    assert {"quota_exceeded"} == set(refused) and used < now.used == stored_bytes() <= limit
    assert (0, now.used) == (now.reserved, sum(row["bytes"] for row in quota.by_month(organization, now.year)))
    # As much was let in as fits: one more upload of that size would not.
    assert now.used + 30_000 > limit
    backups = list(db.session.scalars(select(Backup)))
    uploads = sum(row["bytes"] for row in quota.by_month(organization, now.year) if row["purpose"] == "attachment")
    assert now.used - uploads == sum(backup.added_bytes for backup in backups)
    assert 50 - len(refused) == len(backups) + uploads // 30_000


def fill_with_chance(name: str) -> str:
    """Make an app whose backup holds some 30,000 bytes that no other has, and return its id."""
    app = apps.create(name, "system")
    sheet = {"name": "Sheet", "fields": [{"key": "f_1111111111", "name": "Text", "type": "long_text", "options": {}}]}
    text = random.Random(name).randbytes(20_000).hex()
    apps.apply(app, [{"op": "put", "document": "worksheet/w_1111111111", "body": sheet}, {
        "op": "put_record", "worksheet": "w_1111111111", "seq": None, "values": {"f_1111111111": text}}], "system")
    return app.id


def test_room_set_aside_by_a_dead_process_comes_back(organization: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day nobody comes for it any more."""
    quota.reserve(organization, 500_000, "q_dead")
    assert 500_000 == quota.usage(organization).reserved
    assert 0 == quota.release_forgotten()
    monkeypatch.setattr(quota, "KEPT_ASIDE_US", -1)
    assert 1 == quota.release_forgotten()
    assert 0 == quota.usage(organization).reserved


def test_the_year_is_the_organizations(organization: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """New Year comes earlier in Auckland: what is uploaded then counts to the new year."""
    with transaction():
        find_organization(organization).time_zone = "Pacific/Auckland"
    moment = 1_798_714_800_000_000  # 2026-12-31 11:00 UTC
    monkeypatch.setattr(quota, "now_us", lambda: moment)
    put_file(io.BytesIO(b"at noon in Auckland"))
    assert [2027] == list(quota.years(organization))
    assert 0 == quota.usage(organization, 2026).used < quota.usage(organization, 2027).used


def test_another_organization_has_its_own(organization: str, limit: int, app: App) -> None:
    """What one uploads takes nothing from the other, and one sees only its own ledger."""
    from core.api import as_server
    from tenants.service import create_organization

    with as_server(), transaction():
        other = create_organization("Other", "other@example.org").id
    put_file(io.BytesIO(b"mine"), app.id)
    with as_tenant(other):
        assert 0 == quota.usage(other).used
        assert [] == quota.by_month(other, quota.usage(other).year)
    assert apps.find(app.id).id == app.id
