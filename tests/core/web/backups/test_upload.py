"""Restore from file: in parts and whole, resumed, refused; nothing of what is refused stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.api import apps, as_server, as_tenant, db, transaction
from core.backups import uploads
from core.backups.log import acts_of
from core.backups.models import BackupUpload
from core.base.time import moved
from core.runs.service import find, runs_of
from tenants import organizations, service
from tenants.quota import QuotaYear, usage
from tests.core.web.backups.conftest import Place, words
from tests.foreign import foreign_files, retold
from tests.web import make_member, signed_in

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> dict[str, bytes]:
    """A backup file of another server's sample app, by its part."""
    return foreign_files(tmp_path_factory.mktemp("foreign"), sqlite_template)


def begun(place: Place, size: int, name: str = "x.appkeep.zip") -> str:
    """Begin an upload and return its id."""
    answer = place.post("/uploads", data={"name": name, "size": str(size)}, headers=JSON)
    assert 201 == answer.status_code, answer.data
    return str(answer.json["upload"])


def part(place: Place, upload_id: str, offset: int | str, content: bytes) -> TestResponse:
    """Send a part."""
    return place.browser.patch(f"{place.root}/uploads/{upload_id}", data=content, headers={**JSON, "Upload-Offset": str(offset)})


def sent(place: Place, content: bytes, *, parts: int = 3) -> str:
    """Send a file in parts and return the address of the run that reads it in."""
    upload_id, step = begun(place, len(content)), len(content) // parts + 1
    for offset in range(0, len(content), step):
        assert 200 == part(place, upload_id, offset, content[offset:offset + step]).status_code
    return str(place.post(f"/uploads/{upload_id}/finish", headers=JSON).json["url"])


def received(place: Place, upload_id: str) -> int:
    """Return how much of an upload has arrived, as the server says."""
    return int(place.get(f"/uploads/{upload_id}", headers=JSON).json["received"])


def kept_parts(place: Place) -> list[str]:
    """Return the names of all parts in the store."""
    store = place.server.extensions["appkeep"].store
    return [name for name, _ in store.list(f"organizations/{place.organization_id}/uploads")]


@contextmanager
def quota_left(place: Place, left: int) -> Iterator[None]:
    """Let the organization have so many bytes of its quota left."""
    with as_tenant(place.organization_id), transaction():
        row, now = QuotaYear.__table__, usage(place.organization_id)
        db.session.execute(row.update().where(row.c.year == now.year).values(used=now.limit - left))
    yield


def zone_of(place: Place, zone: str) -> None:
    """Let the organization be in a time zone."""
    with as_tenant(place.organization_id), transaction():
        organizations.current().time_zone = zone


@pytest.mark.parametrize("what", ["config", "data", "both"])
def test_a_file_of_another_server_becomes_an_uploaded_backup(place: Place, foreign: dict[str, bytes], what: str) -> None:
    """Listed with where it came from and its signature's state; its parts are gone; the run says what it is."""
    run = sent(place, foreign[what])
    assert ["succeeded"] == place.work() and [] == kept_parts(place)
    assert "The file is valid" in words(place.browser.get(run))
    (backup,) = place.backups()
    assert ("uploaded", what, "foreign") == (backup.type, backup.part, backup.origin)
    assert "Uploaded Backup, from another server" in place.text()
    shown = place.text(f"/{backup.id}")
    assert "Signature From another server" in shown and "Origin Another server" in shown
    assert ("Restore as new app" in shown) is (what != "data")
    offered = place.get(f"/{backup.id}/restore").get_data(as_text=True)
    assert ('id="o-config"' in offered, 'id="o-data"' in offered) == (what != "data", what != "config")


def test_a_file_of_this_app_is_known_again(place: Place) -> None:
    """Downloaded and sent again it is from here, and brings nothing new into the store."""
    backup_id = place.back_up()
    sent(place, place.get(f"/{backup_id}/download/both").data)
    assert ["succeeded"] == place.work()
    backup = place.backups()[0]
    assert ("uploaded", "here", 0) == (backup.type, backup.origin, backup.added_bytes)
    assert "Uploaded Backup, created " in place.text() and "created there" not in place.text()


