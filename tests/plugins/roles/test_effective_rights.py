"""What roles give: alone, together, through departments and org roles, and when they go."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import App, Document, apps, as_tenant, documents, rights, standing, transaction
from core.apps.permissions import Rights
from plugins.roles import effective_rights, service
from tenants import service as tenants
from tenants.models import DepartmentMember, OrgRoleMember
from tests.web import make_member

W, V = "worksheet/w_1111111111", "worksheet/w_2222222222"
F, G = "field/f_1111111111", "field/f_2222222222"
SCOPES = ("none", "own", "department", "all")


def on(worksheet: str = W, **given: object) -> dict[str, object]:
    """Return an entry of a role."""
    return {"worksheet": {"ref": worksheet}, "read": "none", **given}


def field(name: str, **given: bool) -> dict[str, object]:
    """Return an entry of a field of the first worksheet."""
    return {"field": {"ref": f"{W}/{name}"}, **given}


def together(*roles: list[dict[str, object]]) -> Rights:
    """Return what several roles give on the first worksheet."""
    found = [effective_rights.rights_of({"worksheets": entries}, W) for entries in roles]
    union = Rights()
    for one in found:
        union = union if one is None else union | one
    return union


def test_two_roles_give_the_more_generous_of_each() -> None:
    """Each action reaches as far as the role that gives most of it."""
    found = together([on(read="all", update="own")], [on(read="department", update="department", create=True)])
    assert {"read": "all", "update": "department", "create": "all", "delete": "none"} == {
        a: found.scope(a) for a in ("read", "update", "create", "delete")}


def test_a_field_is_shut_only_where_all_roles_shut_it() -> None:
    """One role that opens a field opens it."""
    shut = [on(read="all", fields=[field(F, read=False), field(G, read=False)])]
    assert not together(shut).may("read", F)
    assert together(shut, [on(read="own", fields=[field(G, read=False)])]).may("read", F)
    assert not together(shut, [on(read="own", fields=[field(G, read=False)])]).may("read", G)


def test_a_role_that_reads_nothing_opens_no_field() -> None:
    """A role for entering records only does not open what the role for reading shuts."""
    found = together([on(read="all", fields=[field(F, read=False)])], [on(create=True)])
    assert not found.may("read", F)
    assert found.may("read", G)
    assert found.may("create", F)


def test_a_role_that_writes_nothing_opens_no_field_for_writing() -> None:
    """A role for reading only does not open for writing what the role for changing shuts."""
    found = together([on(read="all", update="all", fields=[field(F, write=False)])], [on(read="all")])
    assert found.may("read", F)
    assert not found.may("write", F) and not found.may("update", F)
    assert found.may("write", G) and found.may("update", G)


def test_a_field_that_cannot_be_read_cannot_be_written() -> None:
    """Unless the role says that it may be written."""
    assert not together([on(read="all", update="all", fields=[field(F, read=False)])]).may("write", F)
    assert together([on(read="all", update="all", fields=[field(F, read=False, write=True)])]).may("write", F)


def test_nobody_changes_what_they_may_not_read() -> None:
    """Changing and deleting reach no further than reading."""
    found = together([on(read="own", update="all", delete="department", export=True)])
    assert ("own", "own", "own", "all") == tuple(found.scope(a) for a in ("read", "update", "delete", "export"))
    assert None is effective_rights.rights_of({"worksheets": [on(update="all", delete="all", export=True)]}, W)


def test_a_named_worksheet_has_what_it_says_even_where_a_role_has_all() -> None:
    """“All worksheets” is for those that the role does not name."""
    role = {"all_worksheets": True, "worksheets": [on(read="own")]}
    named, other = effective_rights.rights_of(role, W), effective_rights.rights_of(role, V)
    assert named is not None and other is not None
    assert ("own", "none") == (named.scope("read"), named.scope("delete"))
    assert ("all", "all") == (other.scope("read"), other.scope("delete"))


def test_a_worksheet_that_no_role_names_is_not_seen() -> None:
    """Silence gives nothing on worksheets, and nothing on workflows, roles and the like; pages are open."""
    for address in (W, "workflow/f_1111111111", "role/r_1111111111", "portal/main", "app/main"):
        assert None is effective_rights.rights_of({}, address)
    assert effective_rights.rights_of({}, "page/p_1111111111") is not None
    shut = {"pages": [{"page": {"ref": "page/p_1111111111"}, "visible": False}]}
    assert None is effective_rights.rights_of(shut, "page/p_1111111111")


def test_a_shut_view_is_not_seen() -> None:
    """A view that is not visible is denied, others are not."""
    found = together([on(read="all", views=[{"view": {"ref": f"{W}/view/v_1111111111"}, "visible": False}])])
    assert not found.may("see", "view/v_1111111111")
    assert found.may("see", "view/v_2222222222")


@pytest.mark.parametrize("one", SCOPES)
@pytest.mark.parametrize("other", SCOPES)
def test_together_is_never_less_than_either(one: str, other: str) -> None:
    """The union of two roles reaches as far as each of them, in either order."""
    first, second = [on(read=one, fields=[field(F, read=False)])], [on(read=other)]
    found, turned = together(first, second), together(second, first)
    assert found == turned
    assert max(one, other, key=SCOPES.index) == found.scope("read")
    assert found.may("read", F) == (other != "none")


def made_role(app: App, name: str, body: dict[str, object]) -> str:
    """Make a role and return its key."""
    with transaction():
        role = service.create(app, name, "system")
        documents.put(app, Document(kind="role", key=role.key, body={**role.body, **body}, position=0), "system")
    return role.key


def test_a_department_gives_its_roles_to_those_below_it(server: Flask, organization: str, app: App) -> None:
    """A role of a department is had by its members and those of departments below, not by those above."""
    member = make_member(organization, "deep@example.org")
    chief = make_member(organization, "chief@example.org")
    key = made_role(app, "Reads", {"worksheets": [on(read="department")]})
    with transaction():
        top = tenants.create_department("Top")
        middle = tenants.create_department("Middle", top.id)
        bottom = tenants.create_department("Bottom", middle.id)
        from core.api import db
        db.session.add(DepartmentMember(department_id=bottom.id, user_id=member))
        db.session.add(DepartmentMember(department_id=top.id, user_id=chief))
        service.assign(apps.find(app.id), key, f"department/{middle.id}")
    app = apps.find(app.id)
    assert [key] == [role.key for role in effective_rights.roles_of(app, member)]
    assert [] == effective_rights.roles_of(app, chief)
    assert "department" == rights(app, standing(app, member), W).scope("read")


def test_an_org_role_gives_its_roles(server: Flask, organization: str, app: App) -> None:
    """A role of an org role is had by whoever has that."""
    member = make_member(organization, "buyer@example.org")
    key = made_role(app, "Buys", {})
    with transaction():
        buyers = tenants.create_org_role("Buyers")
        from core.api import db
        db.session.add(OrgRoleMember(org_role_id=buyers.id, user_id=member))
        service.assign(apps.find(app.id), key, f"org_role/{buyers.id}")
    app = apps.find(app.id)
    assert standing(app, member).sees
    with transaction():
        service.unassign(app, key, f"org_role/{buyers.id}")
    assert not standing(apps.find(app.id), member).sees


def test_a_role_in_the_bin_gives_nothing_until_it_is_back(server: Flask, organization: str, app: App) -> None:
    """Hidden: nothing. Back: what it gave. Purged: nothing, and its members are forgotten."""
    member = make_member(organization, "reader@example.org")
    key = made_role(app, "Reads", {"worksheets": [on(read="all")]})
    with transaction():
        service.assign(apps.find(app.id), key, f"user/{member}")
    assert standing(apps.find(app.id), member).sees
    with transaction():
        documents.hide(apps.find(app.id), f"role/{key}", "system")
    assert not standing(apps.find(app.id), member).sees
    with transaction():
        documents.bring_back(apps.find(app.id), f"role/{key}", "system")
    assert standing(apps.find(app.id), member).sees
    with transaction():
        documents.hide(apps.find(app.id), f"role/{key}", "system")
        documents.purge(apps.find(app.id), f"role/{key}", "system")
    assert [] == effective_rights.roles_of(apps.find(app.id), member)
    assert [] == service.members(apps.find(app.id), key)


def test_who_left_the_organization_has_no_role(server: Flask, organization: str, app: App) -> None:
    """The entry may stay; without membership it gives nothing."""
    member = make_member(organization, "leaver@example.org")
    key = made_role(app, "Reads", {"all_worksheets": True})
    with transaction():
        service.assign(apps.find(app.id), key, f"user/{member}")
    with transaction():
        from core.api import db
        from tenants.models import Membership
        db.session.delete(db.session.get(Membership, (organization, member)))
    who = standing(apps.find(app.id), member)
    assert not who.sees
    assert not rights(apps.find(app.id), who, W).may("see")


def test_people_of_another_organization_are_no_members(server: Flask, organization: str, app: App) -> None:
    """A role cannot be given to somebody whom the organization does not have."""
    from tests.conftest import made_organization

    key = made_role(app, "Reads", {})
    with made_organization("Elsewhere") as other:
        stranger = make_member(other, "stranger@example.com")
    with as_tenant(organization), pytest.raises(Exception, match="no such person"), transaction():
        service.assign(apps.find(app.id), key, f"user/{stranger}")
