"""A form that is sent after the session has ended: what was typed goes through signing in and is sent by a click; secrets and files do not."""

from __future__ import annotations

import html
import re

import pyotp
import pytest
from flask import Flask

from core.api import as_server, transaction
from core.base.time import moved, now_us
from core.web import kept
from tenants import second_factor, service, sessions
from tests.web import OWNER, PASSWORD, Browser, browser, make_organization, make_person, signed_in

OURS = {"Sec-Fetch-Site": "same-origin"}
NAME = "Nordic & <Sons>\r\n\r\nsecond line"


@pytest.fixture
def organization_id(sqlite_server: Flask) -> str:
    """An organization whose owner has a password."""
    make_person(OWNER, password=PASSWORD)
    return make_organization("Acme")


def ended(server: Flask) -> Browser:
    """Return the owner's browser, whose session ends while a page is open in it."""
    client = signed_in(server, csrf=True)
    with as_server(), transaction():
        sessions.close_sessions(service.user_by_email(OWNER).id)
    return client


def hidden(page: str, name: str) -> str:
    """Return what a page carries in a hidden field."""
    found = re.search(rf'<(?:input type="hidden"|textarea hidden) name="{re.escape(name)}"(?: value="([^"]*)"|>\n([^<]*))', page)
    assert found is not None, f"{name} is not in the page"
    return html.unescape(found[1] if found[1] is not None else found[2])


def test_what_was_typed_is_sent_again_after_signing_in(sqlite_server: Flask, organization_id: str) -> None:
    """The page to sign in at carries it, a wrong password loses nothing of it, and a click does what the form had asked for."""
    client, path = ended(sqlite_server), f"/o/{organization_id}/departments/add"
    asked = client.post(path, data={"name": NAME, "csrf_token": "x"}, headers=OURS)
    assert 401 == asked.status_code and "What you typed is kept" in asked.text
    to = html.unescape(re.findall(r'<form class="form card" method="post" action="([^"]+)"', asked.text)[0])
    form = {"email": OWNER, "kept": hidden(asked.text, "kept"), "csrf_token": hidden(asked.text, "csrf_token")}
    wrong = client.post(to, data={**form, "password": "not it"}, headers=OURS)
    assert 422 == wrong.status_code
    shown = client.post(to, data={**form, "kept": hidden(wrong.text, "kept"), "password": PASSWORD}, headers=OURS)
    assert 200 == shown.status_code and "Not saved yet" in shown.text and "Nordic &amp; &lt;Sons&gt;" in shown.text
    assert f'action="{path}"' in shown.text and NAME.replace("\r\n", "\n") == hidden(shown.text, "name").replace("\r\n", "\n")
    client.post(path, data={"name": "Nordic", "csrf_token": hidden(shown.text, "csrf_token")}, headers=OURS)
    assert "Nordic" in client.get(path.removesuffix("/add")).text


def test_it_goes_through_the_second_step_too(sqlite_server: Flask, organization_id: str) -> None:
    """A wrong code and a password that is too long ago lose nothing of it."""
    with as_server(), transaction():
        user = service.user_by_email(OWNER)
        second_factor.begin(user)
        secret = second_factor.pending(user) or ""
        second_factor.confirm(user, pyotp.TOTP(secret).now())
    client = ended(sqlite_server)
    page = client.post(f"/o/{organization_id}/departments/add", data={"name": "Nordic"}, headers=OURS).text
    form = {"email": OWNER, "password": PASSWORD}

    def send(path: str, **more: str) -> str:
        return str(client.post(path, data={**form, **more, "kept": hidden(page, "kept"), "csrf_token": hidden(page, "csrf_token")}, headers=OURS).text)

    page = send("/sign-in")
    page = send("/sign-in/code", code="000000")
    with moved(600):
        page = send("/sign-in/code", code="000000")
        assert "Enter your password again" in page
        page = send("/sign-in")
        page = send("/sign-in/code", code=pyotp.TOTP(secret).at(now_us() // 1_000_000))
    assert "Not saved yet" in page and "Nordic" == hidden(page, "name")


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                                     {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}])
def test_what_a_page_elsewhere_sends_is_not_kept(sqlite_server: Flask, organization_id: str, headers: dict[str, str]) -> None:
    """Nobody puts words into the mouth of whoever signs in next; the answer says that nothing was saved."""
    client = ended(sqlite_server)
    answer = client.post(f"/o/{organization_id}/departments/add", data={"name": "Evil"}, headers=headers)
    assert 302 == answer.status_code and "/sign-in?next=%2F" in answer.location.replace("next=/", "next=%2F")
    page = client.get(answer.location).text
    assert "You were signed out. Nothing was saved." in page and 'name="kept"' not in page


