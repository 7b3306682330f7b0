"""Documents of one name, in a list where each can be ticked by itself."""

from __future__ import annotations

from typing import Any

from core.api import apps, as_tenant, documents, transaction
from core.backups.same_names import hints_by_kind, titles
from core.extension.component import Document
from plugins.worksheets import service as worksheets
from tests.core.web.backups.conftest import Place, furnished, place

__all__ = ["furnished", "place"]

KINDS = {"role": "Role", "option_set": "Option set", "group": "Group"}


def called(*given: tuple[str, str, dict[str, Any]]) -> list[str]:
    """Return what documents are called, given by kind, key and body, the last of the app first."""
    made = [Document(kind=kind, key=key, body=body, position=len(given) - n) for n, (kind, key, body) in enumerate(given)]
    found = titles(made, KINDS)
    return [found[one.address] for one in made]


def sheet(key: str, name: str, position: int, *fields: str) -> Document:
    """Return a worksheet with text fields of these names."""
    made = [{"key": f"f_{n}{key.strip('1')[-1]}11111111", "name": one, "type": "text", "options": {}} for n, one in enumerate(fields, 1)]
    return Document(kind="worksheet", key=key, body={"name": name, "fields": made}, position=position)


def put(place: Place, document: Document) -> str:
    """Put a document into the app and return its address."""
    documents.put(apps.find(place.app_id), document, place.owner)
    return document.address


def test_names_that_one_has_stay_as_they_are() -> None:
    """Nothing is added to them; what has no name is called by its key."""
    assert ["Sales", "Support", "r_2"] == called(("role", "r_0", {"name": "Sales"}), ("role", "r_1", {"name": "Support"}), ("role", "r_2", {}))


def test_the_same_name_is_told_apart_by_order_and_content() -> None:
    """In the order of the app; also where only case and spaces differ, and where the content is the same as well."""
    lists = [{"name": one} for one in ("Lead", "Won", "Lost", "Gone")]
    assert ["Stage (3 of 3; Lead, Won, Lost…)", "stage (2 of 3; worksheets: 2)", "Stage (1 of 3; empty)"] == called(
        ("role", "r_0", {"name": "Stage", "choices": lists}), ("role", "r_1", {"name": "stage ", "worksheets": [1, 2]}),
        ("role", "r_2", {"name": "Stage", "choices": []}))


def test_kinds_of_one_component_are_named_where_their_names_are_the_same() -> None:
    """An option set and a group."""
    assert ["Work (option set)", "Work (group)"] == called(("option_set", "s_0", {"name": "Work"}), ("group", "g_0", {"name": "Work"}))


def test_what_tells_apart_within_a_kind_is_of_the_later_side_and_of_what_only_the_other_has() -> None:
    """A page has the name of a worksheet, and the kind stands beside it; one that was renamed is told apart by its later name."""
    before = [sheet("w_1", "Contacts", 0), sheet("w_2", "Contacts", 1), sheet("w_3", "Contacts", 2)]
    after = [sheet("w_1", "Contacts", 0, "Email"), sheet("w_2", "People", 1), Document(kind="page", key="p_1", body={"name": "Contacts"}, position=0)]
    assert {"w_1": "1 of 2; Email", "w_3": "2 of 2; empty"} == hints_by_kind(before, after)


def test_a_plan_and_a_comparison_tell_worksheets_of_one_name_apart(place: Place) -> None:
    """In what changes, in whose records, and where something points to one of them."""
    with as_tenant(place.organization_id), transaction():
        twins = [put(place, sheet(f"w_Twin{n}11111", "Twin", 20 + n, f"Column {n}")) for n in (1, 2)]
        put(place, Document(kind="group", key="g_1111111111", body={"name": "Teams", "items": [{"ref": twins[0]}]}, position=0))
        for address in twins:
            worksheets.put_record(apps.find(place.app_id), address.partition("/")[2], None, {}, place.owner)
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        for address in twins:
            documents.hide(apps.find(place.app_id), address, place.owner)
        put(place, Document(kind="group", key="g_1111111111", body={"name": "Teams", "items": [{"ref": twins[1]}]}, position=0))
    first, second = "Twin (1 of 2; Column 1)", "Twin (2 of 2; Column 2)"
    shown = place.text(f"/{backup_id}/restore")
    plan = shown[shown.index("1. What will change"):shown.index("2. Options")]
    assert 3 == plan.count(first) == plan.count(second) and "Twin " not in plan.replace(first, "").replace(second, "")
    compared = place.text(f"/{backup_id}/compare/app")
    assert first in compared and second in compared


def test_what_selected_parts_need_is_told_apart(place: Place) -> None:
    """Also from what has another kind; and so is what needs it."""
    with as_tenant(place.organization_id), transaction():
        twins = [put(place, sheet(f"w_Twin{n}11111", "Twin", 20 + n, f"Column {n}")) for n in (1, 2)]
        for n in (1, 2):
            put(place, Document(kind="group", key=f"g_{n}111111111", body={"name": "Teams", "items": [{"ref": twins[n - 1]}]}, position=n))
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        for address in (*twins, "group/g_1111111111", "group/g_2111111111"):
            documents.hide(apps.find(place.app_id), address, place.owner)
            documents.purge(apps.find(place.app_id), address, place.owner)
    shown = place.text(f"/{backup_id}/restore?asked=1&config=1&some=1&only=group/g_1111111111&only=group/g_2111111111")
    needs = shown[shown.index("The selected parts need more."):]
    for n in (1, 2):
        assert f"Twin ({n} of 2; Column {n}) needed by Teams ({n} of 2; items: 1)" in needs


def test_two_roles_of_one_name_are_told_apart_in_selected_parts(place: Place) -> None:
    """Each has its own tick, with words of its own."""
    with as_tenant(place.organization_id), transaction():
        for n in (1, 2):
            body = {"name": "Twin", "worksheets": [], "pages": []}
            documents.put(apps.find(place.app_id), Document(kind="role", key=f"r_{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}", body=body, position=20 + n), place.owner)
    shown = place.text(f"/{place.back_up()}/restore?asked=1&config=1&some=1")
    assert "Twin (1 of 2; empty)" in shown and "Twin (2 of 2; empty)" in shown
