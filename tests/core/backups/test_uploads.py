"""Uploads in parts, on each engine: what counts is one conditional row, whoever comes at the same moment."""

from __future__ import annotations

import io
import threading

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, db, direct, transaction
from core.backups import uploads
from core.backups.catalog import backups_of
from core.base.time import moved
from core.runs.service import find, report_of, work
from tenants.service import user_by_email
from tests.conftest import OWNER


@pytest.fixture
def owner(organization: str) -> str:
    """The id of the organization's owner."""
    return user_by_email(OWNER).id


def sent(app: App, owner: str, content: bytes, size: int) -> uploads.BackupUpload:
    """Send a file in parts of a size and return its upload."""
    upload_id, app_id = uploads.begin(app, owner, "x.zip", len(content)).id, app.id
    for offset in range(0, len(content), size):
        uploads.append(uploads.find_upload(upload_id, app_id, owner), offset, io.BytesIO(content[offset:offset + size]))
    return uploads.find_upload(upload_id, app_id, owner)


def test_a_file_sent_in_parts_becomes_the_same_backup(app: App, owner: str) -> None:
    """With the same content, and nothing new in the store."""
    backup = direct.back_up(app)
    content_id, app_id, organization_id = backup.content_id, app.id, app.organization_id
    upload = sent(app, owner, direct.file_of(backup), 700)
    with transaction():
        run_id = uploads.finish(upload, owner, send=False).id
    with as_tenant(organization_id):
        work(run_id)
    run = find(run_id)
    assert "succeeded" == run.state, run.error_message
    made = next(b for b in backups_of(app_id) if b.id == report_of(run)["backup"])
    assert (content_id, "uploaded", "here", 0, run_id) == (made.content_id, made.type, made.origin, made.added_bytes, made.run_id)


def test_of_many_parts_for_the_same_place_one_counts(server: Flask, app: App, owner: str) -> None:
    """Each sender is told so or refused; the file has the bytes of exactly one."""
    app_id, organization_id = app.id, app.organization_id
    upload_id = uploads.begin(app, owner, "x.zip", 1000).id
    taken: list[bytes] = []
    together = threading.Barrier(6)

    def send(mark: bytes) -> None:
        with server.app_context(), as_tenant(organization_id):
            found = uploads.find_upload(upload_id, app_id, owner)
            db.session.expunge(found)
            together.wait()
            try:
                uploads.append(found, 0, io.BytesIO(mark * 500))
                taken.append(mark)
            except uploads.UploadOutOfPlace:
                pass
            finally:
                db.session.remove()

    threads = [threading.Thread(target=send, args=(bytes([65 + n]),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == len(taken)
    db.session.rollback()  # what this thread has read before is from before
    upload = uploads.find_upload(upload_id, app_id, owner)
    store = server.extensions["appkeep"].store
    kept = [name for name, _ in store.list(f"organizations/{organization_id}/uploads/{upload_id}")]
    assert (500, 1) == (upload.received, len(kept)) and taken[0] * 500 == b"".join(store.get(kept[0]))


def test_old_uploads_are_given_up(app: App, owner: str) -> None:
    """A day after the last part, not before."""
    app_id = app.id
    uploads.begin(app, owner, "x.zip", 1000)
    with moved(86300):
        assert 0 == uploads.forget_old()
    with moved(86500):
        assert 1 == uploads.forget_old()
    assert [] == uploads.open_uploads(app_id, owner)


def test_pages_of_backups_hold_each_once(app: App) -> None:
    """Also those of the same moment; the newest first."""
    made = []
    for n in range(5):
        with moved(400 * (n + 1)):
            made.append(direct.back_up(apps.find(app.id), data=False).id)
    with transaction():
        for backup in backups_of(app.id)[:3]:
            backup.created_at = 5_000_000_000_000_000
    seen: list[str] = []
    before = None
    while found := backups_of(app.id, before=before, most=2):
        seen += [backup.id for backup in found]
        before = found[-1]
    assert sorted(made) == sorted(seen) and [b.id for b in backups_of(app.id)] == seen
