"""What members may see and do: as far as their role says, on every page of records."""

from __future__ import annotations

import pytest

from core.api import as_tenant, transaction
from plugins.worksheets.web.editors import digest
from tenants import app_admins, members
from tests.plugins.worksheets.web.making import PEOPLE, SHEET, Desk, field_ref, key_of, rights
from tests.web import make_member, make_organization, make_person, signed_in

TEXT, SECRET = key_of("f", "text"), key_of("f", "secret")
PAGES = ["", "/new", "/record/1", "/record/1/edit", f"/record/1/cell/{TEXT}", "/bin", "/export.csv", "/condition", f"/choose/{key_of('f', 'link')}"]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_find_nothing(desk: Desk, page: str) -> None:
    """Admins of other organizations, and members without a role: 404, the same as for what does not exist."""
    desk.put(text="A")
    make_organization("Other", "other@example.org")
    make_member(desk.organization_id, "idle@example.org")

    for email in ("other@example.org", "idle@example.org"):
        assert signed_in(desk.server, email).get(desk.url(page)).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_worksheet_that_no_role_gives_is_not_there(desk: Desk, page: str) -> None:
    """A member who sees the app, but not this worksheet."""
    desk.put(text="A")
    browser, _ = desk.person_with("some@example.org", rights(PEOPLE))

    assert browser.get(desk.url(page)).status_code == 404


def test_a_reader_reads_and_nothing_else(desk: Desk) -> None:
    """What they see they may not change: 403; and no button offers it."""
    desk.put(text="A")
    browser, _ = desk.person_with("reader@example.org", rights())
    page = browser.get(desk.url()).get_data(as_text=True)

    assert 'data-seq="1"' in page
    for offer in ("data-edit", "New record", "Recycle bin", "Download as CSV", "New view", "Edit the field"):
        assert offer not in page
    for way in ("/new", "/record/1/edit", f"/record/1/cell/{TEXT}", "/export.csv", "/bin"):
        assert browser.get(desk.url(way)).status_code == 403
    for way in ("/record/1/delete", "/bin/bring-back", "/bin/purge", "/keep", "/record/1/button/b_Button1111"):
        assert browser.post(desk.url(way)).status_code == 403
    assert browser.post(desk.url("/delete"), data={"seq": "1"}).status_code == 403
    assert not desk.is_deleted(1)


def test_own_records_only(desk: Desk) -> None:
    """With the scope “own”, the others' records are not there: not in the grid, not by number, not in the file, not in the bin."""
    browser, person = desk.person_with("own@example.org", rights(read="own", update="own", delete="own", create=True, export=True))
    desk.put(text="Theirs")
    desk.put(text="Mine", person=person)

    grid = browser.get(desk.url()).get_data(as_text=True)
    assert 'data-seq="2"' in grid and 'data-seq="1"' not in grid and "Theirs" not in grid
    assert "Theirs" not in browser.get(desk.url("/export.csv"), buffered=True).get_data(as_text=True)
    assert browser.get(desk.url("/record/1")).status_code == 404
    assert browser.post(desk.url("/record/1/delete")).status_code == 404
    form = {TEXT: "Changed", f"was-{TEXT}": digest("Mine")}
    assert browser.post(desk.url("/record/1/edit"), data=form).status_code == 404
    assert browser.post(desk.url("/record/2/edit"), data=form).status_code == 302
    assert desk.value(2, "text") == "Changed"

    desk.owner.post(desk.url("/delete"), data={"seq": ["1", "2"]})
    bin_page = browser.get(desk.url("/bin")).get_data(as_text=True)
    assert "Changed" in bin_page and "Theirs" not in bin_page
    browser.post(desk.url("/bin/bring-back"), data={"seq": "1"})
    assert desk.is_deleted(1)


