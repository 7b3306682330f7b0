"""Files: sent, put into records, read from them; and nobody gets a content by naming it."""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from werkzeug.test import TestResponse

from core.api import Document, apps, as_tenant, documents, put_file, transaction
from core.web.files import FORM_BYTES
from tests.conftest import fresh_database, opened_server
from tests.plugins.worksheets.http_api.conftest import SHEET, Desk, Records, edit_sheet, named, records_of
from tests.plugins.worksheets.web.making import field, field_ref, key_of, make_desk, rights

FILE = key_of("f", "file")


def send(records: Records, content: bytes = b"content", name: str = "a.txt", kind: str = "text/plain", **headers: str) -> TestResponse:
    """Send a file by itself."""
    headers = {"File-Name": name, **{key.replace("_", "-"): value for key, value in headers.items()}}
    return records.program.ask("POST", f"{records.app}/files", data=content, content_type=kind, headers=headers)


def handle(records: Records, **sent: Any) -> dict[str, str]:
    """Send a file, and return what a field of files takes of it."""
    answer = send(records, **sent)
    assert 201 == answer.status_code, answer.get_data(as_text=True)
    return {"upload": answer.get_json()["upload"]}


def read(records: Records, number: int, content: str, word: str = "file") -> TestResponse:
    """Ask for a file of a record."""
    return records.program.ask("GET", f"{records.url}/{number}/files/{key_of('f', word)}/{content}")


def test_a_file_goes_in_and_comes_out(both: Records) -> None:
    """By itself or in a form; more are added, and some taken away, by what the field is read as."""
    first = send(both, name="%C3%BC%20b.txt").get_json()
    assert ("ü b.txt", 7, "text/plain") == (first["name"], first["size"], first["type"])
    form = {"file": (io.BytesIO(b"picture"), "p.png", "image/png")}
    second = both.program.ask("POST", f"{both.app}/files", data=form, content_type="multipart/form-data").get_json()
    (item,) = both.make(text="A", file={"upload": first["upload"]})["values"][FILE]
    assert {"file": hashlib.sha256(b"content").hexdigest(), "name": "ü b.txt", "size": 7, "type": "text/plain"} == item
    items = both.change(1, file=[{"upload": second["upload"]}, item])["values"][FILE]
    assert ["p.png", "ü b.txt"] == [one["name"] for one in items]
    answer = read(both, 1, items[0]["file"])
    assert (200, b"picture", "image/png") == (answer.status_code, answer.data, answer.mimetype)
    assert [item] == both.change(1, file=[item])["values"][FILE]
    assert 404 == read(both, 1, items[0]["file"]).status_code
    assert FILE not in both.change(1, file=None)["values"]


def test_to_name_a_content_gives_nobody_the_content(desk: Desk, owner: Records) -> None:
    """Nor another field's or record's, nor another name for what is there."""
    with as_tenant(desk.organization_id):
        digest, size = put_file(io.BytesIO(b"a secret"))
    item = {"file": digest, "name": "a", "size": size, "type": "text/plain"}
    desk.put(text="A", file=[item])
    owner.make(text="B")
    for number, word, value in ((2, "file", item), (2, "file", [item]), (1, "signature", item), (1, "file", {**item, "name": "b"}),
                                (2, "file", {"file": digest}), (2, "file", digest), (1, "file", [item, {**item, "type": "image/png"}])):
        assert key_of("f", word) == owner.change(number, 422, **{word: value})["field"]
    assert "/create/0" == owner.batch(422, create=[{"values": named({"text": "C", "file": [item]})}])["at"]
    assert "/update/0" == owner.batch(422, update=[{"number": 2, "values": named({"file": [item]})}])["at"]
    assert 404 == read(owner, 2, digest).status_code


def test_a_handle_is_of_one_person_and_one_app(desk: Desk, owner: Records) -> None:
    """Another's is refused, one of another app, and one that was changed; and the refusals are alike."""
    mine = handle(owner)
    desk.person_with("some@example.org", rights(create=True, update="all"))
    with as_tenant(desk.organization_id), transaction():
        app = apps.create("Other", owner.program.get("/me")["person"])
        documents.put(app, Document(kind="worksheet", key=SHEET, body={"name": "Things", "fields": [field("file")]}, position=0), "system")
        elsewhere = replace(owner, app=f"/apps/{app.id}")
    changed = {"upload": mine["upload"][:9] + ("A" if mine["upload"][9] != "A" else "B") + mine["upload"][10:]}
    tries = [(records_of(desk, "some@example.org"), mine), (elsewhere, mine), (owner, handle(elsewhere)), (owner, changed), (owner, {"upload": "x"})]
    refused = {records.make(422, **({"file": given} if records is elsewhere else {"text": "A", "file": given}))["detail"] for records, given in tries}
    assert 1 == len(refused)
    owner.make(text="A", file=mine)


