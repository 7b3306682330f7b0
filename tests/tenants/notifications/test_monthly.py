"""The monthly overview of backups: on the first day by the organization's own clock, once, to owners and admins who want it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.api import App, apps, as_server, as_tenant, db, direct, transaction
from core.base.time import moved, now_us
from tenants.models import Organization
from tenants.notifications import choices, monthly
from tenants.notifications.choices import Choice
from tenants.notifications.models import Delivery
from tests.web import make_member, make_organization
from tests.writing import at_once


def until(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    """Return how many seconds there are to a moment in UTC, also from where a test has moved the time already."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() - now_us() / 1_000_000


YEAR = datetime.now(UTC).year + 1


@pytest.fixture
def begun(organization: str, app: App) -> Iterator[None]:
    """It is the middle of May, and the clock has seen the organization."""
    with moved(until(YEAR, 5, 15)):
        assert [] == monthly.tell_of_health()
        yield


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> list[str]:
    """Let the clock look at a moment, and return which organizations it told."""
    with moved(until(YEAR, month, day, hour, minute)):
        return monthly.tell_of_health()


def mails() -> list[str]:
    """Return the titles of all mails on their way."""
    db.session.rollback()
    return list(db.session.scalars(select(Delivery.title).where(Delivery.kind == "backup_health", Delivery.channel == "mail")))


def test_owners_and_admins_are_told_once_as_a_month_begins(organization: str, begun: None) -> None:
    """Not before, not again, not members; the next month again."""
    make_member(organization, "admin@example.org", "admin")
    make_member(organization, "plain@example.org")
    assert [] == at(5, 31, 23, 59)
    assert [organization] == at(6, 1)
    assert [] == at(6, 1, 0, 1) == at(6, 30)
    assert ["Backups: 1 of 1 app needs attention"] * 2 == mails()
    assert [organization] == at(7, 1)
    assert 4 == len(mails())


def test_the_month_begins_by_the_clock_of_the_organization(organization: str, begun: None) -> None:
    """Hours before or after it does in UTC."""
    with transaction():
        db.session.get(Organization, organization).time_zone = "Pacific/Auckland"  # type: ignore[union-attr]
    assert [] == at(5, 31, 11, 59)
    assert [organization] == at(5, 31, 12)
    with transaction():
        db.session.get(Organization, organization).time_zone = "America/Los_Angeles"  # type: ignore[union-attr]
    assert [] == at(7, 1, 6, 59)
    assert [organization] == at(7, 1, 7)


def test_what_was_missed_is_caught_up_once(organization: str, begun: None) -> None:
    """Of the month that is, however many there were."""
    assert [organization] == at(9, 17)
    assert [] == at(9, 18)
    assert 1 == len(mails())


def test_an_organization_is_told_from_its_next_month_on(organization: str, app: App) -> None:
    """Not of the one in which it is new, and never while it has no apps or is closed."""
    with moved(until(YEAR, 5, 15)):
        assert [] == monthly.tell_of_health()
    empty, closed = make_organization("Empty"), make_organization("Closed")
    with as_server(), transaction():
        db.session.get(Organization, closed).closed_at = 1  # type: ignore[union-attr]
    with as_tenant(closed), transaction():
        apps.create("Closed", "system")
    with moved(until(YEAR, 5, 16)):
        assert [] == monthly.tell_of_health()
    with moved(until(YEAR, 6, 1)):
        assert [organization] == monthly.tell_of_health()
    with as_tenant(empty):
        assert [] == mails()


def test_whoever_does_not_want_it_is_not_told(organization: str, owner: str, begun: None) -> None:
    """Nor later, when they turn it on: from the next month on."""
    with transaction():
        choices.choose(owner, {"backup_health": Choice(False, False)})
    assert [organization] == at(6, 1)
    with transaction():
        choices.choose(owner, {"backup_health": Choice(False, True)})
    assert [] == at(6, 2) == mails()
    at(7, 1)
    assert 1 == len(mails())


def test_two_clocks_at_once_tell_once(server: Flask, organization: str, begun: None) -> None:
    """Who comes second finds the month told."""
    told: list[str] = []

    def tick() -> None:
        told.extend(monthly.tell_of_health())

    with moved(until(YEAR, 6, 1)):
        assert [] == at_once(server, organization, tick, tick, tick)
    assert [organization] == told
    assert 1 == db.session.scalar(select(func.count()).select_from(Delivery).where(Delivery.kind == "backup_health"))


def test_the_mail_says_what_is_wrong_and_where(organization: str, begun: None) -> None:
    """The worst first; a page shows all."""
    with transaction():
        names = [apps.create(f"App {n:02}", "system").id for n in range(25)]
    direct.back_up(apps.find(names[0]))
    at(6, 1)
    (body,) = db.session.scalars(select(Delivery.body).where(Delivery.kind == "backup_health"))
    assert "25 of 26 apps have no backup." in body and "26 of 26 apps have no active schedule." in body
    assert "backed up by schedule, and proven" not in body
    assert "App 01: There is no backup. It has no schedule." in body and "and 6 more, on the page" in body
    assert f"/o/{organization}/backup-health" in body


def test_a_failed_telling_is_told_again(organization: str, begun: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The month counts as told in the transaction that tells."""
    def fail(*of: object) -> None:
        raise OSError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(monthly, "tell", fail)
        with pytest.raises(OSError, match="no room"):
            at(6, 1)
    db.session.rollback()
    assert [organization] == at(6, 1)
