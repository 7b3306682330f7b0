"""A request with an Idempotency-Key is done once, whoever asks again, at the same moment too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.api import App, as_server, as_tenant, db, now_us, transaction
from core.tenancy import answered_requests
from core.tenancy.answered_requests import AnsweredRequest
from core.web.http_api import repeats
from tenants import service
from tests.core.web.backups.conftest import Place
from tests.program import Program, make_token
from tests.web import make_organization, make_person
from tests.writing import at_once


def make(program: Program, key: str, name: str = "Once", status: int | None = None) -> Any:
    """Ask for an app to be made."""
    return program.send("POST", "/apps", {"name": name}, status=status, Idempotency_Key=key)


def apps_called(name: str) -> int:
    """Return how many apps there are of a name."""
    with as_server():
        db.session.rollback()
        return db.session.execute(select(func.count()).select_from(App).where(App.name == name)).scalar_one()


def test_who_asks_again_is_told_what_was_done(place: Place, program: Program) -> None:
    """The same answer with the same status and address; a header says that it was given before."""
    first = program.ask("POST", "/apps", json={"name": "Once"}, headers={"Idempotency-Key": "k-1"})
    again = program.ask("POST", "/apps", json={"name": "Once"}, headers={"Idempotency-Key": "k-1"})
    assert (201, first.get_json(), first.headers["Location"]) == (again.status_code, again.get_json(), again.headers["Location"])
    assert [None, "true"] == [one.headers.get("Idempotency-Replayed") for one in (first, again)]
    assert 1 == apps_called("Once")


def test_a_key_stands_for_one_request(place: Place, program: Program) -> None:
    """Another body under it is refused; under another key it is done; and another person's keys are others."""
    make(program, "k-1")
    assert "key_used" == make(program, "k-1", "Other", status=422)["code"]
    make(program, "k-2", "Other")
    other = make_person("second@example.org")
    with as_tenant(place.organization_id), transaction():
        service.add_member(service.user_by_email("second@example.org"), "admin")
    make(Program(place.server, make_token(place.organization_id, other)), "k-1")
    assert [2, 1] == [apps_called("Once"), apps_called("Other")]


def test_what_was_refused_may_be_asked_for_again(place: Place, program: Program) -> None:
    """It was not done, so the key stands for nothing yet."""
    make(program, "k-1", "\u2028", status=422)
    make(program, "k-1")
    assert 1 == apps_called("Once")


@pytest.mark.parametrize("key", [" ", "x" * 201, "ä"])
def test_what_is_no_key_is_refused(place: Place, program: Program, key: str) -> None:
    """With what one is."""
    assert "visible ASCII" in make(program, key, status=422)["detail"]


def test_a_key_is_forgotten_after_a_day(place: Place, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the same request is done again, once; the clock forgets those that nobody asks for."""
    make(program, "k-1")
    make(program, "k-2")
    later = now_us() + repeats.KEPT_US + 1
    for module in (repeats, answered_requests):
        monkeypatch.setattr(module, "now_us", lambda: later)
    make(program, "k-1")
    assert 3 == apps_called("Once")
    make(program, "k-1")
    assert 3 == apps_called("Once")
    answered_requests.forget_old()
    with as_server():
        assert 1 == db.session.execute(select(func.count()).select_from(AnsweredRequest)).scalar_one()


def test_two_at_the_same_moment_are_done_once(server: Flask) -> None:
    """On each engine: the second waits for the first and is told what that did."""
    organization_id = make_organization("Example")
    token = make_token(organization_id, make_person("owner@example.org"))
    answers: list[Any] = []

    def asking(program: Program) -> Callable[[], None]:
        return lambda: answers.append(make(program, "k-1"))

    assert [] == at_once(server, organization_id, *[asking(Program(server, token)) for _ in range(4)])
    assert (4, 1) == (len(answers), len({answer["app"] for answer in answers}))
    assert 1 == apps_called("Once")
