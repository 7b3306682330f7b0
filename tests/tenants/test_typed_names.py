"""Emails, names, passwords and locks: what is taken and what is not."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import Conflict, InvalidInput, as_server, transaction
from tenants import passwords, service
from tenants.throttle import LOCKED_US, locked_until
from tenants.typed_names import checked_email, checked_name
from tenants.web.account import device
from tests.web import make_person

MINUTE_US = 60 * 1_000_000


@pytest.mark.parametrize("email", ["Anna@Example.org", " anna@example.org ", "ANNA@EXAMPLE.ORG\n"])
def test_an_e_mail_is_one_whatever_its_case(email: str) -> None:
    """It is kept in lower case without spaces around it."""
    assert "anna@example.org" == checked_email(email)


def test_an_e_mail_is_one_however_its_letters_are_composed() -> None:
    """ü as one character and as u with a diaeresis are the same."""
    assert checked_email("J\u00fcrgen@example.org") == checked_email("Ju\u0308rgen@example.org")


def test_nobody_has_an_account_that_looks_like_anothers_by_case(sqlite_server: Flask) -> None:
    """The second one is refused."""
    make_person("jürgen@example.org")
    for email in ("JÜRGEN@example.org", "Ju\u0308rgen@Example.org"):
        with pytest.raises(Conflict), as_server(), transaction():
            service.create_user(email)


@pytest.mark.parametrize("email", ["", "anna", "@example.org", "anna@", "an na@example.org", "a@b@c", "anna@exa\u200bmple.org",
                                   "anna@example.org\x00", "a\u202enna@example.org", "a" * 65 + "@b.c", "a,b@c.d", "<a@b.c>"])
def test_what_is_no_e_mail_is_refused(email: str) -> None:
    """Nor is what holds characters that nobody sees."""
    with pytest.raises(InvalidInput):
        checked_email(email)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "a\x00b", "a\u2028b", "a\u202eb", "a\ud800b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Neither nothing, nor too much, nor what turns the line around."""
    with pytest.raises(InvalidInput):
        checked_name(name, "a person")


def test_names_of_any_script_are_taken() -> None:
    """Joiners belong to some scripts and to emoji."""
    for name in ("Zoë", "میخواهم", "नीना", "👩‍💻 team", "O'Neill & Sons <Ltd>"):
        assert name == checked_name(f" {name} ", "a person")


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "y7" * 501, "anna@example.org", "ANNA@example.org", "Password123",
                                      "1234567890", "aaaaaaaaaaaa", "ababababab", "correct horse battery staple"])
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    """Too short, absurdly long, the email, one of those that everybody tries."""
    with pytest.raises(InvalidInput):
        passwords.checked(password, "anna@example.org")


def test_the_first_part_of_a_long_e_mail_is_no_password() -> None:
    """It is the first that one would try."""
    with pytest.raises(InvalidInput):
        passwords.checked("Anna.Magdalena", "anna.magdalena@example.org")


def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    """Keyboards compose differently; people type the same."""
    kept = passwords.hashed("pa\u00dfwort f\u00fcr alle")
    assert passwords.matches(kept, "pa\u00dfwort fu\u0308r alle")
    assert not passwords.matches(kept, "passwort für alle")
    assert not passwords.matches(None, "the password of nobody")


@pytest.mark.parametrize(("minutes", "until"), [
    ([0, 1, 2, 3], None),
    ([0, 1, 2, 3, 4], 19),
    ([0, 4, 8, 12, 16], None),
    ([0, 4, 8, 12, 14], 29),
    ([0, 5, 6, 7, 8, 9], 24),
])
def test_five_within_fifteen_minutes_lock_from_the_last_one_on(minutes: list[int], until: int | None) -> None:
    """Slower than that they do not."""
    found = locked_until([minute * MINUTE_US for minute in minutes])
    assert (None if until is None else until * MINUTE_US) == found
    assert 15 * MINUTE_US == LOCKED_US


@pytest.mark.parametrize(("agent", "name"), [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604", "Safari on iPhone"),
    ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537 Edg/140.0", "Edge on Windows"),
    ("curl/8.0", "curl"), ("", "Unknown device"), ("x" * 300, "x" * 40)])
def test_devices_are_called_as_people_would(agent: str, name: str) -> None:
    """Browser and system; what is unknown, by its beginning."""
    assert name == device(agent)