def test_passwords_and_codes_are_not_kept(sqlite_server: Flask) -> None:
    """Nor what a form says is not to be; the rest is, in order, also several values of one name."""
    fields = [("name", "Mia"), ("tag", "a"), ("tag", "b"), ("password", "p1"), ("old_password", "p2"), ("answer", "p3"), ("code", "p4"),
              ("f_1", "p5"), ("unkept", "f_1"), ("csrf_token", "p6"), ("o.secret", "p7")]
    body = "&".join(f"{name}={value}" for name, value in fields)
    with sqlite_server.test_request_context("/a?b=1", method="POST", data=body, headers=OURS, content_type="application/x-www-form-urlencoded"):
        found = kept.read(kept.keep() or "")
        assert kept.Kept("/a?b=1", (("name", "Mia"), ("tag", "a"), ("tag", "b"), ("unkept", "f_1")), ()) == found


def test_a_form_that_is_too_long_is_not_kept_and_says_so(sqlite_server: Flask, organization_id: str) -> None:
    """It is not even read."""
    client = ended(sqlite_server)
    answer = client.post(f"/o/{organization_id}/departments/add", data={"name": "x" * kept.MAX_BYTES}, headers=OURS)
    assert 302 == answer.status_code and "Nothing was saved" in client.get(answer.location).text


@pytest.mark.parametrize("text", ["", "x", "x" * 100_000, "WyIvIiwgW10sIFtdXQ.aaaa.bbbb"])
def test_a_text_that_the_server_has_not_signed_is_none(sqlite_server: Flask, organization_id: str, text: str) -> None:
    """Whoever brings one signs in as without."""
    client = browser(sqlite_server)
    answer = client.post("/sign-in?next=/account", data={"email": OWNER, "password": PASSWORD, "kept": text})
    assert (302, "/account") == (answer.status_code, answer.location)


def test_a_part_of_a_page_says_so_in_place(sqlite_server: Flask, organization_id: str) -> None:
    """The page with what was typed is not replaced; its forms get the token of now once somebody has signed in."""
    client = ended(sqlite_server)
    part = client.post(f"/o/{organization_id}/departments/add", data={"name": "x"}, headers={**OURS, "HX-Request": "true"})
    assert (401, "#notices") == (part.status_code, part.headers["HX-Retarget"]) and "HX-Redirect" not in part.headers
    assert "Sign in in a new tab" in part.text and "next=/signed-in" in part.text.replace("%2F", "/")
    assert 401 == client.get("/session", headers={"Accept": "application/json"}).status_code
    again = signed_in(sqlite_server, csrf=True)
    token = again.get("/session", headers={"Accept": "application/json"}).json["token"]
    assert 400 != again.post(f"/o/{organization_id}/departments/add", data={"name": "x", "csrf_token": token}).status_code


def test_a_page_from_before_somebody_signed_in_anew_loses_nothing_either(sqlite_server: Flask, organization_id: str) -> None:
    """Its token is of another session: one click sends it with the token of now; what comes from elsewhere is refused as before."""
    client, path = signed_in(sqlite_server, csrf=True), f"/o/{organization_id}/departments/add"
    answer = client.post(path, data={"name": "Nordic", "csrf_token": "old"}, headers=OURS)
    assert 400 == answer.status_code and "Not saved yet" in answer.text and "Nordic" == hidden(answer.text, "name")
    assert "Nordic" not in client.get(path.removesuffix("/add")).text
    elsewhere = client.post(path, data={"name": "Nordic", "csrf_token": "old"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert 400 == elsewhere.status_code and "Not saved yet" not in elsewhere.text
    part = client.post(path, data={"name": "Nordic", "csrf_token": "old"}, headers={**OURS, "HX-Request": "true"})
    assert 400 == part.status_code and 'data-signed-out="stale"' in part.text
