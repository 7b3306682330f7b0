"""The first start: a new server is set up once, by one, and never again."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import db
from tenants.models import Organization, User
from tests.tenants.test_second_factor import together
from tests.web import PASSWORD, browser, make_organization, signed_in

FORM = {"organization": "Acme", "time_zone": "Europe/Berlin", "name": "Olga", "email": "Olga@Example.org", "password": PASSWORD}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/account", "/o/o_1/"])
def test_an_empty_server_leads_to_setting_it_up(sqlite_server: Flask, path: str) -> None:
    """Whatever one asks for first."""
    assert "Welcome to Appkeep" in browser(sqlite_server).get(path, follow_redirects=True).text


def test_setting_up_makes_organization_and_owner_and_signs_in(sqlite_server: Flask) -> None:
    """One form, and one is in."""
    client = browser(sqlite_server)
    page = client.post("/set-up", data=FORM, follow_redirects=True)
    assert (200, True) == (page.status_code, "Acme" in page.text)
    db.session.rollback()
    made = db.session.query(Organization).one()
    assert ("Acme", "Europe/Berlin") == (made.name, made.time_zone)
    assert ("Olga", "olga@example.org") == tuple(db.session.query(User.name, User.email).one())
    assert 200 == client.get(f"/o/{made.id}/settings").status_code


@pytest.mark.parametrize(("field", "value"), [
    ("organization", " "), ("time_zone", "Europe/Atlantis"), ("time_zone", "../../etc/passwd"), ("name", ""),
    ("email", "olga"), ("password", "short"), ("password", "password123"), ("password", "Olga@Example.org")])
def test_what_cannot_be_taken_makes_nothing_and_loses_nothing(sqlite_server: Flask, field: str, value: str) -> None:
    """The form comes back with what was typed, but the password."""
    page = browser(sqlite_server).post("/set-up", data={**FORM, field: value})
    assert 422 == page.status_code
    assert PASSWORD not in page.text
    if field != "organization":
        assert 'value="Acme"' in page.text
    db.session.rollback()
    assert (0, 0) == (db.session.query(Organization).count(), db.session.query(User).count())


def test_it_is_closed_ever_after(sqlite_server: Flask) -> None:
    """Also when the only organization was closed."""
    organization_id = make_organization("Acme")
    client = browser(sqlite_server)
    assert "/sign-in" == client.get("/set-up").location
    assert "/sign-in" == client.post("/set-up", data={**FORM, "organization": "Evil"}).location
    signed_in(sqlite_server).post(f"/o/{organization_id}/close", data={"typed_name": "Acme"})
    client.post("/set-up", data={**FORM, "organization": "Evil"})
    db.session.rollback()
    assert ["Acme"] == [name for name, in db.session.query(Organization.name)]


def test_of_many_at_once_one_sets_it_up(server: Flask) -> None:
    """Two who open the page together do not both own the server."""
    clients = [browser(server) for _ in range(5)]
    numbers = iter(range(5))

    def act() -> object:
        number = next(numbers)
        form = {**FORM, "organization": f"Acme {number}", "email": f"olga{number}@example.org"}
        return clients[number].post("/set-up", data=form).location

    answers = together(server, act, times=5)
    db.session.rollback()
    assert (1, 1) == (db.session.query(Organization).count(), db.session.query(User).count())
    assert 1 == answers.count("/")
