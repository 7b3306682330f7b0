"""An organization as a whole: settings, plan, app admins, its log, closing it."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.api import App, apps, as_tenant, db, put_file, transaction
from tenants import audit, organizations, service
from tenants.audit import PAGE_ENTRIES
from tests.web import OWNER, make_member, make_organization, make_person, signed_in


@pytest.fixture
def organization_id(sqlite_server: Flask) -> str:
    """An organization with an owner, an admin and a member."""
    made = make_organization("Acme")
    make_member(made, "admin@example.org", "admin")
    make_member(made, "member@example.org")
    return made


@pytest.fixture
def crm(organization_id: str) -> App:
    """An app of the organization that nobody manages."""
    with as_tenant(organization_id), transaction():
        return apps.create("CRM", "system")


def test_settings_are_changed_by_owners_and_admins(sqlite_server: Flask, organization_id: str) -> None:
    """Name, time zone and second factor; what cannot be taken comes back beside the form."""
    form = {"name": "Acme & Sons", "time_zone": "Asia/Tokyo"}
    path = f"/o/{organization_id}/settings"
    assert 403 == signed_in(sqlite_server, "member@example.org").post(path, data=form).status_code
    client = signed_in(sqlite_server, "admin@example.org")
    assert 302 == client.post(path, data=form).status_code
    assert "Acme &amp; Sons" in client.get(path).text
    make_organization("Other", "other@example.org")
    for wrong in ({"name": "Other"}, {"time_zone": "Mars/Olympus"}, {"name": ""}, {"name": "x" * 101}):
        assert 422 == client.post(path, data={**form, **wrong}).status_code
    assert ("Acme & Sons", "Asia/Tokyo") == (service.find_organization(organization_id).name, service.time_zone(organization_id))


def test_the_plan_is_changed_by_owners_and_admins(sqlite_server: Flask, organization_id: str) -> None:
    """Not by members; there are no plans but those of the table."""
    path = f"/o/{organization_id}/plan"
    member = signed_in(sqlite_server, "member@example.org")
    assert (403, 403) == (member.get(path).status_code, member.post(f"{path}/change", data={"plan": "free"}).status_code)
    for email, plan in ((OWNER, "free"), ("admin@example.org", "standard")):
        client = signed_in(sqlite_server, email)
        assert [302, 422] == [client.post(f"{path}/change", data={"plan": name}).status_code for name in (plan, "unlimited")]
        db.session.rollback()
        assert plan == service.find_organization(organization_id).plan


def test_usage_counts_what_is_there(sqlite_server: Flask, organization_id: str) -> None:
    """Bytes of this organization's objects, each once, and of no other's."""
    for name in (organization_id, make_organization("Other", "other@example.org")):
        with as_tenant(name):
            for _ in range(2):
                put_file(io.BytesIO(b"a" * 1000))
    with as_tenant(organization_id):
        usage = organizations.usage()
    assert (1, 1000, 3, 0) == (usage.contents, usage.raw_bytes, usage.members, usage.apps)
    assert 0 < usage.stored_bytes < 1000
    assert "1.0 kB" in signed_in(sqlite_server).get(f"/o/{organization_id}/plan").text


def test_admins_name_app_admins_also_themselves_and_it_is_logged(sqlite_server: Flask, organization_id: str, crm: App) -> None:
    """An org admin sees nothing of an app that they do not manage, until they name themselves for all to see."""
    home = f"/o/{organization_id}/apps/{crm.id}"
    client = signed_in(sqlite_server, "admin@example.org")
    assert 404 == client.get(f"{home}/").status_code
    client.post(f"{home}/admins/add", data={"email": "admin@example.org"})
    assert 200 == client.get(f"{home}/").status_code
    assert "App admin added" in client.get(f"/o/{organization_id}/log").text
    client.post(f"{home}/admins/{service.user_by_email('admin@example.org').id}/remove")
    assert 404 == client.get(f"{home}/").status_code
    assert 404 == client.post(f"{home}/admins/u_nobody/remove").status_code


def test_members_and_app_admins_do_not_name_app_admins(sqlite_server: Flask, organization_id: str, crm: App) -> None:
    """Only those who manage the organization do."""
    path = f"/o/{organization_id}/apps/{crm.id}/admins"
    assert 404 == signed_in(sqlite_server, "member@example.org").post(f"{path}/add", data={"email": OWNER}).status_code
    with as_tenant(organization_id), transaction():
        service.name_admin(apps.find(crm.id), service.user_by_email("member@example.org").id)
    assert 403 == signed_in(sqlite_server, "member@example.org").post(f"{path}/add", data={"email": OWNER}).status_code


def test_nobody_learns_here_who_has_an_account(sqlite_server: Flask, organization_id: str, crm: App) -> None:
    """Somebody outside is invited, whether they have one or not; the pages are alike."""
    make_person("known@example.org")
    client, pages = signed_in(sqlite_server), []
    for email in ("known@example.org", "unknown@example.org"):
        page = client.post(f"/o/{organization_id}/apps/{crm.id}/admins/add", data={"email": email}, follow_redirects=True).text
        (invitation,) = re.findall(r"/invitations/(\w+)/withdraw", page)
        client.post(f"/o/{organization_id}/invitations/{invitation}/withdraw", follow_redirects=True)
        pages.append(re.sub(r"[\w-]{43,}|csrf_token.*|hx-headers=.*|<time.*?</time>", "", page).replace(email, "E"))
    assert pages[0] == pages[1]


def test_an_app_of_another_organization_does_not_exist_here(sqlite_server: Flask, organization_id: str, crm: App) -> None:
    """Neither under its own address nor under that of one's organization."""
    other = make_organization("Other", "other@example.org")
    client = signed_in(sqlite_server, "other@example.org")
    for home in (organization_id, other):
        assert 404 == client.get(f"/o/{home}/apps/{crm.id}/admins").status_code
        assert 404 == client.post(f"/o/{home}/apps/{crm.id}/admins/add", data={"email": "other@example.org"}).status_code


