"""Everything that a page refuses, the API refuses; and what one may not know of is as if it did not exist."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.api import as_tenant, transaction
from core.runs.service import request
from tests.plugins.worksheets.http_api.conftest import PEOPLE, SHEET, Desk, Records, edit_sheet, named, records_of
from tests.plugins.worksheets.web.making import field_ref, key_of, rights
from tests.web import make_member, make_organization

SECRET, SOME = key_of("f", "secret"), "some@example.org"
OPERATIONS: list[tuple[str, str, Any]] = [
    ("GET", "", None), ("GET", "/records", None), ("POST", "/records", {"values": {}}), ("GET", "/records/1", None),
    ("PATCH", "/records/1", {"values": {}}), ("DELETE", "/records/1", None), ("POST", "/records/1/restore", None),
    ("POST", "/records/batch", {}), ("GET", f"/records/1/files/{key_of('f', 'file')}/{'0' * 64}", None),
    ("POST", f"/records/1/rows/{key_of('f', 'rows')}", {"values": {}})]


def member(desk: Desk, **may: Any) -> Records:
    """Return the program of a member whose role gives this on the worksheet."""
    desk.person_with(SOME, rights(**may))
    return records_of(desk, SOME)


def told(records: Records, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    """Return how an operation on the worksheet is answered, without where it was asked."""
    answer = records.program.ask(method, f"{records.app}/worksheets/{records.sheet}{path}", **({} if body is None else {"json": body}))
    return answer.status_code, {**answer.get_json(), "instance": ""}


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_what_one_does_not_see_is_not_there(desk: Desk, method: str, path: str, body: Any) -> None:
    """To another organization's admin, and to members without a role here: the same answer as for what does not exist."""
    desk.put(text="A")
    desk.person_with(SOME, rights(PEOPLE))
    make_member(desk.organization_id, "idle@example.org")
    other = make_organization("Other", "other@example.org")
    for records in (records_of(desk, SOME), records_of(desk, "idle@example.org"), records_of(desk, "other@example.org", organization_id=other)):
        status, hidden = told(records, method, path, body)
        records.sheet = "w_Gone111111"
        assert (404, hidden) == (status, told(records, method, path, body)[1])


def test_a_worksheet_that_one_does_not_see_is_not_listed(desk: Desk) -> None:
    """Only those that a role gives are."""
    desk.person_with(SOME, rights(PEOPLE))
    records = records_of(desk, SOME)
    assert [PEOPLE] == [one["worksheet"] for one in records.program.get(f"{records.app}/worksheets")["items"]]


def test_a_reader_reads_and_nothing_else(desk: Desk) -> None:
    """What they see they may not change: 403."""
    desk.put(text="A")
    records = member(desk)
    assert [1] == records.numbers()
    records.make(403, text="B")
    records.change(1, 403, text="B")
    records.batch(403, create=[{"values": {}}])
    assert [403, 403] == [records.refused(1, method) for method in ("DELETE", "PATCH")]
    assert (403, 403) == (records.ask(deleted="true").status_code, records.program.ask("POST", f"{records.url}/1/restore").status_code)
    assert 403 == records.program.ask("POST", f"{records.app}/files", data=b"x", headers={"File-Name": "a"}).status_code
    fields = records.program.get(f"{records.app}/worksheets/{SHEET}")["fields"]
    assert not any(one["writable"] or one["writable_in_new"] for one in fields)
    assert {} == next(one for one in fields if one["key"] == key_of("f", "double"))["options"]


def test_own_records_only(desk: Desk) -> None:
    """The others' are not there: not listed, searched, filtered, read, changed, deleted, in the bin, in a batch."""
    theirs = desk.put(text="Theirs")
    records = member(desk, read="own", update="own", delete="own", create=True)
    mine = records.make(text="Mine")["number"]
    assert [mine] == records.numbers() == records.numbers(search="i") == records.numbers(sort="-number")
    assert [] == records.numbers(filter=json.dumps({"field": key_of("f", "text"), "operator": "is", "value": "Theirs"}))
    assert [404, 404, 404] == [records.refused(theirs, method) for method in ("GET", "PATCH", "DELETE")]
    gone = records.change(99, 404, text="X")
    assert {**gone, "instance": ""} == {**records.change(theirs, 404, text="X"), "instance": ""}
    assert "/update/1" == records.batch(404, update=[{"number": mine, "values": {}}, {"number": theirs, "values": {}}])["at"]
    owner = records_of(desk)
    owner.batch(delete=[{"number": mine}, {"number": theirs}])
    assert [mine] == records.numbers(deleted="true")
    assert 404 == records.program.ask("POST", f"{records.url}/{theirs}/restore").status_code
    records.program.send("POST", f"{records.url}/{mine}/restore", status=200)


def test_who_gives_a_record_away_is_told_that_it_is_changed(desk: Desk) -> None:
    """It is theirs by a field; once that names another, they are answered its number, and it is saved."""
    records = member(desk, read="own", update="own", create=False)
    with as_tenant(desk.organization_id):
        person = records.program.get("/me")["person"]
    number = desk.put(text="A", member=[{"org": f"user/{person}"}])
    assert {"number": number} == records.change(number, member=None, text="Given")
    assert ("Given", 404) == (desk.value(number, "text"), records.refused(number))


