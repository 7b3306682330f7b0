"""Nobody locks out another: wrong guesses are counted for the places that they come from."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from core.api import as_server, db, transaction
from tenants.models import Attempt
from tenants.service import user_by_email
from tenants.signing_in import DEVICE, network_of
from tenants.throttle import DAY_US, LOCKED_US, SECOND_US, TOGETHER, paused_until
from tests.web import OWNER, PASSWORD, Browser, browser, make_organization, make_person, signed_in

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def owner(server: Flask) -> str:
    """The id of somebody with a password, who owns an organization."""
    make_person(OWNER, password=PASSWORD)
    make_organization("Example")
    with as_server():
        return user_by_email(OWNER).id


def enter(client: Browser, password: str = PASSWORD, *, email: str = OWNER, address: str = HOME) -> TestResponse:
    """Sign in from an address."""
    return client.post("/sign-in", data={"email": email, "password": password}, environ_overrides={"REMOTE_ADDR": address})


def locked(answer: TestResponse) -> bool:
    """Say whether it was refused for too many wrong guesses."""
    return "Too many wrong attempts" in answer.text


def guess_wrongly(server: Flask, times: int, *, email: str = OWNER, address: str = ELSEWHERE) -> None:
    """Guess so often, each time in a browser that is new."""
    for _ in range(times):
        enter(browser(server), "not the password", email=email, address=address)


def test_wrong_guesses_from_elsewhere_lock_only_where_they_come_from(server: Flask, owner: str) -> None:
    """Six wrong ones lock that address; the person comes in from any other."""
    guess_wrongly(server, 6)
    assert locked(enter(browser(server), address=ELSEWHERE))
    assert 302 == enter(browser(server)).status_code


def test_a_browser_and_an_address_that_are_known_do_not_wait_for_the_guesses_of_many_places(server: Flask, owner: str) -> None:
    """From two hundred new addresses nobody locks out who was there before; a new one waits, even with the right password."""
    mine = browser(server)
    assert 302 == enter(mine).status_code
    for n in range(60):
        guess_wrongly(server, 1, address=f"203.0.113.{n}")
    assert locked(enter(browser(server), address="192.0.2.200"))
    assert 302 == enter(browser(server), address=HOME).status_code  # a session has been opened from there
    mine.post("/sign-out")
    assert 302 == enter(mine, address="192.0.2.201").status_code  # on a journey, with the same browser


def test_guesses_from_the_same_address_do_not_lock_the_browser_that_is_known(server: Flask, owner: str) -> None:
    """Colleagues behind one address."""
    mine = browser(server)
    enter(mine)
    mine.post("/sign-out")
    guess_wrongly(server, 6, address=HOME)
    assert locked(enter(browser(server), address=HOME))
    assert 302 == enter(mine, address=HOME).status_code


def test_a_known_browser_is_counted_too(server: Flask, owner: str) -> None:
    """Who takes it away has five guesses in fifteen minutes, however many addresses they come from."""
    mine = browser(server)
    enter(mine)
    mine.post("/sign-out")
    for n in range(5):
        assert not locked(enter(mine, "not the password", address=f"203.0.113.{n}"))
    assert locked(enter(mine, address="203.0.113.99"))


def test_a_browser_known_to_one_person_is_new_to_another(server: Flask, owner: str) -> None:
    """Who has an account gains nothing for guessing at another's; a mark that was made up is none."""
    make_person("mallory@example.org", password=PASSWORD)
    theirs = browser(server)
    assert 302 == enter(theirs, email="mallory@example.org", address=ELSEWHERE).status_code
    theirs.post("/sign-out")
    for _ in range(5):
        enter(theirs, "not the password", address=ELSEWHERE)
    assert locked(enter(browser(server), address=ELSEWHERE))
    theirs.set_cookie(DEVICE, "made.up")
    assert locked(enter(theirs, address=ELSEWHERE))


def test_the_proof_of_who_is_signed_in_is_not_used_up_from_outside(server: Flask, owner: str) -> None:
    """Guesses at signing in, from anywhere, and in another session, leave the five of this session."""
    guess_wrongly(server, 6)
    mine, other = signed_in(server), signed_in(server)
    form = {"old_password": "not the password", "new_password": "another horse 13"}
    for _ in range(6):
        answer = other.post("/account/password", data=form)
    assert locked(answer)
    assert not locked(mine.post("/account/password", data=form))
    assert 302 == enter(browser(server)).status_code  # and the other way round: signing in is not locked by it


def test_pauses_grow_and_end(owner: str) -> None:
    """The first twenty of a day go without, then ever longer, never longer than a lock."""
    pauses = [(paused_until(range(n)) or n - 1) - (n - 1) for n in range(1, 80)]
    assert [0] * (TOGETHER - 1) == pauses[:TOGETHER - 1]
    assert 2 * SECOND_US == pauses[TOGETHER - 1]
    assert sorted(pauses) == pauses
    assert LOCKED_US == pauses[-1]


def test_old_guesses_are_forgotten(server: Flask, owner: str) -> None:
    """The table holds a day."""
    with transaction():
        db.session.add_all([Attempt(subject="x" * 64, at=n) for n in range(50)])
    guess_wrongly(server, 1)
    with as_server():
        assert 0 == db.session.query(Attempt).filter(Attempt.at < DAY_US).count()


def test_a_household_is_one_place() -> None:
    """IPv6 gives each of them 2^64 addresses."""
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::1")
    assert "192.0.2.1" == network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
