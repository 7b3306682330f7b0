"""The door of a portal: registering, signing in, invitations; what it says to strangers, and that guessing gets nobody in."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from core.api import Document, apps, as_tenant, db, documents, now_us, transaction
from plugins.portal import accounts, codes, service
from plugins.portal.models import PortalAccount, PortalCode
from plugins.portal.settings import settings_of
from tenants import service as tenants
from tenants.models import Organization
from tests.plugins.portal.people import (
    ANN,
    BEN,
    PASSWORD,
    Place,
    built,
    code_of,
    entered,
    give_code,
    mails,
    set_up,
)
from tests.web import browser, signed_in
from tests.writing import at_once


@pytest.fixture
def place(organization: str) -> Place:
    """An app with an open portal."""
    return built(organization)


def form(**more: str) -> dict[str, str]:
    """Return what somebody types to register."""
    return {"name": "Ann Other", "email": ANN, "password": PASSWORD, **more}


def test_somebody_registers_proves_their_address_and_sees_their_own(place: Place, server: Flask) -> None:
    """From the sign-in page to a record: with a password, a code by mail, and the role that new accounts get."""
    client = browser(server)
    first = client.get(place.url(), follow_redirects=True)
    assert "Create an account" in first.get_data(as_text=True) and first.request.path == place.url("sign-in")
    asked = client.post(place.url("register"), data=form())
    assert "is on its way" in asked.get_data(as_text=True)
    assert accounts.by_email(place.row, ANN) is None, "nobody has an account before the code"
    answer = give_code(client, place, asked, code_of(ANN))
    assert (302, place.url()) == (answer.status_code, answer.location)
    home = client.get(place.url(), follow_redirects=True).get_data(as_text=True)
    assert "Deals" in home and "Welcome page" in home and "Staff page" not in home and "Notes" not in home
    sheet = client.get(place.url("worksheet/w_1111111111")).get_data(as_text=True)
    assert "Deal of Ann" in sheet and "Deal of Ben" not in sheet and "Margin" not in sheet
    assert "/o/o_" not in sheet and "Internal CRM" not in sheet
    account = accounts.by_email(place.row, ANN)
    assert account is not None and account.proven_at is not None and account.name == "Ann Other"


@pytest.mark.parametrize(("changed", "said"), [
    ({"name": " "}, "name"), ({"email": "ann"}, "is not an email"), ({"password": "short"}, "10 to 1000"), ({"password": ANN}, "cannot be your email"),
    ({"name": "x\u202ey"}, "name"), ({"email": "ann@elsewhere.example"}, "Only people with an address"), ({"agree": ""}, "Agree to the terms")])
def test_what_is_missing_is_asked_for(place: Place, server: Flask, changed: dict[str, str], said: str) -> None:
    """The form comes back with what is wrong, and no mail is sent."""
    set_up(place, domains=["customer.example"], terms="Be nice.")
    given = form(agree="1") | changed
    if not given["agree"]:
        del given["agree"]
    answer = browser(server).post(place.url("register"), data=given)
    assert 422 == answer.status_code and said in answer.get_data(as_text=True)
    assert [] == mails()


def test_registering_an_address_that_has_an_account_looks_the_same(place: Place, server: Flask) -> None:
    """To whoever registers; who has the account is told by mail, and their name and password stay."""
    entered(server, place, ANN, name="The real Ann")
    pages = []
    for email in (ANN, BEN):
        page = browser(server).post(place.url("register"), data=form(email=email)).get_data(as_text=True)
        pages.append(re.sub(r'value="[^"]*"|X-CSRFToken": "[^"]*"', "", page).replace(email, "EMAIL"))
    assert pages[0] == pages[1]
    said = {to: subject for to, subject, _ in mails()}  # they are sent beside one another
    assert said[ANN] == "You already have an account at Our customers" and said[BEN].endswith("is your code for Our customers")
    account = accounts.by_email(place.row, ANN)
    assert account is not None and (account.name, account.password) == ("The real Ann", None)


def test_asking_for_a_code_or_a_new_password_says_nothing_of_who_has_an_account(place: Place, server: Flask) -> None:
    """The same page, whoever asks; mail goes to accounts only."""
    entered(server, place, ANN)
    for path, more in (("sign-in", {"code": "1"}), ("password", {})):
        pages = []
        for email in (ANN, BEN):
            answer = browser(server).post(place.url(path), data={"email": email, **more})
            pages.append((answer.status_code, re.sub(r'value="[^"]*"|X-CSRFToken": "[^"]*"', "", answer.get_data(as_text=True)).replace(email, "E")))
        assert pages[0] == pages[1] and pages[0][0] == 200
    assert {ANN} == {to for to, _, _ in mails()}


def test_somebody_signs_in_by_password_and_by_code(place: Place, server: Flask) -> None:
    """Either gets them to where they wanted to go, if that is in this portal."""
    entered(server, place, ANN)
    asked = browser(server).post(place.url("password"), data={"email": ANN})
    assert give_code(browser(server), place, asked, code_of(ANN), password=PASSWORD).status_code == 302
    for wanted, comes in ((place.url("page/p_1111111111"), place.url("page/p_1111111111")), ("/o/x/", place.url()),
                          ("//evil.example/", place.url()), ("https://evil.example/", place.url()), ("/portal/a_other/", place.url())):
        answer = browser(server).post(place.url("sign-in"), data={"email": ANN, "password": PASSWORD, "next": wanted})
        assert (302, comes) == (answer.status_code, answer.location), wanted
    client = browser(server)
    asked = client.post(place.url("sign-in"), data={"email": f" {ANN.upper()} ", "code": "1"})
    assert give_code(client, place, asked, code_of(ANN)).status_code == 302
    assert 200 == client.get(place.url("account")).status_code


@pytest.mark.parametrize(("path", "given"), [
    ("register", form()), ("password", {"email": ANN}), ("sign-in", {"email": ANN, "code": "1"})])
def test_who_gets_no_code_starts_again_where_they_began(place: Place, server: Flask, path: str, given: dict[str, str]) -> None:
    """Registering anew, not signing in to an account that is not there yet."""
    asked = browser(server).post(place.url(path), data=given).get_data(as_text=True)
    assert f'<a href="{place.url(path)}">start again</a>' in asked


def test_a_code_is_good_once_in_the_browser_that_asked_for_five_tries_and_fifteen_minutes(place: Place, server: Flask) -> None:
    """Five wrong codes end it, so does using it; another's token has another code."""
    entered(server, place, ANN)
    client = browser(server)

    def ask() -> tuple[TestResponse, str]:
        page = client.post(place.url("sign-in"), data={"email": ANN, "code": "1"})
        return page, code_of(ANN)

    page, right = ask()
    ask()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(codes.MOST_TRIES):
        assert 422 == give_code(browser(server), place, page, wrong).status_code
    assert 422 == give_code(browser(server), place, page, right).status_code, "tried too often"
    page, right = ask()
    assert 302 == give_code(browser(server), place, page, f" {right[:3]} {right[3:]} ").status_code, "people type spaces"
    assert 422 == give_code(browser(server), place, page, right).status_code, "used"
    page, right = ask()
    with transaction():
        db.session.execute(update(PortalCode).values(ends_at=now_us() - 1))
    assert 422 == give_code(browser(server), place, page, right).status_code, "too old"
    assert 302 == browser(server).post(place.url("code"), data={"asked": "forged", "code": right}).status_code


