"""Values of each type: taken in the form that they are given in, refused in any other, with the field's name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.worksheets.http_api.conftest import PEOPLE, Desk, Records, named, records_of
from tests.plugins.worksheets.web.making import BLUE, RED, key_of

GOOD: dict[str, Any] = {
    "text": "Ä\u2028 𝄞", "long_text": "a\nb", "rich_text": "**b**", "number": -3, "exact": "12.50", "currency": "0.10", "percent": 25,
    "date": "2026-11-23", "datetime": "2026-11-23T09:30:00.5Z", "time": "09:30:00", "duration": 90, "checkbox": True,
    "single_select": RED, "multiple_select": [RED, BLUE], "rating": 3, "email": "a@example.org", "phone": "+49 30 1", "url": "https://a.example",
    "identity_number": "AB-1", "location": {"lat": "52.5", "lon": "13.4", "label": "Home"}, "region": ["Germany", "Berlin"], "link": [1],
    "free_link": [{"ref": f"worksheet/{PEOPLE}/record/1"}], "way": [1]}
ODD: list[Any] = [
    "", " ", "x", "\ud800", 0, 1, -1, 1.5, 1e300, 2**53 - 1, True, False, [], {}, [[]], [{}], [None], [1], ["x"], {"a": 1}, {"ref": "x"},
    {"file": "x"}, {"upload": "x"}, {"upload": 1}, {"org": "user/u_1111111111"}, {"lat": 1}, {"lat": 1e9, "lon": []}, "a" * 70_000,
    "9" * 400, [1] * 6000, "2026-02-30", "25:00:00", "o_Gone111111", ["o_Gone111111"], "javascript:alert(1)",
    {"file": "0" * 64, "name": "a", "size": 1, "type": "text/plain"}, ["worksheet/w_1/record/1"], {"$ref": "#"}]
WORDS = [*GOOD, "autonumber", "member", "department", "org_role", "file", "signature", "rows", "double", "created_time", "imported", "head"]


def test_values_come_back_as_they_were_given(desk: Desk) -> None:
    """In the form that records hold, so that what is read can be sent."""
    desk.put(PEOPLE, name="Ann")
    records = records_of(desk)
    made = records.make(**GOOD)
    assert named(GOOD) == {key: value for key, value in made["values"].items() if key != key_of("f", "autonumber")}
    assert records.change(1, match=made["etag"], **GOOD)["etag"] == made["etag"]
    assert named({"text": "x", "autonumber": 1}) == records.change(1, **{**dict.fromkeys(GOOD), "text": "x"})["values"]


@pytest.mark.parametrize("word", WORDS)
def test_odd_values_are_taken_whole_or_refused_in_words(owner: Records, word: str) -> None:
    """Never a failure of the server; what is refused names its field, and what is taken can be read, and sent again."""
    owner.make(text="A")
    for value in ODD:
        answer = owner.program.ask("PATCH", f"{owner.url}/1", json={"values": named({word: value})})
        assert answer.status_code in (200, 403, 422), (word, value, answer.get_data(as_text=True))
        told = answer.get_json()
        if answer.status_code == 200:
            assert told == owner.get(1)
            if key_of("f", word) in told["values"]:
                owner.change(1, **{word: told["values"][key_of("f", word)]})
        else:
            assert told.get("field") == key_of("f", word) or "cannot be read" in told["detail"] or "does not exist" in told["detail"] \
                or "required" in told["detail"], (word, value, told)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"7", b"null", b'{"values": null}', b'{"values": []}', b'{"values": {}, "more": 1}', b'{"values": {"f_text111111": NaN}}',
    b'{"values": {"f_text111111": "a", "f_text111111": "b"}}', b"\xff\xfe", b'{"values": {"f_number1111": ' + b"9" * 10_000 + b"}}",
    b'{"values": {"f_text111111": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", b'{"values": {"\\u0000": 1}}', b'{"values": {"": 1}}',
    b'{"values": {"f_text111111": "\\u0000"}}', b'{"values": {"__proto__": {}}}'])
def test_a_body_that_is_none_is_refused(owner: Records, body: bytes) -> None:
    """Also where it is long or deep."""
    for path, method in (("", "POST"), ("/batch", "POST"), ("/1", "PATCH")):
        if path == "/batch" and body in (b"", b"{}"):
            continue  # nothing to do is done
        owner.make(text="A")
        answer = owner.program.ask(method, f"{owner.url}{path}", data=body, content_type="application/json")
        assert answer.status_code == 422, answer.get_data(as_text=True)


@pytest.mark.parametrize("number", ["0", "4398046511105", "99999999999999999999999", "1e3", "-1", "1.0", "%00"])
def test_a_number_that_is_none_is_not_there(owner: Records, number: str) -> None:
    """404, as for one that no record has."""
    owner.make(text="A")
    headers = {"Authorization": f"Bearer {owner.program.token}"}
    for method in ("GET", "PATCH", "DELETE"):
        answer = owner.program.client.open(f"/api/v1{owner.url}/{number}", method=method, headers=headers, json={"values": {}})
        assert answer.status_code == 404 or (answer.status_code == 405 and len(number) > 20)  # no address at all