def test_a_handle_is_good_for_a_day(owner: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for longer."""
    mine, now = handle(owner), int(time.time())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now + 23 * 3600)
    owner.make(text="A", file=mine)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now + 25 * 3600)
    assert FILE == owner.make(422, text="A", file=mine)["field"]


def test_a_file_that_is_too_large_is_refused(home: Path, request: pytest.FixtureRequest) -> None:
    """In words where it is a little too large, before it is read where it is far too large."""
    for server in opened_server(home, fresh_database("sqlite", home, request), upload_limit_bytes=1000):
        owner = records_of(make_desk(server))
        assert 201 == send(owner, b"x" * 1000).status_code
        assert "too large" in send(owner, b"x" * 1001).get_json()["detail"]
        assert 413 == send(owner, b"x" * (FORM_BYTES + 1001)).status_code


def test_a_field_takes_what_its_options_say(desk: Desk, owner: Records) -> None:
    """Type, size, number; a signature is a picture."""
    edit_sheet(desk, fields=[field("text"), field("file", options={"types": [".txt"], "max_size": 7, "multiple": False}), field("signature")])
    owner.make(text="A", file=handle(owner))
    assert "type" in owner.change(1, 422, file=handle(owner, name="a.pdf"))["detail"]
    assert "too large" in owner.change(1, 422, file=handle(owner, content=b"12345678"))["detail"]
    assert "one item" in owner.change(1, 422, file=[handle(owner), handle(owner, content=b"2")])["detail"]
    assert "picture" in owner.change(1, 422, signature=handle(owner))["detail"]
    owner.change(1, signature=handle(owner, kind="image/png"))


def test_files_are_given_as_pages_give_them(desk: Desk, owner: Records) -> None:
    """Only of a record and a field that one may read, and not from the bin."""
    owner.make(text="A", file=handle(owner))
    digest = owner.get(1)["values"][FILE][0]["file"]
    desk.person_with("some@example.org", rights(fields=[{"field": field_ref(SHEET, "file"), "read": False}]))
    some = records_of(desk, "some@example.org")
    assert (404, 404, 404) == (read(some, 1, digest).status_code, read(owner, 1, "0" * 64).status_code, read(owner, 1, digest, "text").status_code)
    assert 403 == send(some).status_code
    owner.program.send("DELETE", f"{owner.url}/1", status=204)
    assert 404 == read(owner, 1, digest).status_code


@pytest.mark.parametrize("sent", [
    {"data": b"x"}, {"data": b"x", "headers": {"File-Name": " "}}, {"data": b"x", "headers": {"File-Name": "%20"}},
    {"data": {"other": "x"}, "content_type": "multipart/form-data"}, {"data": {"file": "x"}, "content_type": "multipart/form-data"},
    {"data": {"file": [(io.BytesIO(b"1"), "a"), (io.BytesIO(b"2"), "b")]}, "content_type": "multipart/form-data"},
    {"data": b"broken", "content_type": "multipart/form-data"}, {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"}])
def test_what_is_no_file_is_refused(owner: Records, sent: dict[str, Any]) -> None:
    """In words."""
    assert 422 == owner.program.ask("POST", f"{owner.app}/files", **sent).status_code


def test_an_empty_file_and_odd_names_are_taken(owner: Records) -> None:
    """Without folders, and with an ending; whatever type of content it says."""
    for name, kept in (("..%2F..%2Fetc%2Fpasswd", "passwd"), ("%00%0A", "file"), ("a" * 400 + ".pdf", "a" * 251 + ".pdf"), ("%FF", "\ufffd")):
        told = send(owner, b"", name, "application/x-www-form-urlencoded").get_json()
        assert (kept, 0) == (told["name"], told["size"])
        owner.make(text="A", file={"upload": told["upload"]})
