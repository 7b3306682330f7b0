"""Two admins change the documents of one app at the same moment, each through a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, apps, documents, locks, new_key, placing, transaction
from core.backups.retention.policy import Policy
from core.backups.retention.service import policy_of, set_policy
from core.backups.schedule.rule import Schedule
from core.backups.schedule.service import schedule_of, set_schedule, value_of
from core.base.errors import Conflict
from plugins.settings import groups
from plugins.workflows import service as workflows
from plugins.workflows import step_edits
from tests.writing import at_once, each

ADDED = 15
SHEET, SET, PAGE = "worksheet/w_1111111111", "option_set/s_1111111111", "page/p_1111111111"


@pytest.fixture
def built(app: App) -> str:
    """The id of an app with a worksheet, an option set and a page."""
    with transaction():
        documents.change(apps.find(app.id), "system", put=[
            Document(kind="worksheet", key="w_1111111111", position=0, body={"name": "One", "fields": [], "views": []}),
            Document(kind="option_set", key="s_1111111111", position=0, body={"name": "Set", "choices": []}),
            Document(kind="page", key="p_1111111111", position=0, body={"name": "Page", "blocks": []})])
    return app.id


def body(app_id: str, address: str) -> dict[str, Any]:
    """Return a document's body as it is now."""
    with transaction():
        return dict(documents.get(apps.find(app_id), address).body)


def adding(app_id: str, address: str, listed: str, made: list[str], **part: Any) -> Callable[[int], None]:
    """Return what adds a part to a document that was read before the transaction began, as the editors do."""
    def one(n: int) -> None:
        app = apps.find(app_id)
        document = documents.get(app, address)
        key = new_key({"choices": "o"}.get(listed, listed[0]))
        with transaction():
            placing.put_body(app, document, {**document.body, listed: [*document.body[listed], {"key": key, **part}]}, "system")
        made.append(key)

    return one


@pytest.mark.parametrize(("address", "listed", "part"), [
    (SHEET, "fields", {"type": "text", "name": "A", "options": {}}),
    (SHEET, "views", {"type": "grid", "name": "All"}),
    (SET, "choices", {"name": "Choice"}),
    (PAGE, "blocks", {"type": "divider"}),
])
def test_what_both_add_to_one_document_is_there(server: Flask, organization: str, built: str, address: str, listed: str,
                                                part: dict[str, Any]) -> None:
    """Fields, views, choices and blocks that two add at once are all in it, each once."""
    made: list[str] = []
    assert [] == at_once(server, organization, *[each(ADDED, adding(built, address, listed, made, **part))] * 2)
    assert (2 * ADDED, sorted(made)) == (len(made), sorted(one["key"] for one in body(built, address)[listed]))


def test_what_both_change_in_one_place_is_told_to_the_second(server: Flask, organization: str, built: str) -> None:
    """Each of two who rename a worksheet from the same start is acknowledged or told; what was acknowledged last is its name."""
    names: list[str] = []

    def rename(who: str) -> None:
        app = apps.find(built)
        document = documents.get(app, SHEET)
        try:
            with transaction():
                placing.put_body(app, document, {**document.body, "name": who}, "system")
                names.append(who)
        except Conflict:
            names.append("told")

    first, second = (apps.find(built), documents.get(apps.find(built), SHEET))
    with transaction():
        placing.put_body(first, second, {**second.body, "name": "early"}, "system")
    with pytest.raises(Conflict), transaction():
        placing.put_body(apps.find(built), second, {**second.body, "name": "late"}, "system")
    assert [] == at_once(server, organization, lambda: rename("a"), lambda: rename("b"))
    assert body(built, SHEET)["name"] == [name for name in names if name != "told"][-1]


def test_steps_and_the_switch_of_a_workflow_stay(server: Flask, organization: str, built: str) -> None:
    """One adds steps while another switches the workflow on and off."""
    with transaction():
        key = workflows.create(apps.find(built), "Flow", "system").key

    def add(n: int) -> None:
        with transaction():
            locks.take(apps.find(built))
            changed, _ = step_edits.add(documents.get(apps.find(built), f"workflow/{key}").body, "", "", "end")
            workflows.change(apps.find(built), key, "system", steps=changed["steps"])

    def switch(n: int) -> None:
        with transaction():
            workflows.change(apps.find(built), key, "system", enabled=n % 2 == 1)

    assert [] == at_once(server, organization, each(ADDED, add), each(ADDED, switch))
    found = body(built, f"workflow/{key}")
    assert (ADDED, (ADDED - 1) % 2 == 1) == (len(found["steps"]), found["enabled"])


def test_groups_and_their_items_stay(server: Flask, organization: str, built: str) -> None:
    """One renames a group while another moves things into it and out."""
    with transaction():
        key = groups.create(apps.find(built), "Group", "system").key

    def rename(n: int) -> None:
        with transaction():
            groups.change(apps.find(built), key, "system", name=f"Group {n}")

    def place(n: int) -> None:
        with transaction():
            groups.place(apps.find(built), (SHEET, PAGE)[n % 2], key, "system")

    assert [] == at_once(server, organization, each(ADDED, rename), each(ADDED, place))
    found = body(built, f"group/{key}")
    assert (f"Group {ADDED - 1}", {SHEET, PAGE}) == (found["name"], {one["ref"] for one in found["items"]})


def test_documents_made_at_once_have_places_of_their_own(server: Flask, organization: str, built: str) -> None:
    """Two who make groups at once find all of them, each in a place of its own."""
    def make(n: int) -> None:
        with transaction():
            groups.create(apps.find(built), f"Group {n}", "system")

    assert [] == at_once(server, organization, each(5, make), each(5, make))
    assert list(range(10)) == [one.position for one in documents.live(apps.find(built), "group")]


def test_two_who_give_the_first_schedule_give_one_whole_schedule(server: Flask, organization: str, built: str) -> None:
    """Nobody fails, and what is kept is what one of them chose, not a mixture; the same for how long backups are kept."""
    chosen = (Schedule(every="weekly", minute=60, weekday=3), Schedule(every="daily", minute=120))

    def choose(which: int) -> None:
        with transaction():
            set_schedule(apps.find(built), chosen[which], "system", data=False)
        with transaction():
            set_policy(apps.find(built), Policy(last=which + 1), "system")

    assert [] == at_once(server, organization, lambda: choose(0), lambda: choose(1))
    row = schedule_of(apps.find(built))
    assert row is not None and value_of(row) in chosen
    assert policy_of(built) in (Policy(last=1), Policy(last=2))