def test_pages_tell_when_an_uploaded_backup_was_made(place: Place, foreign: dict[str, bytes]) -> None:
    """In the organization's time zone: in the list, on its page, and where one is asked whether it may replace the app."""
    sent(place, retold(foreign["config"], created_at="2021-02-03T04:05:06Z"))
    assert ["succeeded"] == place.work()
    backup, told = place.backups()[0], "3 Feb 2021, 04:05"
    assert f"from another server, created there {told}" in place.text()
    assert f"Created {told}" in place.text(f"/{backup.id}")
    assert f"made {told} , not of “" in place.text(f"/{backup.id}/restore")


@pytest.mark.parametrize("absurd", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-45T99:99:99Z"])
def test_pages_say_nothing_of_a_moment_that_cannot_be(place: Place, foreign: dict[str, bytes], absurd: str) -> None:
    """The file is good, only what it says of itself is not; no page stumbles over it in any time zone."""
    zone_of(place, "Pacific/Kiritimati" if absurd.startswith("9") else "America/Los_Angeles")
    sent(place, retold(foreign["config"], created_at=absurd))
    assert ["succeeded"] == place.work()
    backup = place.backups()[0]
    for end in ("", f"/{backup.id}", f"/{backup.id}/restore"):
        answer = place.get(end)
        assert 200 == answer.status_code, end
        assert "created there" not in words(answer).lower() and "when it was made" not in words(answer)


def test_a_plain_form_sends_a_file_whole(place: Place, foreign: dict[str, bytes]) -> None:
    """Without a script."""
    answer = place.post("/upload", data={"file": (io.BytesIO(foreign["both"]), "a.appkeep.zip")}, content_type="multipart/form-data")
    assert 303 == answer.status_code and ["succeeded"] == place.work()
    assert "The file is valid" in words(place.browser.get(answer.headers["Location"]))


def test_a_plain_form_larger_than_a_part_is_sent_whole(place: Place, foreign: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together again in its order."""
    monkeypatch.setattr("core.web.backups.upload.PART_BYTES", 1000)
    place.post("/upload", data={"file": (io.BytesIO(foreign["both"]), "a.appkeep.zip")}, content_type="multipart/form-data")
    assert ["succeeded"] == place.work()


@pytest.mark.parametrize(("content", "name", "told"), [
    (b"", "", "Choose a file first."), (b"x" * 50, "a.zip", "Not a backup file (only"), (b"x" * 5000, "a.zip", None)])
def test_a_plain_form_without_a_backup_file_is_refused(place: Place, content: bytes, name: str, told: str | None) -> None:
    """Beside the field, or by the run that has looked at it, with a stable code."""
    answer = place.post("/upload", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")
    if told:
        assert 422 == answer.status_code and told in words(answer)
    else:
        assert ["failed"] == place.work()
        assert "not_an_archive" in words(place.browser.get(answer.headers["Location"]))
    assert [] == kept_parts(place) == place.backups()


def test_an_upload_goes_on_where_it_stopped(place: Place, foreign: dict[str, bytes]) -> None:
    """The server says how much has arrived; the page lists what is not finished."""
    content = foreign["both"]
    upload_id = begun(place, len(content), "half.appkeep.zip")
    part(place, upload_id, 0, content[:5000])
    assert 5000 == received(place, upload_id)
    assert "half.appkeep.zip 5.0 kB of" in place.text("/upload")
    part(place, upload_id, 5000, content[5000:])
    assert "half.appkeep.zip" not in place.text("/upload")
    place.post(f"/uploads/{upload_id}/finish")
    assert ["succeeded"] == place.work()


def test_a_part_out_of_place_is_refused_with_where_to_go_on(place: Place) -> None:
    """Before, beyond, twice the same: nothing of it counts."""
    upload_id = begun(place, 1000)
    part(place, upload_id, 0, b"a" * 400)
    for offset in (0, 399, 401, 10**14):
        answer = part(place, upload_id, offset, b"b" * 10)
        assert (409, "upload_out_of_place", 400) == (answer.status_code, answer.json["code"], answer.json["received"])
    assert 400 == received(place, upload_id) and 1 == len(kept_parts(place))


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "x", "9" * 30])
def test_a_part_without_a_place_is_refused(place: Place, offset: str) -> None:
    """With a sentence."""
    assert 422 == part(place, begun(place, 1000), offset, b"x").status_code


def test_more_than_was_said_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the end of the file, larger than a part may be, or empty."""
    upload_id = begun(place, 1000)
    assert 413 == part(place, upload_id, 0, b"x" * 1001).status_code
    assert 422 == part(place, upload_id, 0, b"").status_code
    monkeypatch.setattr(uploads, "MAX_PART_BYTES", 10)
    assert 413 == part(place, upload_id, 0, b"x" * 11).status_code
    assert 0 == received(place, upload_id) and [] == kept_parts(place)


def test_a_part_beyond_what_a_page_takes_is_not_read(place: Place) -> None:
    """413 before it is kept."""
    upload_id = begun(place, 50_000_000)
    assert 413 == part(place, upload_id, 0, b"x" * (uploads.MAX_PART_BYTES + 1)).status_code
    assert [] == kept_parts(place)


def test_a_part_that_another_overtook_is_not_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that begin at the same place one counts; the bytes of the other are gone."""
    upload_id = begun(place, 1000)
    with as_tenant(place.organization_id):
        stale = uploads.find_upload(upload_id, place.app_id, place.owner)
        db.session.expunge(stale)
        part(place, upload_id, 0, b"a" * 300)
        with pytest.raises(uploads.UploadOutOfPlace):
            uploads.append(stale, 0, io.BytesIO(b"b" * 300))
    assert 300 == received(place, upload_id) and 1 == len(kept_parts(place))


@pytest.mark.parametrize("size", ["", "x", "-5", "1e9", "9" * 20])
def test_a_size_that_is_none_is_refused(place: Place, size: str) -> None:
    """Nothing is begun."""
    assert 422 == place.post("/uploads", data={"name": "x", "size": size}, headers=JSON).status_code


def test_a_file_beyond_the_limit_is_not_begun(place: Place) -> None:
    """With the size and the limit."""
    answer = place.post("/uploads", data={"name": "x", "size": str(2 * 10**9 + 1)}, headers=JSON)
    assert 413 == answer.status_code and "2.0 GB" in answer.json["detail"]


def test_a_file_that_the_quota_cannot_hold_is_not_begun(place: Place, foreign: dict[str, bytes]) -> None:
    """With how much was needed and is left; what is being sent has its room set aside, so that two cannot overdraw it."""
    size = len(foreign["both"])
    with quota_left(place, size + 100):
        first = begun(place, size)
        second = place.post("/uploads", data={"name": "x", "size": str(size)}, headers=JSON)
        assert (413, "quota_exceeded", 100) == (second.status_code, second.json["code"], second.json["left_bytes"])
        place.post(f"/uploads/{first}/forget")
        begun(place, size)


def test_what_is_set_aside_is_free_again_once_the_file_is_read_in(place: Place, foreign: dict[str, bytes]) -> None:
    """Only what is new in it is counted."""
    sent(place, foreign["both"])
    place.work()
    with as_tenant(place.organization_id):
        now = usage(place.organization_id)
    assert 0 == now.reserved and place.backups()[0].added_bytes <= now.used


def test_an_upload_is_seen_by_who_sends_it_only(place: Place) -> None:
    """Another admin of the same app, and the same person in another app, get 404."""
    make_member(place.organization_id, "other@example.org")
    with as_tenant(place.organization_id), transaction():
        service.name_admin(apps.find(place.app_id), service.user_by_email("other@example.org").id)
        second = apps.create("Second", place.owner).id
    upload_id, other = begun(place, 1000), signed_in(place.server, "other@example.org")
    roots = [(other, place.root), (place.browser, place.root.replace(place.app_id, second))]
    for browser, root in roots:
        address = f"{root}/uploads/{upload_id}"
        codes = [browser.get(address).status_code, browser.patch(address, data=b"x", headers={"Upload-Offset": "0"}).status_code,
                 browser.post(f"{address}/finish").status_code, browser.post(f"{address}/forget").status_code]
        assert [404] * 4 == codes
    assert 0 == received(place, upload_id)


def test_a_file_that_has_not_arrived_is_not_read_in(place: Place) -> None:
    """409 and how much is here."""
    upload_id = begun(place, 1000)
    part(place, upload_id, 0, b"x" * 10)
    answer = place.post(f"/uploads/{upload_id}/finish", headers=JSON)
    assert (409, 10) == (answer.status_code, answer.json["received"]) and [] == place.work()


def test_a_file_is_read_in_once(place: Place, foreign: dict[str, bytes]) -> None:
    """Asking twice leads to the same run."""
    content = foreign["config"]
    upload_id = begun(place, len(content))
    part(place, upload_id, 0, content)
    urls = {place.post(f"/uploads/{upload_id}/finish").json["url"] for _ in range(2)}
    assert 1 == len(urls) and ["succeeded"] == place.work() and 1 == len(place.backups())


def test_a_file_with_a_flipped_byte_is_refused_with_a_stable_code(place: Place, foreign: dict[str, bytes]) -> None:
    """Nothing of it stays: no backup, no parts, no quota."""
    content = bytearray(foreign["both"])
    content[len(content) // 2] ^= 1
    run = sent(place, bytes(content))
    assert ["failed"] == place.work()
    shown = words(place.browser.get(run))
    assert "archive_damaged" in shown and "Nothing was saved." in shown and "Choose a file" in shown
    assert [] == kept_parts(place) == place.backups()
    with as_tenant(place.organization_id):
        assert 0 == usage(place.organization_id).reserved
        assert ["archive_damaged", "asked"] == [act.result for act in acts_of(place.app_id, act="upload")]


def test_a_file_whose_new_content_the_quota_cannot_hold_fails_whole(place: Place, foreign: dict[str, bytes]) -> None:
    """Found when it is read in, where the room went to others meanwhile."""
    run = sent(place, foreign["both"])
    with quota_left(place, 10):
        assert ["failed"] == place.work()
    assert "quota_exceeded" in words(place.browser.get(run)) and [] == place.backups() == kept_parts(place)


def test_what_nobody_goes_on_with_is_given_up_after_a_day(place: Place) -> None:
    """Its parts and its room are free again; what was touched since stays."""
    old = begun(place, 1000)
    part(place, old, 0, b"x" * 500)
    with moved(3600 * 23):
        young = begun(place, 1000)
    with moved(3600 * 24 + 1):
        assert 1 == uploads.forget_old()
        assert 0 == uploads.forget_old()
    with as_server():
        assert [young] == list(db.session.scalars(select(BackupUpload.id)))
    assert [] == kept_parts(place)
    with as_tenant(place.organization_id):
        assert 1000 == usage(place.organization_id).reserved


def test_only_a_few_are_open_at_once(place: Place) -> None:
    """The next is refused in words until one is finished or removed."""
    ids = [begun(place, 1000) for _ in range(uploads.MAX_OPEN)]
    answer = place.post("/uploads", data={"name": "x", "size": "1000"}, headers=JSON)
    assert 422 == answer.status_code and "unfinished uploads" in answer.json["detail"]
    assert 303 == place.post(f"/uploads/{ids[0]}/forget").status_code
    begun(place, 1000)


def test_a_read_in_that_is_cancelled_leaves_nothing(place: Place, foreign: dict[str, bytes]) -> None:
    """Nor does its upload stay."""
    run = sent(place, foreign["both"])
    with as_tenant(place.organization_id), transaction():
        find(run.rpartition("/")[2]).cancel_requested = True
    assert ["cancelled"] == place.work() and [] == place.backups() == kept_parts(place)


def test_a_read_in_that_is_cancelled_before_it_began_leaves_nothing(place: Place, foreign: dict[str, bytes]) -> None:
    """By its button."""
    run = sent(place, foreign["both"])
    place.browser.post(f"{run}/cancel")
    assert [] == place.work() == place.backups() == kept_parts(place)
    with as_tenant(place.organization_id):
        assert 0 == usage(place.organization_id).reserved


def test_the_run_of_a_file_tells_its_name(place: Place, foreign: dict[str, bytes]) -> None:
    """The log has what the file was called and its size."""
    sent(place, foreign["config"])
    with as_tenant(place.organization_id):
        assert "upload" == runs_of(place.app_id)[0].kind
    assert "x.appkeep.zip," in place.text("/logs")
