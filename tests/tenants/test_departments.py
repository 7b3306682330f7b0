"""Departments and org roles: a tree without circles, people in it, and nothing of it in another organization's hands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from core.api import Conflict, NotFound, as_tenant, db, transaction
from tenants import departments, org_roles, service
from tests.web import OWNER, make_member, make_organization, signed_in


@pytest.fixture
def organization_id(sqlite_server: Flask) -> Iterator[str]:
    """An organization, seen as its tenant."""
    made = make_organization("Acme")
    with as_tenant(made):
        yield made


def add(name: str, parent: str | None = None) -> str:
    """Make a department and return its id."""
    with transaction():
        return departments.add(name, parent).id


def shape() -> list[tuple[str, int]]:
    """Return (name, depth) of the whole tree."""
    db.session.rollback()
    return [(branch.name, branch.depth) for branch in departments.tree()]


def test_the_tree_is_shown_from_the_top_by_name(organization_id: str) -> None:
    """Each department is followed by those below it."""
    company = add("Company")
    add("Sales", company)
    add("Berlin", add("Research", company))
    assert [("Company", 0), ("Research", 1), ("Berlin", 2), ("Sales", 1)] == shape()


def test_a_department_is_never_below_itself(organization_id: str) -> None:
    """Neither directly nor through others."""
    a = add("A")
    b = add("B", a)
    c = add("C", b)
    for target in (a, b, c):
        with pytest.raises(Conflict), transaction():
            departments.change(a, "A", target)
    with transaction():
        departments.change(c, "C", None)
        departments.change(a, "A", c)
    assert [("C", 0), ("A", 1), ("B", 2)] == shape()


def test_a_tree_has_a_greatest_depth(organization_id: str) -> None:
    """Moving a tall branch down is refused as adding to it is."""
    here = None
    for number in range(departments.MAX_DEPTH):
        here = add(f"D{number}", here)
    with pytest.raises(Conflict), transaction():
        departments.add("deeper", here)
    add("below", add("top"))
    with pytest.raises(Conflict), transaction():
        departments.change(next(b.id for b in departments.tree() if b.name == "top"), "top", here)


def test_deleting_moves_people_and_departments_up(organization_id: str) -> None:
    """Who was in it is in the one above; at the top they are in none."""
    top = add("Company")
    middle = add("Sales", top)
    add("Berlin", middle)
    anna = make_member(organization_id, "anna@example.org")
    with transaction():
        departments.put_in(middle, anna)
    with transaction():
        departments.remove(middle)
    assert [("Company", 0), ("Berlin", 1)] == shape()
    assert [f"department/{top}"] == service.addresses_of(organization_id, anna)
    with transaction():
        departments.remove(top)
    assert ([("Berlin", 0)], []) == (shape(), service.addresses_of(organization_id, anna))


def test_who_is_in_a_department_is_in_all_above_it(organization_id: str) -> None:
    """What an app gives to the company reaches everybody in it."""
    top = add("Company")
    below = add("Sales", top)
    anna = make_member(organization_id, "anna@example.org")
    with transaction():
        departments.put_in(below, anna)
        departments.put_in(below, anna)
    assert {f"department/{top}", f"department/{below}"} == set(service.addresses_of(organization_id, anna))


def test_names_are_taken_once(organization_id: str) -> None:
    """Two of one name would be told apart by nobody."""
    add("Sales")
    with pytest.raises(Conflict):
        add(" Sales ")
    with transaction():
        org_roles.add("Boss")
    with pytest.raises(Conflict), transaction():
        org_roles.add("Boss")


def test_only_members_are_put_into_departments_and_org_roles(organization_id: str) -> None:
    """Somebody of another organization is nobody here."""
    make_organization("Other", "other@example.org")
    other = service.user_by_email("other@example.org").id
    department = add("Sales")
    with transaction():
        role = org_roles.add("Boss").id
    for act in (lambda: departments.put_in(department, other), lambda: org_roles.give(role, other)):
        with pytest.raises(NotFound), transaction():
            act()


def test_the_pages_do_what_they_say(sqlite_server: Flask) -> None:
    """Add, put in, rename and move, take out, delete; each with the browser."""
    home = f"/o/{make_organization('Acme')}"
    client = signed_in(sqlite_server)
    assert "No departments yet" in client.get(f"{home}/departments").text
    client.post(f"{home}/departments/add", data={"name": "Sales"})
    assert 422 == client.post(f"{home}/departments/add", data={"name": "Sales"}).status_code
    client.post(f"{home}/org-roles/add", data={"name": "Boss"})
    with as_tenant(home.rpartition("/")[2]):
        (branch,), ((role, _),) = departments.tree(), org_roles.roles()
    for path, taken in ((f"{home}/departments/{branch.id}", "Remove"), (f"{home}/org-roles/{role.id}", "Remove")):
        assert 422 == client.post(f"{path}/people/add", data={"email": "nobody@example.org"}).status_code
        page = client.post(f"{path}/people/add", data={"email": OWNER.upper()}, follow_redirects=True).text
        assert taken in page
        client.post(f"{path}/people/{service.user_by_email(OWNER).id}/remove")
        assert f">{taken}<" not in client.get(path).text
    client.post(f"{home}/departments/{branch.id}/change", data={"name": "<b>Sales</b>"})
    assert "&lt;b&gt;Sales&lt;/b&gt;" in client.get(f"{home}/departments").text
    client.post(f"{home}/org-roles/{role.id}/rename", data={"name": "Chief"})
    assert "Chief" in client.get(f"{home}/org-roles").text
    client.post(f"{home}/departments/{branch.id}/delete")
    client.post(f"{home}/org-roles/{role.id}/delete")
    assert [404, 404] == [client.get(f"{home}/{kind}").status_code for kind in (f"departments/{branch.id}", f"org-roles/{role.id}")]


def test_those_of_another_organization_do_not_exist(sqlite_server: Flask) -> None:
    """By id, as a place to move to, to look at, to change or to delete: 404."""
    mine, theirs = make_organization("Acme"), make_organization("Other", "other@example.org")
    with as_tenant(theirs), transaction():
        department, role = departments.add("Secret", None).id, org_roles.add("Secret").id
    with as_tenant(mine), transaction():
        own = departments.add("Own", None).id
    client, home = signed_in(sqlite_server), f"/o/{mine}"
    owner = service.user_by_email(OWNER).id
    posts = [f"departments/{department}/{act}" for act in ("change", "delete", "people/add", f"people/{owner}/remove")]
    posts += [f"org-roles/{role}/{act}" for act in ("rename", "delete", "people/add", f"people/{owner}/remove")]
    form = {"name": "Mine", "email": OWNER}
    assert {404} == {client.post(f"{home}/{path}", data=form).status_code for path in posts}
    assert {404} == {client.get(f"{home}/{path}").status_code for path in (f"departments/{department}", f"org-roles/{role}")}
    for path in ("departments/add", f"departments/{own}/change"):
        assert 404 == client.post(f"{home}/{path}", data={"name": "New", "parent": department}).status_code
    with as_tenant(theirs):
        assert ["Secret"] == [branch.name for branch in departments.tree()]
