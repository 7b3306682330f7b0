"""Pages on roles: made, given, restricted, taken away; and members see an app by its roles only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, documents, import_file, transaction
from plugins.roles import service
from plugins.sample.keys import key
from tests.conftest import made_organization
from tests.forms import untouched
from tests.web import make_member, make_person, signed_in


@pytest.fixture
def sample(sqlite_server: Flask) -> Iterator[App]:
    """The sample app."""
    with made_organization("Example") as organization:
        yield apps.find(import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"])


def manage(app: App, path: str) -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


@pytest.mark.parametrize("name", ["Manager", "Sales", "Reader"])
def test_saving_an_untouched_role_changes_nothing(sqlite_server: Flask, sample: App, name: str) -> None:
    """The form of a role gives back exactly the role."""
    client, address = signed_in(sqlite_server), manage(sample, f"role/{key('r', name)}")
    before = documents.get(sample, f"role/{key('r', name)}").body
    assert 302 == client.post(address, data=untouched(client, address)).status_code
    assert before == documents.get(apps.find(sample.id), f"role/{key('r', name)}").body


def test_what_the_form_does_not_show_stays(sqlite_server: Flask, sample: App) -> None:
    """Permissions on a worksheet in the recycle bin outlive the saving of their role."""
    client, address = signed_in(sqlite_server), manage(sample, f"role/{key('r', 'Sales')}")
    with transaction():
        documents.hide(apps.find(sample.id), f"worksheet/{key('w', 'Deals')}", "system")
    before = documents.get(apps.find(sample.id), f"role/{key('r', 'Sales')}").body
    form = untouched(client, address)
    assert not [name for name in form if key("w", "Deals") in name]
    client.post(address, data=form | {"name": "Sellers"})
    assert {**before, "name": "Sellers"} == documents.get(apps.find(sample.id), f"role/{key('r', 'Sales')}").body


def test_an_error_keeps_what_was_typed(sqlite_server: Flask, sample: App) -> None:
    """A role without a name is refused beside the field, with the rest of the form as it was sent."""
    client, address = signed_in(sqlite_server), manage(sample, f"role/{key('r', 'Sales')}")
    answer = client.post(address, data=untouched(client, address) | {"name": " ", "description": "New words"})
    page = answer.get_data(as_text=True)
    assert 422 == answer.status_code
    assert "New words" in page and "1 to 100 characters" in page
    assert "Sales" == documents.get(apps.find(sample.id), f"role/{key('r', 'Sales')}").body["name"]


def test_a_scope_that_there_is_not_is_refused(sqlite_server: Flask, sample: App) -> None:
    """What the schema does not know is not saved."""
    client, address = signed_in(sqlite_server), manage(sample, f"role/{key('r', 'Sales')}")
    form = untouched(client, address)
    name = next(name for name in form if name.endswith(".read") and key("w", "Deals") in name)
    before = documents.get(apps.find(sample.id), f"role/{key('r', 'Sales')}").body
    assert 422 == client.post(address, data=form | {name: "everything"}).status_code
    assert before == documents.get(apps.find(sample.id), f"role/{key('r', 'Sales')}").body


def test_a_member_sees_the_app_by_a_role_only(sqlite_server: Flask, sample: App) -> None:
    """No role: 404. Given one on the page: 200. Taken away: 404 at once."""
    make_member(sample.organization_id, "mia@example.org")
    owner, mia = signed_in(sqlite_server), signed_in(sqlite_server, "mia@example.org")
    home = f"/o/{sample.organization_id}/apps/{sample.id}/"
    address = "user/" + make_person("mia@example.org")
    assert 404 == mia.get(home).status_code
    assert 302 == owner.post(manage(sample, f"role/{key('r', 'Reader')}/members"), data={"member": address}).status_code
    assert 200 == mia.get(home).status_code
    assert 403 == mia.get(manage(sample, "roles")).status_code
    assert "mia" in owner.get(manage(sample, f"role/{key('r', 'Reader')}")).get_data(as_text=True)
    owner.post(manage(sample, f"role/{key('r', 'Reader')}/members/remove"), data={"member": address})
    assert 404 == mia.get(home).status_code


def test_a_removed_role_gives_nothing(sqlite_server: Flask, sample: App) -> None:
    """A role moved to the recycle bin on its page closes the app to its members at once."""
    member = make_member(sample.organization_id, "mia@example.org")
    with transaction():
        service.assign(apps.find(sample.id), key("r", "Reader"), f"user/{member}")
    mia, home = signed_in(sqlite_server, "mia@example.org"), f"/o/{sample.organization_id}/apps/{sample.id}/"
    assert 200 == mia.get(home).status_code
    assert 302 == signed_in(sqlite_server).post(manage(sample, f"role/{key('r', 'Reader')}/remove")).status_code
    assert 404 == mia.get(home).status_code


def test_a_role_is_not_given_to_strangers(sqlite_server: Flask, sample: App) -> None:
    """Whoever is no member of the organization, or nobody at all, is refused."""
    stranger = make_person("stranger@example.com")
    for member in (f"user/{stranger}", "user/u_9999999999", "", "role/x", "x" * 5000):
        answer = signed_in(sqlite_server).post(manage(sample, f"role/{key('r', 'Reader')}/members"), data={"member": member})
        assert answer.status_code in (404, 422)
    assert [] == service.members(apps.find(sample.id), key("r", "Reader"))


def test_a_role_made_on_the_page_gives_nothing_yet(sqlite_server: Flask, sample: App) -> None:
    """A new role has its name and no rights."""
    answer = signed_in(sqlite_server).post(manage(sample, "roles"), data={"name": "Interns"})
    assert 302 == answer.status_code
    made = documents.get(apps.find(sample.id), "role/" + answer.location.rpartition("/")[2])
    assert {"name": "Interns", "worksheets": [], "pages": []} == made.body
    assert "1 to 100" in signed_in(sqlite_server).post(manage(sample, "roles"), data={"name": ""}).get_data(as_text=True)


def test_the_preview_says_what_somebody_may_do(sqlite_server: Flask, sample: App) -> None:
    """It names the roles and their result, also for admins and for those without a role; not for strangers."""
    member = make_member(sample.organization_id, "mia@example.org")
    client = signed_in(sqlite_server)
    address = manage(sample, f"roles/rights?person=user/{member}")
    assert "cannot see it" in client.get(address).get_data(as_text=True)
    with transaction():
        service.assign(apps.find(sample.id), key("r", "Reader"), f"user/{member}")
    page = client.get(address).get_data(as_text=True)
    assert "Reader" in page and "Their department&#39;s" in page
    owner = "user/" + make_person("owner@example.org")
    assert "can do everything" in client.get(manage(sample, f"roles/rights?person={owner}")).get_data(as_text=True)
    stranger = make_person("stranger@example.com")
    assert 404 == client.get(manage(sample, f"roles/rights?person=user/{stranger}")).status_code
