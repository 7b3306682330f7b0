"""Documents of one name, in a list where each can be ticked by itself."""

from __future__ import annotations

from typing import Any

from core.api import apps, as_tenant, documents, transaction
from core.extension.component import Document
from core.web.backups.same_names import titles
from tests.core.web.backups.conftest import Place

KINDS = {"role": "Role", "option_set": "Option set", "group": "Group"}


def called(*given: tuple[str, str, dict[str, Any]]) -> list[str]:
    """Return what documents are called, given by kind, key and body, the last of the app first."""
    made = [Document(kind=kind, key=key, body=body, position=len(given) - n) for n, (kind, key, body) in enumerate(given)]
    found = titles(made, KINDS)
    return [found[one.address] for one in made]


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


def test_two_roles_of_one_name_are_told_apart_in_selected_parts(place: Place) -> None:
    """Each has its own tick, with words of its own."""
    with as_tenant(place.organization_id), transaction():
        for n in (1, 2):
            body = {"name": "Twin", "worksheets": [], "pages": []}
            documents.put(apps.find(place.app_id), Document(kind="role", key=f"r_{n}{n}{n}{n}{n}{n}{n}{n}{n}{n}", body=body, position=20 + n), place.owner)
    shown = place.text(f"/{place.back_up()}/restore?asked=1&config=1&some=1")
    assert "Twin (1 of 2; empty)" in shown and "Twin (2 of 2; empty)" in shown