def test_a_field_that_may_not_be_read_is_nowhere(desk: Desk) -> None:
    """Not shown, not searched, not asked for by a condition or a sort, not exported, not written."""
    denied = [{"field": field_ref(SHEET, "secret"), "read": False}]
    browser, _ = desk.person_with("some@example.org", rights(update="all", export=True, fields=denied))
    desk.put(text="A", secret="swordfish")
    desk.put(text="B", secret="tulip")

    for page in ("", "?q=swordfish", f"?where={SECRET}&op=contains&value=sword", f"?sort=-{SECRET}", f"?columns=chosen&show={SECRET}",
                 "/record/1", "/record/1/edit", "/export.csv"):
        text = browser.get(desk.url(page), buffered=True).get_data(as_text=True)
        # What they asked for themselves stands in the page's own addresses; nothing else of it may.
        own = text.replace('value="swordfish"', "").replace("q=swordfish", "")
        assert "swordfish" not in own
        assert SECRET not in own or SECRET in page
    found = browser.get(desk.url("?q=swordfish")).get_data(as_text=True)
    assert 'data-seq="1"' not in found
    narrowed = browser.get(desk.url(f"?where={SECRET}&op=contains&value=sword")).get_data(as_text=True)
    assert 'data-seq="1"' in narrowed and 'data-seq="2"' in narrowed
    assert browser.get(desk.url(f"/record/1/cell/{SECRET}")).status_code == 404
    browser.post(desk.url("/record/1/edit"), data={SECRET: "x", f"was-{SECRET}": digest("swordfish")})
    assert desk.value(1, "secret") == "swordfish"


def test_a_field_that_may_only_be_read_is_not_written(desk: Desk) -> None:
    """The grid offers no editor for it, and a form that brings it changes nothing."""
    denied = [{"field": field_ref(SHEET, "secret"), "write": False}]
    browser, _ = desk.person_with("some@example.org", rights(update="all", create=True, fields=denied))
    desk.put(text="A", secret="seen")

    assert browser.get(desk.url(f"/record/1/cell/{SECRET}")).status_code == 403
    browser.post(desk.url("/record/1/edit"), data={SECRET: "x", f"was-{SECRET}": digest("seen")})
    assert desk.value(1, "secret") == "seen"


def test_a_view_that_is_not_shown_is_not_there(desk: Desk) -> None:
    """Neither as a tab nor by its key."""
    hidden = [{"view": {"ref": f"worksheet/{SHEET}/view/v_Hidden1111"}, "visible": False}]
    browser, _ = desk.person_with("some@example.org", rights(views=hidden))

    assert "Hidden one" not in browser.get(desk.url()).get_data(as_text=True)
    assert browser.get(desk.url("?view=v_Hidden1111")).status_code == 404


def test_linked_records_are_named_only_to_those_who_may_read_them(desk: Desk) -> None:
    """Elsewhere they are a number without a way to them, cannot be searched, and cannot be newly linked."""
    desk.put(PEOPLE, name="Ada Secret")
    desk.put(PEOPLE, name="Bo Secret")
    desk.put(text="A", link=[1])
    browser, _ = desk.person_with("some@example.org", rights(update="all"))
    link = key_of("f", "link")

    for page in ("", "/record/1", "/record/1/edit", f"/choose/{link}?find-{link}=Secret"):
        text = browser.get(desk.url(page)).get_data(as_text=True)
        assert "Secret" not in text
    assert "#1" in browser.get(desk.url()).get_data(as_text=True)
    answer = browser.post(desk.url(f"/record/1/cell/{link}"), data={link: ["1", "2"], f"was-{link}": digest([1])}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert desk.value(1, "link") == [1]


def test_forms_carry_a_token(desk: Desk) -> None:
    """Without it nothing is taken."""
    desk.put(text="A")
    browser = signed_in(desk.server, csrf=True)

    assert browser.post(desk.url("/record/1/delete")).status_code == 400
    assert not desk.is_deleted(1)


def test_people_of_other_organizations_have_no_name_here(desk: Desk) -> None:
    """Neither as who made a record, which a file can claim, nor in a member field; who left keeps the name, who manages the app has it."""
    make_organization("Other", "stranger@example.org")
    stranger, former = make_person("stranger@example.org"), make_member(desk.organization_id, "former@example.org")
    manager = make_person("manager@example.org")
    with as_tenant(desk.organization_id), transaction():
        app_admins.name(desk.app, manager)
        members.remove(former, by_role="owner", from_apps=True)
    for person in (stranger, former, manager):
        desk.put(text="A", person=person, member=[{"org": f"user/{person}"}])

    page = "".join(desk.owner.get(desk.url(f"/record/{seq}")).get_data(as_text=True) for seq in (1, 2, 3))
    assert "stranger" not in page and "Former user" in page
    assert "former" in page and "manager" in page
