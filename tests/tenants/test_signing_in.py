"""Signing in and out: who comes in, who does not, and that nobody learns who is known here."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from argon2 import PasswordHasher
from flask import Flask

from core.api import as_server, db, transaction
from core.base.time import moved
from tenants import passwords, service, sessions
from tenants.models import UserSession
from tenants.web.forms import local
from tests.web import OWNER, PASSWORD, Browser, browser, make_organization, make_person, signed_in

EVIL = ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "///evil.example", "/\t/evil.example",
        "/\n/evil.example", "\t//evil.example", " //evil.example", "javascript:alert(1)", "evil.example", "/\r\nSet-Cookie: a=b",
        "http:evil.example", "//[evil", "/\x00/evil.example", "/\x7f/evil.example", "／／evil.example", ""]


def enter(client: Browser, email: str = OWNER, password: str = PASSWORD, path: str = "/sign-in"):  # type: ignore[no-untyped-def]
    """Type an email and a password."""
    return client.post(path, data={"email": email, "password": password})


@pytest.fixture
def organization_id(sqlite_server: Flask) -> str:
    """An organization whose owner has a password."""
    make_person(OWNER, password=PASSWORD)
    return make_organization("Acme")


def test_the_right_password_signs_in_and_leads_to_where_one_wanted_to_go(sqlite_server: Flask, organization_id: str) -> None:
    """Whoever came to a page and was asked to sign in first is there afterwards."""
    client = browser(sqlite_server)
    asked = client.get(f"/o/{organization_id}/members")
    answer = enter(client, " Owner@EXAMPLE.org ", path=asked.location)
    assert (302, f"/o/{organization_id}/members") == (answer.status_code, answer.location)
    assert 200 == client.get(f"/o/{organization_id}/members").status_code


def test_a_wrong_password_and_an_unknown_e_mail_get_the_same_answer(sqlite_server: Flask, organization_id: str) -> None:
    """Nobody learns from the page who has an account."""
    pages = [enter(browser(sqlite_server), email, "not the password") for email in (OWNER, "nobody@example.org")]
    assert [422, 422] == [page.status_code for page in pages]
    known, unknown = (re.sub(r'value="[^"]*"|hx-headers=.*', "", page.text) for page in pages)
    assert known == unknown


def test_five_wrong_passwords_lock_for_fifteen_minutes_and_no_longer(sqlite_server: Flask, organization_id: str) -> None:
    """The right password is refused too while it is locked, in every browser, and taken afterwards."""
    for _ in range(5):
        enter(browser(sqlite_server), password="not the password")
    refused = enter(browser(sqlite_server))
    assert (422, True) == (refused.status_code, "Too many wrong attempts" in refused.text)
    with moved(14 * 60):
        assert 422 == enter(browser(sqlite_server)).status_code
    with moved(15 * 60 + 1):
        assert 302 == enter(browser(sqlite_server)).status_code


def test_an_unknown_e_mail_is_locked_too(sqlite_server: Flask, organization_id: str) -> None:
    """A lock tells nothing about whether there is an account."""
    for _ in range(5):
        enter(browser(sqlite_server), "nobody@example.org")
    assert "Too many wrong attempts" in enter(browser(sqlite_server), "NOBODY@example.org").text


def test_four_wrong_passwords_are_forgotten_by_a_right_one(sqlite_server: Flask, organization_id: str) -> None:
    """People mistype; only five in a row without a right one between them lock."""
    for password in ["wrong password"] * 4 + [PASSWORD] + ["wrong password"] * 4 + [PASSWORD]:
        answer = enter(browser(sqlite_server), password=password)
    assert 302 == answer.status_code


def test_a_password_kept_with_weak_parameters_is_kept_anew(sqlite_server: Flask, organization_id: str) -> None:
    """Signing in brings an old hash to the parameters of today."""
    with as_server(), transaction():
        service.user_by_email(OWNER).password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert 302 == enter(browser(sqlite_server)).status_code
    db.session.rollback()
    kept = service.user_by_email(OWNER).password_hash or ""
    assert not passwords.outdated(kept)
    assert passwords.matches(kept, PASSWORD)


def test_each_signing_in_has_a_token_of_its_own(sqlite_server: Flask, organization_id: str) -> None:
    """What a browser held before it signed in is worth nothing afterwards."""
    client = browser(sqlite_server)
    tokens = []
    for _ in range(2):
        enter(client)
        with client.session_transaction() as session:
            tokens.append(session["_user_id"])
        client.post("/sign-out")
    assert tokens[0] != tokens[1]
    assert [None, None] == [sessions.find_session(token) for token in tokens]


def test_the_database_holds_no_token(sqlite_server: Flask, organization_id: str) -> None:
    """Whoever reads the database cannot sign in with what it holds."""
    client = browser(sqlite_server)
    enter(client)
    with client.session_transaction() as session:
        token = session["_user_id"]
    db.session.rollback()
    assert [sessions.digest(token)] == [row.id for row in db.session.query(UserSession)]


def test_the_cookie_is_kept_from_scripts_and_other_sites(sqlite_server: Flask, organization_id: str) -> None:
    """HttpOnly and SameSite stand in the header that sets it."""
    cookie = enter(browser(sqlite_server)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_out_ends_the_session_itself(sqlite_server: Flask, organization_id: str) -> None:
    """A copy of the cookie is worth nothing after its browser signed out."""
    client, copy = browser(sqlite_server), browser(sqlite_server)
    enter(client)
    with client.session_transaction() as session, copy.session_transaction() as other:
        other.update(session)
    assert 200 == copy.get("/account").status_code
    client.post("/sign-out")
    assert 302 == copy.get("/account").status_code


def test_another_browser_is_signed_out_from_the_account_page(sqlite_server: Flask, organization_id: str) -> None:
    """The sessions are listed with this one marked; one is ended, then all others."""
    here, there, third = (signed_in(sqlite_server) for _ in range(3))
    page = here.get("/account").text
    assert 1 == page.count("This browser")
    ids = re.findall(r'name="session" value="(\w+)"', page)
    here.post("/account/sessions/end", data={"session": ids[0]})
    assert [200, 302] == sorted(client.get("/account").status_code for client in (there, third))
    here.post("/account/sessions/end")
    assert [200, 302, 302] == [client.get("/account").status_code for client in (here, there, third)]


def test_nobody_ends_the_session_of_somebody_else(sqlite_server: Flask, organization_id: str) -> None:
    """The id of a session is worth something in its owner's hands only."""
    owner, other = signed_in(sqlite_server), signed_in(sqlite_server, "other@example.org")
    with owner.session_transaction() as session:
        owners = sessions.digest(session["_user_id"])
    other.post("/account/sessions/end", data={"session": owners})
    assert 200 == owner.get("/account").status_code


