"""Members: who may change whom, and that an organization always has an owner."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import Conflict, apps, as_tenant, db, transaction
from tenants import app_admins, departments, members, org_roles, service
from tenants.models import Membership
from tests.tenants.test_second_factor import together
from tests.web import OWNER, browser, make_member, make_organization, make_person, signed_in


@pytest.fixture
def organization_id(sqlite_server: Flask) -> str:
    """An organization with an owner, an admin and a member."""
    made = make_organization("Acme")
    make_member(made, "admin@example.org", "admin")
    make_member(made, "member@example.org")
    return made


def person(email: str) -> str:
    """Return the id of the person of that email."""
    db.session.rollback()
    return service.user_by_email(email).id


def role(organization_id: str, email: str) -> str | None:
    """Return what somebody is in an organization."""
    return service.role_of(organization_id, person(email))


def change(app: Flask, organization_id: str, email: str, new: str, by: str) -> int:
    """Let somebody change what somebody is, and return the status."""
    path = f"/o/{organization_id}/members/{person(email)}/role"
    return signed_in(app, by).post(path, data={"role": new}).status_code


def test_an_admin_changes_members_and_admins_but_no_owner(sqlite_server: Flask, organization_id: str) -> None:
    """Owners stand above admins: neither made, nor demoted, nor removed by them."""
    by = "admin@example.org"
    assert 302 == change(sqlite_server, organization_id, "member@example.org", "admin", by)
    assert 403 == change(sqlite_server, organization_id, OWNER, "member", by)
    assert 403 == change(sqlite_server, organization_id, "member@example.org", "owner", by)
    assert 403 == change(sqlite_server, organization_id, by, "owner", by)
    client = signed_in(sqlite_server, by)
    assert 403 == client.post(f"/o/{organization_id}/members/{person(OWNER)}/remove").status_code
    assert ("owner", "admin") == (role(organization_id, OWNER), role(organization_id, "member@example.org"))


def test_the_last_owner_stays(sqlite_server: Flask, organization_id: str) -> None:
    """Neither demoted nor removed, also not by themselves; with a second owner both are possible."""
    assert 422 == change(sqlite_server, organization_id, OWNER, "admin", OWNER)
    owner = signed_in(sqlite_server)
    assert 422 == owner.post(f"/o/{organization_id}/members/{person(OWNER)}/remove").status_code
    assert 302 == change(sqlite_server, organization_id, "admin@example.org", "owner", OWNER)
    assert 302 == owner.post(f"/o/{organization_id}/members/{person(OWNER)}/remove").status_code
    assert (None, "owner") == (role(organization_id, OWNER), role(organization_id, "admin@example.org"))


def test_two_owners_who_demote_each_other_at_once_leave_one(server: Flask) -> None:
    """One after the other: the second is refused."""
    organization_id = make_organization("Acme")
    other = make_member(organization_id, "second@example.org", "owner")
    both = iter([person(OWNER), other])

    def act() -> object:
        target = next(both)
        try:
            with as_tenant(organization_id), transaction():
                members.change_role(target, "member", "owner")
        except Conflict:
            return "refused"
        return "done"

    assert ["done", "refused"] == sorted(map(str, together(server, act, times=2)))
    db.session.rollback()
    with as_tenant(organization_id):
        assert 1 == db.session.query(Membership).filter(Membership.role == "owner").count()


@pytest.mark.parametrize("new", ["", "emperor", "Owner", "system"])
def test_there_are_three_roles(sqlite_server: Flask, organization_id: str, new: str) -> None:
    """Nothing else is taken."""
    assert 422 == change(sqlite_server, organization_id, "member@example.org", new, OWNER)


def test_a_member_does_not_see_who_the_others_are(sqlite_server: Flask, organization_id: str) -> None:
    """The pages that manage the organization are for those who do."""
    client = signed_in(sqlite_server, "member@example.org")
    assert 403 == client.get(f"/o/{organization_id}/members").status_code
    assert "Members" not in client.get(f"/o/{organization_id}/").text


def test_people_of_another_organization_are_nobody_here(sqlite_server: Flask, organization_id: str) -> None:
    """Their ids answer as ids of nobody do."""
    make_organization("Other", "other@example.org")
    client = signed_in(sqlite_server)
    for user_id in (person("other@example.org"), "u_nobody"):
        answers = [client.get(f"/o/{organization_id}/members/{user_id}"),
                   client.post(f"/o/{organization_id}/members/{user_id}/role", data={"role": "admin"}),
                   client.post(f"/o/{organization_id}/members/{user_id}/remove")]
        assert [404, 404, 404] == [answer.status_code for answer in answers]
    assert "owner" == role(make_organization_id("Other"), "other@example.org")


def make_organization_id(name: str) -> str:
    """Return the id of an organization by name."""
    return service.find_organization(name).id


def test_who_is_removed_is_out_at_once_and_of_everything(sqlite_server: Flask, organization_id: str) -> None:
    """Departments, org roles and, as asked, the apps they manage; what another organization gave them stays."""
    make_member(make_organization("Other", "other@example.org"), "member@example.org", "admin")
    member = person("member@example.org")
    with as_tenant(organization_id), transaction():
        departments.put_in(departments.add("Sales", None).id, member)
        org_roles.give(org_roles.add("Boss").id, member)
        app_admins.name(apps.create("CRM", "system"), member)
    client = signed_in(sqlite_server, "member@example.org")
    assert 200 == client.get(f"/o/{organization_id}/").status_code
    signed_in(sqlite_server).post(f"/o/{organization_id}/members/{member}/remove", data={"from_apps": "1"})
    assert 404 == client.get(f"/o/{organization_id}/").status_code
    assert [] == service.addresses_of(organization_id, member)
    assert ([], "admin") == (service.apps_managed_by(member), role(make_organization_id("Other"), "member@example.org"))


def test_who_is_removed_may_go_on_managing_apps(sqlite_server: Flask, organization_id: str) -> None:
    """App admins need not be members (SPEC 1); it is asked, not assumed."""
    member = person("member@example.org")
    with as_tenant(organization_id), transaction():
        app_id = apps.create("CRM", member).id
    signed_in(sqlite_server).post(f"/o/{organization_id}/members/{member}/remove")
    assert 200 == signed_in(sqlite_server, "member@example.org").get(f"/o/{organization_id}/apps/{app_id}/").status_code


def test_members_are_listed_a_page_at_a_time_and_found_by_what_is_typed(server: Flask) -> None:
    """Nobody is missed or shown twice; % and _ are letters like others."""
    organization_id = make_organization("Acme")
    for number in range(2 * members.PAGE_MEMBERS):
        make_member(organization_id, f"p{number}@example.org")
    make_member(organization_id, "a_b%c@example.org")
    with as_tenant(organization_id):
        found, after = [], None
        while True:
            page = members.members(after=after)
            found += page[:members.PAGE_MEMBERS]
            if len(page) <= members.PAGE_MEMBERS:
                break
            after = found[-1].id
        assert 2 * members.PAGE_MEMBERS + 2 == len({one.id for one in found}) == len(found)
        assert ["a_b%c@example.org"] == [one.email for one in members.members(text="_B%")]
        assert [] == members.members(text="a%c")


def test_the_switcher_names_all_places_of_who_belongs_to_several(sqlite_server: Flask, organization_id: str) -> None:
    """Somebody of one organization has nothing to choose."""
    assert ">Organizations<" not in signed_in(sqlite_server).get(f"/o/{organization_id}/").text
    other = make_organization("Other")
    page = signed_in(sqlite_server).get(f"/o/{organization_id}/").text
    assert f'href="/o/{other}/"' in page


def test_a_person_without_any_place_comes_to_a_page_that_says_so(sqlite_server: Flask, organization_id: str) -> None:
    """Nobody runs into a wall after signing in."""
    make_person("alone@example.org")
    page = signed_in(sqlite_server, "alone@example.org").get("/", follow_redirects=True)
    assert (200, True) == (page.status_code, "Ask a colleague to invite you" in page.text)
    assert 302 == browser(sqlite_server).get("/nowhere").status_code
