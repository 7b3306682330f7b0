"""What a look at all backups costs: a listing of names and sizes, and each list of contents once; in a folder as in S3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, db, direct, server, transaction
from core.backups.catalog import find_backup
from core.objects import presence
from core.runs.service import find, report_of, request, work
from core.storage.store import Store
from plugins.worksheets import service
from tests.conftest import fresh_database, opened_server
from tests.core.runs.making import FIELD, SHEETS, fill

BACKUPS = 6


@pytest.fixture(params=["folder", "s3"])
def server_of(request: pytest.FixtureRequest, home: Path) -> Iterator[Flask]:
    """A server with each kind of store; backups may follow each other at once."""
    store = {"store_url": request.getfixturevalue("bucket")} if request.param == "s3" else {}
    yield from opened_server(home, fresh_database("sqlite", home, request), backup_interval_s=0, **store)


@pytest.fixture
def backups(server_of: Flask) -> Iterator[list[str]]:
    """Backups of an app, each with another value, in an organization of its own."""
    from tests.conftest import made_organization

    with made_organization("Example"):
        with transaction():
            app = apps.create("Sales", "system")
        yield _made(fill(app))


def _made(app: App) -> list[str]:
    found = []
    for number in range(BACKUPS):
        with transaction():
            service.put_record(apps.find(app.id), SHEETS[0], 1, {FIELD: f"value {number}"}, "system")
        found.append(direct.back_up(apps.find(app.id)).id)
    return found


class Counting:
    """A store that counts what it is asked for."""

    def __init__(self, store: Store) -> None:
        self.store, self.asked = store, Counter[str]()

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        self.asked[name] += 1
        return getattr(self.store, name)


@pytest.fixture
def counted(backups: list[str], monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The server's store, counting."""
    found = Counting(server().store)
    object.__setattr__(server(), "store", found)
    return found


def looked() -> dict[str, object]:
    """Look at all backups of the organization."""
    with transaction():
        run_id = request("look", None, {}, "system", send=False).id
    work(run_id)
    assert "succeeded" == find(run_id).state, find(run_id).error_message
    return report_of(find(run_id))


def test_names_are_listed_once_for_all_backups(backups: list[str], counted: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many objects there are: one listing, no name by itself, and no more reads than there are lists."""
    monkeypatch.setattr(presence, "FEW_NAMES", 1)
    assert BACKUPS == looked()["backups"]
    lists = {entry.index for one in backups for entry in _entries(one)}
    assert (1, 0) == (counted.asked["sizes"], counted.asked["size"])
    assert counted.asked["get"] <= len(lists)


def test_few_names_are_asked_for_by_themselves(backups: list[str], counted: Counting) -> None:
    """A listing would name all that the organization has."""
    looked()
    assert (0, BACKUPS) == (counted.asked["sizes"], counted.asked["size"])


def test_what_a_listing_left_out_is_asked_for_before_it_counts_as_lost(
        backups: list[str], counted: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing is no moment: what was there when it began may stand elsewhere when it ends."""
    monkeypatch.setattr(presence, "FEW_NAMES", 1)
    monkeypatch.setattr(presence, "sizes", lambda store, prefix: iter(()))
    assert 0 == looked()["damaged"]


def test_a_pack_that_is_gone_damages_the_backups_that_need_it(backups: list[str], counted: Counting) -> None:
    """The last one's alone is its own."""
    last = find_backup(backups[-1])
    names = sorted(name for name, _ in server().store.list(f"organizations/{last.organization_id}/packs"))
    for name in names:
        server().store.delete(name)
    db.session.rollback()
    assert BACKUPS == looked()["damaged"]


def test_a_store_that_lists_no_sizes_is_asked_for_each(backups: list[str], counted: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores of strangers need not know of sizes in a listing."""
    monkeypatch.setattr(presence, "FEW_NAMES", 1)
    monkeypatch.setattr(Counting, "sizes", None, raising=False)
    assert 0 == looked()["damaged"]
    assert counted.asked["list"] == 1 and counted.asked["size"] >= BACKUPS


def _entries(backup_id: str):  # type: ignore[no-untyped-def]
    from core.backups.reader import BackupReader

    return [entry for _, _, entry in BackupReader(find_backup(backup_id)).content.entries()]