def test_a_closed_organization_is_entered_by_nobody_and_opened_again_whole(sqlite_server: Flask, organization_id: str, crm: App) -> None:
    """Owner only, by typing its name; its apps are closed to app admins outside too. Nothing is lost."""
    with as_tenant(organization_id), transaction():
        service.name_admin(apps.find(crm.id), service.create_user("outside@example.org").id)
    path = f"/o/{organization_id}/close"
    assert 403 == signed_in(sqlite_server, "admin@example.org").post(path, data={"typed_name": "Acme"}).status_code
    owner, outside = signed_in(sqlite_server), signed_in(sqlite_server, "outside@example.org")
    assert 422 == owner.post(path, data={"typed_name": "acme"}).status_code
    assert 200 == outside.get(f"/o/{organization_id}/apps/{crm.id}/").status_code
    assert 302 == owner.post(path, data={"typed_name": "Acme"}).status_code
    assert {404} == {owner.get(f"/o/{organization_id}/{page}").status_code for page in ("", "members", "settings", "log")}
    assert {404} == {one.get(f"/o/{organization_id}/apps/{crm.id}/").status_code for one in (owner, outside)}
    assert "You do not belong to an organization yet" in owner.get("/", follow_redirects=True).text
    with transaction():
        organizations.open_again(organization_id)
    assert 200 == owner.get(f"/o/{organization_id}/members").status_code
    assert 200 == outside.get(f"/o/{organization_id}/apps/{crm.id}/").status_code


def test_an_entry_of_the_log_is_neither_changed_nor_removed(server: Flask) -> None:
    """The database itself refuses."""
    with as_tenant(make_organization("Acme")):
        for statement in ("UPDATE audit_entry SET act = 'x'", "DELETE FROM audit_entry"):
            with pytest.raises(DBAPIError), transaction():
                db.session.execute(text(statement))
        assert 1 == len(audit.entries())


def test_an_act_that_fails_leaves_no_entry(sqlite_server: Flask, organization_id: str) -> None:
    """The entry is written in the transaction of its act."""
    with as_tenant(organization_id):
        before = len(audit.entries())
        with pytest.raises(RuntimeError), transaction():
            organizations.change_plan("free")
            raise RuntimeError("the disk is full")
        assert before == len(audit.entries())


def test_the_log_is_read_a_page_at_a_time_and_filtered(sqlite_server: Flask, organization_id: str) -> None:
    """By act and by person; nobody's entries are those of another organization."""
    with as_tenant(organization_id), transaction():
        for number in range(PAGE_ENTRIES + 5):
            audit.audit("department_added", f"department/d_{number}", by=service.user_by_email(OWNER).id, name=f"D{number}")
    with as_tenant(make_organization("Other", "other@example.org")), transaction():
        audit.audit("department_added", "department/d_x", name="Secret")
    client, path = signed_in(sqlite_server), f"/o/{organization_id}/log"
    page = client.get(path).text
    older = re.search(rf'href="({path}\?[^"]*before=\d+)"', page)
    assert older
    rest = client.get(older[1].replace("&amp;", "&")).text
    shown = re.findall("“<bdi>(D[0-9]+)</bdi>”", page + rest)
    assert [f"D{number}" for number in reversed(range(PAGE_ENTRIES + 5))] == shown
    assert "Secret" not in page + rest
    assert 1 == client.get(f"{path}?act=organization_made").text.count("<strong>")
    assert "No results" in client.get(f"{path}?person=other@example.org").text
    assert "D54" in client.get(f"{path}?person={OWNER}").text
    for odd in ("?before=x", "?before=99999999999999999999", "?act=<script>", "?person='"):
        assert 200 == client.get(path + odd).status_code
    assert 403 == signed_in(sqlite_server, "member@example.org").get(path).status_code


def test_members_of_the_organization_are_called_by_name(sqlite_server: Flask, organization_id: str) -> None:
    """Whoever is gone from it is still called what they are called."""
    member = service.user_by_email("member@example.org").id
    signed_in(sqlite_server).post(f"/o/{organization_id}/members/{member}/remove")
    assert "member" == service.name_of(organization_id, member)
