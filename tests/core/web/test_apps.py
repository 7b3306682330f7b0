"""Pages on whole apps: listed for those who see them, made, deleted by their name."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import apps, as_tenant, transaction
from tests.web import Browser, make_member, make_organization, make_person, signed_in


@pytest.fixture
def organization(sqlite_server: Flask) -> str:
    """The id of an organization with an app that its owner manages."""
    found = make_organization("Example")
    owner = make_person("owner@example.org")
    with as_tenant(found), transaction():
        apps.create("Sales", owner)
    return found


def names(organization: str) -> list[str]:
    """Return what the organization's apps are called."""
    with as_tenant(organization):
        return [app.name for app in apps.all_apps()]


def text(client: Browser, address: str) -> str:
    """Return a page."""
    answer = client.get(address)
    assert 200 == answer.status_code
    return answer.get_data(as_text=True)


def delete(client: Browser, organization: str, name: str) -> int:
    """Ask for the first app to be deleted, with a name typed."""
    with as_tenant(organization):
        app = apps.all_apps()[0].id
    return client.post(f"/o/{organization}/apps/{app}/delete", data={"name": name}).status_code


def test_an_app_is_made_and_opens(sqlite_server: Flask, organization: str) -> None:
    """Whoever makes it manages it; its home says what comes next."""
    client = signed_in(sqlite_server)
    answer = client.post(f"/o/{organization}/apps/new", data={"name": " Stock "})
    assert ["Sales", "Stock"] == names(organization)
    page = text(client, answer.location)
    assert "Start with a worksheet" in page and "/manage/worksheet/new" in page


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\u2067b"])
def test_an_app_without_a_good_name_is_not_made(sqlite_server: Flask, organization: str, name: str) -> None:
    """The sentence stands beside the field."""
    answer = signed_in(sqlite_server).post(f"/o/{organization}/apps/new", data={"name": name})
    page = answer.get_data(as_text=True)
    assert 422 == answer.status_code and "1 to 100 characters" in page and 'aria-invalid="true"' in page
    assert ["Sales"] == names(organization)


def test_who_manages_the_organization_sees_apps_that_they_may_not_open(sqlite_server: Flask, organization: str) -> None:
    """Without a link; a member sees none of it."""
    make_member(organization, "admin@example.org", "admin")
    make_member(organization, "mia@example.org")
    page = text(signed_in(sqlite_server, "admin@example.org"), f"/o/{organization}/")
    assert "Sales" in page and "/apps/a_" not in page
    assert "Sales" not in text(signed_in(sqlite_server, "mia@example.org"), f"/o/{organization}/")


@pytest.mark.parametrize("typed", ["", "sales", "Sales app"])
def test_an_app_is_deleted_by_its_name_only(sqlite_server: Flask, organization: str, typed: str) -> None:
    """Another name deletes nothing, and the page says so beside the field, with what was typed."""
    client = signed_in(sqlite_server)
    with as_tenant(organization):
        app = apps.all_apps()[0].id
    answer = client.post(f"/o/{organization}/apps/{app}/delete", data={"name": typed})
    assert (422, ["Sales"]) == (answer.status_code, names(organization))
    assert "Type its name exactly: Sales" in answer.text and f'value="{typed}"' in answer.text


def test_a_deleted_app_is_gone_for_everybody(sqlite_server: Flask, organization: str) -> None:
    """From the list, and from its own address."""
    client = signed_in(sqlite_server)
    with as_tenant(organization):
        app = apps.all_apps()[0].id
    delete(client, organization, "Sales")
    assert [] == names(organization)
    assert 404 == client.get(f"/o/{organization}/apps/{app}/").status_code


def test_members_do_not_delete_apps(sqlite_server: Flask, organization: str) -> None:
    """Whoever does not see it gets 404."""
    make_member(organization, "mia@example.org")
    assert 404 == delete(signed_in(sqlite_server, "mia@example.org"), organization, "Sales")
    assert ["Sales"] == names(organization)


def test_the_management_lists_components_in_the_order_of_work(sqlite_server: Flask, organization: str) -> None:
    """What holds data first, settings last."""
    with as_tenant(organization):
        app = apps.all_apps()[0].id
    page = text(signed_in(sqlite_server), f"/o/{organization}/apps/{app}/manage/")
    places = [page.index(f"<h2>{title}</h2>") for title in ("Worksheets", "Pages", "Workflows", "Roles", "Portal", "Settings", "Recycle bin")]
    assert sorted(places) == places