def test_an_address_is_not_flooded(place: Place, server: Flask) -> None:
    """Beyond five mails an hour the page is the same and nothing is sent."""
    entered(server, place, ANN)
    for _ in range(codes.MOST_AN_HOUR + 3):
        answer = browser(server).post(place.url("sign-in"), data={"email": ANN, "code": "1"})
        assert 200 == answer.status_code
    assert codes.MOST_AN_HOUR == len(mails())


def test_guessing_a_password_is_locked_for_where_the_guesses_come_from(place: Place, server: Flask) -> None:
    """The sixth is not looked at, even if it is right; the owner of the account comes in from where they were before."""
    entered(server, place, ANN)
    asked = browser(server).post(place.url("password"), data={"email": ANN})
    give_code(browser(server), place, asked, code_of(ANN), password=PASSWORD)

    def enter(password: str, address: str) -> int:
        return browser(server).post(place.url("sign-in"), data={"email": ANN, "password": password},
                                    environ_base={"REMOTE_ADDR": address}).status_code

    assert [422] * 5 == [enter("wrong", "203.0.113.9") for _ in range(5)]
    assert 422 == enter(PASSWORD, "203.0.113.9")
    assert 302 == enter(PASSWORD, "127.0.0.1")
    told = browser(server).post(place.url("sign-in"), data={"email": BEN, "password": "x"}).get_data(as_text=True)
    assert "Wrong email or password" in told


def test_whoever_waits_or_is_suspended_does_not_come_in(place: Place, server: Flask) -> None:
    """A new account waits where an admin approves; the one who is suspended is signed out at once, by whichever way they came."""
    set_up(place, registration="approval")
    client = browser(server)
    asked = client.post(place.url("register"), data=form())
    answer = give_code(client, place, asked, code_of(ANN))
    assert "waiting for approval" in answer.get_data(as_text=True)
    assert place.url("sign-in") in client.get(place.url()).location
    again = client.post(place.url("sign-in"), data={"email": ANN, "password": PASSWORD})
    assert 422 == again.status_code and "waiting for approval" in again.get_data(as_text=True)
    with server.test_request_context(), transaction():
        accounts.set_state(place.row, ANN, "active", settings_of(place.row))
    assert "was approved" in mails()[-1][1]
    client.post(place.url("sign-in"), data={"email": ANN, "password": PASSWORD})
    assert 200 == client.get(place.url("account")).status_code
    with server.test_request_context(), transaction():
        accounts.set_state(place.row, ANN, "suspended", settings_of(place.row))
    assert 302 == client.get(place.url("account")).status_code
    with server.test_request_context(), transaction():
        accounts.set_state(place.row, ANN, "active", settings_of(place.row))
    assert 302 == client.get(place.url("account")).status_code, "the session before stays ended"