def test_a_field_that_may_not_be_read_is_nowhere(desk: Desk) -> None:
    """Not read, searched, asked for, sorted by, named, or written; and it is refused as one that there is not."""
    desk.put(text="A", secret="swordfish")
    desk.put(text="B", secret="tulip")
    records = member(desk, update="all", create=True, fields=[{"field": field_ref(SHEET, "secret"), "read": False}])
    told = [records.program.ask("GET", path).get_data(as_text=True) for path in (f"{records.app}/worksheets/{SHEET}", records.url, f"{records.url}/1")]
    assert not any("swordfish" in text or SECRET in text for text in told)
    assert [] == records.numbers(search="swordfish")
    gone = key_of("f", "gone")
    for ask in ({"sort": "{}"}, {"filter": '{{"field": "{}", "operator": "is_filled"}}'}):
        answers = [records.ask(**{name: text.format(key) for name, text in ask.items()}) for key in (SECRET, gone)]
        assert [422, 422] == [one.status_code for one in answers]
        assert answers[0].get_json()["detail"] == answers[1].get_json()["detail"].replace(gone, SECRET)
    for refused in (records.change(1, 422, secret="x"), records.make(422, text="C", secret="x"),
                    records.batch(422, create=[{"values": named({"text": "C", "secret": "x"})}])):
        assert f"“{SECRET}” is not a field of this worksheet that you can read." == refused["detail"]
    assert "swordfish" == desk.value(1, "secret")
    records.change(1, text="Changed")
    assert "swordfish" == desk.value(1, "secret")


def test_a_field_that_may_only_be_read_is_not_written(desk: Desk) -> None:
    """Neither in a new record."""
    desk.put(text="A", secret="seen")
    records = member(desk, update="all", create=True, fields=[{"field": field_ref(SHEET, "secret"), "write": False}])
    assert "seen" == records.get(1)["values"][SECRET]
    assert [SECRET, SECRET] == [records.change(1, 403, secret="x")["field"], records.make(403, text="B", secret="x")["field"]]


def test_who_creates_and_does_not_read_is_answered_the_number(desk: Desk) -> None:
    """No record is theirs to see, and what they send is there."""
    records = member(desk, read="none", create=True)
    assert {"number": 1} == records.make(text="Sent")
    assert ("Sent", [], 404) == (desk.value(1, "text"), records.numbers(), records.refused(1))
    assert [2] == records.batch(create=[{"values": named({"text": "B"})}])["created"]


def test_a_view_that_is_not_shown_is_not_there(desk: Desk) -> None:
    """As one that there is not."""
    records = member(desk, views=[{"view": {"ref": f"worksheet/{SHEET}/view/v_Hidden1111"}, "visible": False}])
    keys = [one["key"] for one in records.program.get(f"{records.app}/worksheets/{SHEET}")["views"]]
    assert "v_ALL1111111" in keys and "v_Hidden1111" not in keys
    assert records.ask(view="v_Hidden1111").get_json() == records.ask(view="v_Gone111111").get_json()


def test_records_that_one_may_not_read_are_not_linked(desk: Desk) -> None:
    """Those that are linked stay; others are as if they did not exist, in links, ways and free links."""
    for name in ("Ada", "Bo"):
        desk.put(PEOPLE, name=name)
    desk.put(text="A", link=[1])
    records = member(desk, update="all", create=True)
    for values in ({"link": [1, 2]}, {"way": [2]}, {"free_link": [{"ref": f"worksheet/{PEOPLE}/record/2"}]}):
        refused = records.change(1, 422, **values)
        there_is_none = records.change(1, 422, **json.loads(json.dumps(values).replace("2", "77")))
        assert refused["detail"].replace("2", "N") == there_is_none["detail"].replace("77", "N")
        assert "/create/0" == records.batch(422, create=[{"values": named({"text": "B", **values})}])["at"]
    assert [1] == records.change(1, link=[1], text="B")["values"][key_of("f", "link")]


def test_a_token_reaches_as_far_as_its_scopes(desk: Desk) -> None:
    """One that reads writes nothing, one that writes reads nothing."""
    desk.put(text="A")
    reads, writes = records_of(desk, scopes=("read",)), records_of(desk, scopes=("write",))
    assert "scope_missing" == reads.make(403, text="B")["code"] == reads.change(1, 403, text="B")["code"] == reads.batch(403)["code"]
    assert [403, 200] == [writes.ask().status_code, reads.ask().status_code]
    assert "B" == writes.change(1, text="B")["values"][key_of("f", "text")]


def test_an_app_that_is_restored_takes_nothing(desk: Desk, owner: Records) -> None:
    """Reads go on."""
    owner.make(text="A")
    with as_tenant(desk.organization_id), transaction():
        desk.app.restoring_run_id = request("restore", desk.app, {}, "system", send=False).id
    refused = [owner.make(409, text="B"), owner.change(1, 409, text="B"), owner.batch(409, create=[{"values": named({"text": "B"})}])]
    assert {"app_restoring"} == {one["code"] for one in refused} and 409 == owner.refused(1, "DELETE")
    assert "A" == owner.get(1)["values"][key_of("f", "text")]


def test_what_a_view_cannot_ask_for_somebody_is_noted(desk: Desk) -> None:
    """The view's condition on a field that they may not read is left out, as in the grid; and that is said."""
    edit_sheet(desk, views=[{"key": "v_ALL1111111", "type": "grid", "name": "All", "filter": {
        "field": field_ref(SHEET, "secret"), "operator": "is", "value": "swordfish"}}])
    desk.put(text="A", secret="tulip")
    records = member(desk, fields=[{"field": field_ref(SHEET, "secret"), "read": False}])
    answer = records.program.get(records.url, view="v_ALL1111111")
    assert (["A condition on a field that you cannot see was ignored."], [1]) == (answer["notes"], [one["number"] for one in answer["items"]])
    owner = records_of(desk).program.get(records.url, view="v_ALL1111111")
    assert ([], []) == (owner["notes"], owner["items"])
