"""The page on the health of an organization's backups: who sees it, where it leads, and what it costs."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert

from core.api import App, apps, as_tenant, db, direct, new_key, transaction
from tenants.web import backup_health
from tests.core.web.backups.conftest import Place, furnished, place, words
from tests.core.web.test_queries import asked_for
from tests.web import make_member, signed_in

__all__ = ["furnished", "place"]
MOST = 12


def path_of(place: Place) -> str:
    """Return the page's address."""
    return f"/o/{place.organization_id}/backup-health"


def more_apps(place: Place, number: int) -> None:
    """Give the organization apps that nobody manages."""
    with as_tenant(place.organization_id), transaction():
        db.session.execute(insert(App.__table__), [
            {"id": new_key("a"), "organization_id": place.organization_id, "name": f"App {n:03}", "created_at": 1, "created_by": "system",
             "revision": 0} for n in range(number)])


def test_an_owner_sees_what_is_wrong_and_a_way_out(place: Place) -> None:
    """The menu leads there."""
    shown = place.browser.get(path_of(place))
    assert "1 of 1 app has no backup" in words(shown) and "1 of 1 app needs attention" in words(shown) and "There is no backup." in words(shown)
    assert f'href="{place.root}/new"' in shown.get_data(as_text=True)
    assert f'href="{path_of(place)}"' in place.browser.get(f"/o/{place.organization_id}/").get_data(as_text=True)
    place.back_up()
    shown = place.browser.get(path_of(place))
    assert "No backup has been read whole" in words(shown) and "Check now" in words(shown) and "Not yet" in words(shown)
    backup = place.backups()[0].id
    place.post(f"/{backup}/check", data={"deep": "1"})
    place.work()
    assert "Restored on trial" in words(place.browser.get(path_of(place)))


def test_where_no_app_is_fine_nothing_is_green(place: Place) -> None:
    """The last figure says how many need attention, in the colour of the worst."""
    more_apps(place, 1)
    card = re.compile(r'<li class="card slim ([a-z]+)">([^<]+)</li>')
    told = card.findall(place.browser.get(path_of(place)).get_data(as_text=True))
    assert ("bad", "2 of 2 apps need attention") == told[-1] and "good" not in {colour for colour, _ in told}
    with as_tenant(place.organization_id):
        for app_id in [app.id for app in apps.all_apps()]:
            direct.back_up(apps.find(app_id), data=True, person=place.owner)
    assert ("warn", "2 of 2 apps need attention") == card.findall(place.browser.get(path_of(place)).get_data(as_text=True))[-1]


def test_an_admin_who_does_not_manage_an_app_sees_its_health_and_no_link(place: Place) -> None:
    """What it would lead to is not theirs; a member sees nothing."""
    make_member(place.organization_id, "admin@example.org", "admin")
    make_member(place.organization_id, "plain@example.org")
    backup = place.back_up(name="Before the move")
    admin = signed_in(place.server, "admin@example.org")
    shown = admin.get(path_of(place)).get_data(as_text=True)
    assert "Sample CRM" in shown
    assert place.root not in shown and backup not in shown and "Before the move" not in shown
    assert 403 == signed_in(place.server, "plain@example.org").get(path_of(place)).status_code


def test_many_apps_take_as_few_questions_as_one_and_are_shown_a_page_at_a_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted on top is of all."""
    few = asked_for(place.browser, path_of(place))
    more_apps(place, 250)
    assert few == asked_for(place.browser, path_of(place)) <= MOST
    first = words(place.browser.get(path_of(place)))
    assert "251 of 251 apps have no backup" in first and "Page 1 of 3" in first and "App 098" in first and "App 150" not in first
    last = words(place.browser.get(path_of(place) + "?page=3"))
    assert "App 249" in last and "Page 3 of 3" in last
    for asked in ("0", "-1", "x", "99999999999999999999", "77"):
        assert 200 == place.browser.get(f"{path_of(place)}?page={asked}").status_code
    assert 100 == backup_health.PAGE_APPS


def test_an_organization_without_apps_is_told_so(place: Place) -> None:
    """Nothing is counted."""
    with as_tenant(place.organization_id), transaction():
        apps.delete(apps.find(place.app_id))
    assert "No apps yet" in words(place.browser.get(path_of(place)))