def test_an_invitation_is_taken_once(place: Place, server: Flask) -> None:
    """It is mailed, shown where no mail server is set, names its role, and is no longer good once taken, renewed or out of date."""
    set_up(place, registration="invite")
    admin = signed_in(server, "admin@inside.example")
    with as_tenant(place.organization_id), transaction():
        tenants.name_admin(place.row, tenants.user_by_email("admin@inside.example").id)
    manage = f"/o/{place.organization_id}/apps/{place.id}/manage/portal/accounts"
    page = admin.post(manage, data={"email": ANN, "role": "q_2222222222"}, follow_redirects=True).get_data(as_text=True)
    first = re.findall(r"http\S+/invitation/[\w-]+", page)[0]
    assert first in mails()[-1][2] and "Invited" in page
    admin.post(f"{manage}/invite", data={"email": ANN})
    link = re.findall(r"http\S+/invitation/[\w-]+", mails()[-1][2])[0]
    path, old = ("/" + one.split("/", 3)[3] for one in (link, first))
    client = browser(server)
    assert [404, 200, 200] == [client.get(one).status_code for one in (old, path, path)]
    assert 422 == client.post(path, data={"name": "Ann", "password": "short"}).status_code
    assert 302 == client.post(path, data={"name": "Ann", "password": PASSWORD}).status_code
    assert 404 == client.post(path, data={"name": "Eve", "password": PASSWORD}).status_code
    account = accounts.by_email(place.row, ANN)
    assert account is not None and (account.name, account.role) == ("Ann", "q_2222222222")
    assert 200 == client.get(place.url("account")).status_code
    assert 404 == browser(server).get(place.url("register")).status_code


def test_two_who_take_one_code_at_once_come_in_once(place: Place, server: Flask) -> None:
    """Of two at the same moment one registers; there is one account."""
    asked = browser(server).post(place.url("register"), data=form())
    right = code_of(ANN)
    found: list[int] = []
    works = [lambda client=client: found.append(give_code(client, place, asked, right).status_code)  # type: ignore[misc]
             for client in (browser(server), browser(server))]
    assert [] == at_once(server, place.organization_id, *works)
    assert [302, 422] == sorted(found)
    assert 1 == len(db.session.scalars(select(PortalAccount).where(PortalAccount.app_id == place.id)).all())


def test_a_portal_that_is_closed_is_not_there(place: Place, server: Flask) -> None:
    """Nor is one of a closed organization, or of a deleted app, or none at all: every answer is the same."""
    client = entered(server, place)
    paths = ("", "sign-in", "register", "account", "worksheet/w_1111111111", "invitation/x", "picture/logo")
    made_up = [client.get(f"/portal/a_ZZZZZZZZZZ/{path}") for path in paths]
    plain = [(one.status_code, one.get_data(as_text=True).split("<main")[1]) for one in made_up]
    set_up(place)
    with transaction():
        documents.put(place.row, Document(kind="portal", key="main", position=0, body={"enabled": False}), "system")
    closed = [client.get(place.url(path)) for path in paths]
    assert plain == [(one.status_code, one.get_data(as_text=True).split("<main")[1]) for one in closed] and plain[0][0] == 404
    set_up(place)
    with transaction():
        db.session.execute(update(Organization).where(Organization.id == place.organization_id).values(closed_at=now_us()))
    assert {404} == {client.get(place.url(path)).status_code for path in paths}
    with transaction():
        db.session.execute(update(Organization).where(Organization.id == place.organization_id).values(closed_at=None))
        apps.delete(place.row)
    assert {404} == {client.get(place.url(path)).status_code for path in paths}


def test_whoever_leaves_is_gone(place: Place, server: Flask) -> None:
    """Their sessions and codes too; what they made stays."""
    client = entered(server, place, ANN)
    made = client.post(place.url("worksheet/w_1111111111/new"), data={"f_1111111111": "Left behind", "was-f_1111111111": ""})
    assert 302 == made.status_code, made.get_data(as_text=True)
    assert 422 == client.post(place.url("account/leave"), data={"email": "other@customer.example"}).status_code
    assert 302 == client.post(place.url("account/leave"), data={"email": ANN}).status_code
    assert 302 == client.get(place.url("account")).status_code and accounts.by_email(place.row, ANN) is None
    assert service.accounts(place.row) == []
