"""The main job with S3 as the store, on both databases: in, backed up, wrecked, restored, sent in parts, collected."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, AppkeepError, apps, direct, import_file, transaction
from core.backups import catalog, uploads
from core.backups.catalog import find_backup
from core.base.errors import ObjectMissing
from core.base.time import moved
from core.gc.sweep import one_pass
from core.objects.index import known_descriptors
from core.objects.packs import pack_name
from core.objects.reader import read_file
from core.objects.writer import put_file, writing_objects
from core.runs.service import report_of, work
from core.server import server as current
from tests.conftest import made_organization, opened_server
from tests.wrecking import undo_new, wreck

DAY_S = 24 * 3600


@pytest.fixture
def on_s3(database_url: str, home: Path, bucket: str) -> Iterator[Flask]:
    """A server that keeps its objects in a bucket."""
    yield from opened_server(home, database_url, store_url=bucket)


@pytest.fixture
def sample(on_s3: Flask) -> Iterator[App]:
    """The sample app, which has files."""
    with made_organization("Far away") as organization:
        yield apps.find(import_file(Path("sample"), organization, "system", importer="sample")["app"])


def names() -> set[str]:
    """Return all names in the store."""
    return {name for name, _ in current().store.list("organizations")}


def test_a_wrecked_app_comes_back_exactly(sample: App, home: Path) -> None:
    """And nothing of it lies in the home folder."""
    app_id, before = sample.id, direct.content_id(sample)
    backup_id = direct.back_up(sample).id
    done = wreck(apps.find(app_id))
    assert before != direct.content_id(apps.find(app_id))
    direct.restore(apps.find(app_id), find_backup(backup_id), safety_backup=True)
    undo_new(apps.find(app_id), done)
    assert before == direct.content_id(apps.find(app_id))
    assert direct.check(find_backup(backup_id), deep=True)["trial"]["same"]
    assert names() and not (home / "objects").exists()


def test_a_file_is_sent_in_parts(sample: App) -> None:
    """Its parts lie in the bucket until it is read in."""
    app_id, backup = sample.id, direct.back_up(sample)
    content, content_id = direct.file_of(backup), backup.content_id
    upload = uploads.begin(apps.find(app_id), "system", "x.appkeep.zip", len(content)).id
    middle = len(content) // 2
    for start, end in ((0, middle), (middle, len(content))):
        uploads.append(uploads.find_upload(upload, app_id, "system"), start, io.BytesIO(content[start:end]))
    assert 2 == sum(name.endswith(".part") for name in names())
    with transaction():
        run_id = uploads.finish(uploads.find_upload(upload, app_id, "system"), "system", send=False).id
    ended = work(run_id)
    assert ended is not None and content_id == find_backup(report_of(ended)["backup"]).content_id
    assert not [name for name in names() if name.endswith(".part")]


def test_what_nothing_needs_leaves_the_bucket(sample: App) -> None:
    """What a deleted backup alone needed, and what was never catalogued; what is needed stays."""
    app_id = sample.id
    first = direct.back_up(sample).id
    wreck(apps.find(app_id))
    with moved(400):
        second = direct.back_up(apps.find(app_id)).id
    with transaction():
        catalog.delete(first, "system")
    with writing_objects() as writer:
        writer.put(b"never recorded")
    lost = pack_name(sample.organization_id, known_or_added(writer))
    large = bytes(range(256)) * 4096
    content, _ = put_file(io.BytesIO(large), app_id)
    with moved(2 * DAY_S):
        found = one_pass(DAY_S)
        assert found.condemned, found
        assert lost in names()
    with moved(4 * DAY_S):
        assert one_pass(DAY_S).removed
    assert one_pass(0).leftovers_removed and lost not in names()
    with pytest.raises(ObjectMissing):
        read_file(content)
    with moved(5 * DAY_S):
        assert direct.check(find_backup(second))["sound"]


def known_or_added(writer) -> str:  # type: ignore[no-untyped-def]
    """Return the pack in which the only object of a writer lies."""
    pack: str = next(iter(writer.added.values())).pack
    return pack


def test_an_object_that_the_bucket_has_lost_is_noticed(sample: App) -> None:
    """By the check, before anything is restored."""
    backup = direct.back_up(sample)
    pack = known_descriptors([backup_line(backup)])[backup_line(backup)].pack
    current().store.delete(pack_name(sample.organization_id, pack))
    with pytest.raises(AppkeepError, match="has no object"):
        direct.check(find_backup(backup.id))


def backup_line(backup) -> str:  # type: ignore[no-untyped-def]
    """Return the content of one of a backup's segments."""
    from core.backups.reader import BackupReader

    found: str = BackupReader(backup).lines["worksheets", "data"][0].content
    return found
