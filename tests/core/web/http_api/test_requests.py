"""What programs send: judged before anything is done with it, and refused with what is wrong and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.api import API_ROOT
from core.web import bearer, gate
from core.web.bodies import ANYBODY_BYTES, FORM_BYTES, Doorkeeper
from tests.core.web.backups.conftest import Place
from tests.program import Program, make_token
from tests.web import browser

WRONG: list[tuple[bytes, str]] = [
    (b"{", "not JSON"), (b"\xff{}", "UTF-8"), (b'{"data": true, "data": false}', "twice"), (b'{"data": NaN}', "cannot be read"),
    (b'{"data": 1e999}', "cannot be read"), (b"[" * 100_000, "levels"), (b'{"data": 3}', "“data”"), (b'{"dta": true}', "dta"),
    (b"[]", "The body"), (b'{"name": ""}', "“name”"), (b'{"name": "a\\u0000b"}', "U+0000"), (b'{"name": "\\ud800"}', "surrogate"),
    (b'{"data": 12345678901234567890123}', "whole number"),
]


@pytest.mark.parametrize(("sent", "why"), WRONG, ids=[why for _, why in WRONG])
def test_a_body_that_does_not_fit_is_refused(place: Place, program: Program, sent: bytes, why: str) -> None:
    """With 422, what is wrong and where; nothing is begun."""
    answer = program.ask("POST", f"/apps/{place.app_id}/backups", data=sent, content_type="application/json")
    assert (422, "invalid_input") == (answer.status_code, answer.get_json()["code"])
    assert why in answer.get_json()["detail"]
    assert [] == place.work()


def test_other_types_of_content_are_refused(place: Place, program: Program) -> None:
    """A form is none of ours, whatever a page of another site could make a browser send."""
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        answer = program.ask("POST", f"/apps/{place.app_id}/backups", data=b'{"data": true}', content_type=kind)
        assert 422 == answer.status_code and "application/json" in answer.get_json()["detail"]


@pytest.mark.parametrize(("query", "why"), [
    ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=1&limit=2", "once only"), ("lmit=3", "does not take"),
    ("limit=99999999999999999999", "limit"), ("cursor=" + "x" * 50, "cursor"), ("cursor=" + "x" * 30_000, "longer"),
])
def test_a_question_that_does_not_fit_is_refused(place: Place, program: Program, query: str, why: str) -> None:
    """An unknown name is told with those that there are; a number outside its bounds with the bounds."""
    answer = program.ask("GET", f"/apps/{place.app_id}/backups?{query}")
    assert 422 == answer.status_code and why in answer.get_json()["detail"]


def test_what_is_too_large_is_refused(place: Place, program: Program) -> None:
    """Before it is read."""
    sent = json.dumps({"name": "x" * 9 * 1024 * 1024}).encode()
    assert 413 == program.client.post(f"{API_ROOT}/apps/{place.app_id}/backups", data=sent, content_type="application/json",
                                      headers={"Authorization": f"Bearer {program.token}"}).status_code


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer akt_", "Basic b3duZXI6eA==", "Bearer akt_" + "0" * 60, "Bearer " + "x" * 100_000, "Bearer \xff"])
def test_what_is_no_token_opens_nothing(place: Place, shown: str) -> None:
    """The answer says how a token is shown, in the header that programs look for, too."""
    answer = browser(place.server).get(f"{API_ROOT}/apps", headers={"Authorization": shown})
    assert (401, "token_needed", "Bearer") == (answer.status_code, answer.get_json()["code"], answer.headers["WWW-Authenticate"])


def test_a_token_is_taken_so_often(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that the answer says when to come again."""
    monkeypatch.setattr(gate, "TOKEN_REQUESTS", "3/hour")
    program = Program(place.server, make_token(place.organization_id, place.owner), limits=True)
    answers = [program.ask("GET", "/apps") for _ in range(4)]
    assert [200, 200, 200, 429] == [one.status_code for one in answers]
    assert ("too_many", "60") == (answers[-1].get_json()["code"], answers[-1].headers["Retry-After"])


def test_much_is_taken_of_whoever_shows_a_token_made_here(place: Place) -> None:
    """The web server knows by the seal, before anybody asks the database; a made-up token gets what anybody gets."""
    keeper = Doorkeeper(place.server, 100 * 1024 * 1024)
    good = make_token(place.organization_id, place.owner)
    made_up = bearer.PREFIX + "0" * 60

    class Sender:
        """Stands for a request."""

    def most(token: str, size: int) -> int:
        headers: dict[str, str] = {"AUTHORIZATION": f"Bearer {token}"}
        return keeper.most_bytes(headers, size, Sender())

    assert [ANYBODY_BYTES] * 2 == [most(made_up, size) for size in (0, 50 * 1024 * 1024)]
    assert FORM_BYTES == most(good, 1000)
    assert 100 * 1024 * 1024 + FORM_BYTES == most(good, 50 * 1024 * 1024)


def test_who_asks_is_told_who_they_are(place: Place) -> None:
    """With any token, whatever it is for."""
    said: dict[str, Any] = Program(place.server, make_token(place.organization_id, place.owner, ("read",), name="Nightly")).get("/me")
    assert (place.organization_id, "owner", "Nightly", ["read"]) == (
        said["organization"], said["role"], said["token_name"], said["scopes"])