def test_a_session_that_was_not_used_for_a_month_is_over(sqlite_server: Flask, organization_id: str) -> None:
    """Forgotten browsers do not stay signed in for ever."""
    client = signed_in(sqlite_server)
    with moved(31 * 86400):
        assert 302 == client.get("/account").status_code


def test_changing_the_password_asks_for_the_old_one_and_ends_other_sessions(sqlite_server: Flask, organization_id: str) -> None:
    """Whoever finds an open browser cannot take the account over; whoever else is in is out."""
    here, there = signed_in(sqlite_server), signed_in(sqlite_server)
    wrong = here.post("/account/password", data={"old_password": "not it, no", "new_password": "another good one"})
    assert (422, 200) == (wrong.status_code, there.get("/account").status_code)
    here.post("/account/password", data={"old_password": PASSWORD, "new_password": "another good one"})
    assert (200, 302) == (here.get("/account").status_code, there.get("/account").status_code)
    assert 302 == enter(browser(sqlite_server), password="another good one").status_code


@pytest.mark.parametrize("target", EVIL)
def test_no_address_leads_to_another_server(target: str) -> None:
    """Whatever a link to the sign-in page names, one comes to a page of this server."""
    assert "/" == local(target)


@pytest.mark.parametrize("target", ["/", "/o/o_1/?q=a%20b&c=//d", "/%2fevil.example", "/a:b", "/?next=https://evil.example"])
def test_addresses_of_this_server_are_kept(target: str) -> None:
    """What is ours is gone on to as it was named."""
    assert target == local(target)


@pytest.mark.parametrize("target", EVIL[:8])
def test_signing_in_goes_to_no_other_server(sqlite_server: Flask, organization_id: str, target: str) -> None:
    """The rule holds where it is used."""
    client = browser(sqlite_server)
    answer = client.post("/sign-in", query_string={"next": target}, data={"email": OWNER, "password": PASSWORD})
    assert "/" == answer.location
    assert "/" == client.get("/sign-in", query_string={"next": target}).location


def test_signing_in_is_limited_by_address(sqlite_server: Flask, organization_id: str) -> None:
    """Many emails tried from one address are refused, whatever each account's own lock says."""
    client = browser(sqlite_server, limits=True)
    answers = [client.post("/sign-in", data={"email": "", "password": ""}).status_code for _ in range(31)]
    assert (422, 429) == (answers[0], answers[-1])


def test_signing_in_and_what_was_refused_are_in_the_log(sqlite_server: Flask, organization_id: str) -> None:
    """Owners see who came in and who tried."""
    enter(browser(sqlite_server), password="not the password")
    client = browser(sqlite_server)
    enter(client)
    page = client.get(f"/o/{organization_id}/log").text
    assert page.index("<strong>Signed in") < page.index("<strong>Password or code refused")


def test_passwords_are_kept_with_the_strength_that_the_library_advises() -> None:
    """Tests of this process keep them weakly; a server does not."""
    script = "from tenants import passwords; print(passwords.hashed('a horse eats 12 stars'))"
    kept = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not PasswordHasher().check_needs_rehash(kept.strip())


def test_sessions_leave_a_year_after_their_last_use(sqlite_server: Flask, organization_id: str) -> None:
    """When that person signs in again."""
    enter(browser(sqlite_server))
    with moved(366 * 86400):
        enter(browser(sqlite_server))
        db.session.rollback()
        assert 1 == db.session.query(UserSession).count()
