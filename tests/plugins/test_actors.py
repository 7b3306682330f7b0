"""Who is no person: workflows, public links and portal accounts, each by every way to records. What they may not read changes no answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from core.api import App, Document, Forbidden, NotFound, RecordsAsked, apps, db, direct, documents, server, transaction
from plugins.portal import accounts
from plugins.portal import service as portal
from plugins.portal.models import PortalAccount
from plugins.workflows.world import actor
from plugins.worksheets import service
from plugins.worksheets.public import links

MINE, OTHERS = "w_1111111111", "w_2222222222"
NAME, HIDDEN, LINK, LOOKED, MADE, THEIRS = (f"f_{n}111111111" for n in "123456")
FORM, GRID = "v_1111111111", "v_2222222222"
FLOW = "f_9999999999"
GUESTS, NOBODYS = "q_1111111111", "q_2222222222"
CHANGING = re.compile(r'name="(sent|csrf_token)" value="[^"]*"|X-CSRFToken": "[^"]*"')


def ref(sheet: str, key: str) -> dict[str, str]:
    """Return the pointer to a field."""
    return {"ref": f"worksheet/{sheet}/field/{key}"}


@pytest.fixture
def app(organization: str) -> App:
    """An app with two worksheets, of which one points to the other, and a workflow."""
    with transaction():
        made = apps.create("Sales", "system")
        documents.put(made, Document(kind="worksheet", key=OTHERS, position=1, body={
            "name": "Others", "title_field": ref(OTHERS, THEIRS), "fields": [
                {"key": THEIRS, "type": "text", "name": "Theirs", "options": {}}]}), "system")
        documents.put(made, Document(kind="worksheet", key=MINE, position=0, body={
            "name": "Mine", "title_field": ref(MINE, NAME), "fields": [
                {"key": NAME, "type": "text", "name": "Name", "options": {}}, {"key": HIDDEN, "type": "text", "name": "Hidden", "options": {}},
                {"key": LINK, "type": "relationship", "name": "Link", "options": {"target": {"ref": f"worksheet/{OTHERS}"}}},
                {"key": LOOKED, "type": "lookup", "name": "Looked", "options": {"through": ref(MINE, LINK), "target": ref(OTHERS, THEIRS)}},
                {"key": MADE, "type": "formula", "name": "Made", "options": {"expression": f"{{{HIDDEN}}}", "uses": [ref(MINE, HIDDEN)]}}],
            "views": [{"key": FORM, "type": "form", "name": "Ask", "form": {"fields": [{"field": ref(MINE, NAME)}]}},
                      {"key": GRID, "type": "grid", "name": "Shown", "fields": [{"field": ref(MINE, key)} for key in (NAME, LINK, LOOKED, MADE)],
                       "filter": {"field": ref(MINE, NAME), "operator": "is", "value": "Seen"}}]}), "system")
        documents.put(made, Document(kind="workflow", key=FLOW, position=0, body={
            "name": "Flow", "enabled": True, "trigger": {"type": "manual"}, "steps": []}), "system")
        documents.put(made, Document(kind="portal", key="main", position=0, body={"enabled": True}), "system")
        documents.put(made, Document(kind="portal_role", key=NOBODYS, position=1, body={"name": "Nobody"}), "system")
        documents.put(made, Document(kind="portal_role", key=GUESTS, position=0, body={"name": "Guest", "worksheets": [
            {"worksheet": {"ref": f"worksheet/{MINE}"}, "read": "all", "update": "own", "create": True,
             "fields": [{"field": ref(MINE, HIDDEN), "read": False}]}]}), "system")
        service.put_record(made, OTHERS, None, {THEIRS: "Ant"}, "system")
        service.put_record(made, MINE, None, {NAME: "Seen", HIDDEN: "Ant", LINK: [1]}, "system")
        service.put_record(made, MINE, None, {NAME: "Unseen", HIDDEN: "Ant"}, "system")
    return apps.find(made.id)


def link_to(app: App, view: str) -> tuple[str, str]:
    """Return the actor and the address of an open link to a view."""
    with transaction():
        made = links.create(app, MINE, view, "system")
        links.change(app, made.key, is_open=True)
        return f"link/{made.key}", f"/public/{app.id}/{links.token_of(made)}"


def hidden_things(app: App) -> None:
    """Change all that a link to the form or the view does not show."""
    with transaction():
        service.put_record(app, OTHERS, 1, {THEIRS: "Zebra"}, "system")
        service.put_record(app, MINE, 1, {HIDDEN: "Zebra"}, "system")
        service.put_record(app, MINE, 2, {NAME: "Zebra", HIDDEN: "Zebra"}, "system")
        service.put_record(app, MINE, None, {NAME: "Zebra"}, "system")


@pytest.mark.parametrize("view", [FORM, GRID])
def test_what_a_link_does_not_show_changes_no_answer(app: App, server: Flask, view: str) -> None:
    """The page is the same to its last letter; it differs where what is shown does."""
    _, url = link_to(app, view)
    app_id, client = app.id, server.test_client()

    def told() -> str:
        return CHANGING.sub("", client.get(url).get_data(as_text=True))

    before = told()
    hidden_things(apps.find(app_id))
    assert told() == before and "Zebra" not in before
    if view == GRID:
        with transaction():
            service.put_record(apps.find(app_id), MINE, None, {NAME: "Seen"}, "system")
        assert told() != before


Way = Callable[[App, str], Any]


def asked(sheet: str, **more: Any) -> Way:
    """Return a question for the records of a worksheet."""
    return lambda app, who: server().registry.hook.records_for(app=app, person=who, asked=RecordsAsked(worksheet=f"worksheet/{sheet}", **more))


WAYS: dict[str, Way] = {
    "its worksheet": asked(MINE), "one record": asked(MINE, seqs=(1,)), "a view": asked(MINE, view=f"worksheet/{MINE}/view/{GRID}"),
    "a search": asked(MINE, search="Ant"), "another worksheet": asked(OTHERS),
    "what a record reads": lambda app, who: server().registry.hook.record_reads(app=app, person=who, worksheet=MINE, seq=1, values={NAME: "x"}),
    "a change": lambda app, who: server().registry.hook.write_record(app=app, person=who, worksheet=MINE, seq=1, values={NAME: "New"}),
    "a hidden field": lambda app, who: server().registry.hook.write_record(app=app, person=who, worksheet=MINE, seq=None, values={HIDDEN: "New"}),
    "a record elsewhere": lambda app, who: server().registry.hook.write_record(app=app, person=who, worksheet=OTHERS, seq=None, values={THEIRS: "New"}),
    "a removal": lambda app, who: server().registry.hook.remove_record(app=app, person=who, worksheet=MINE, seq=1),
}
READS = frozenset({"its worksheet", "one record", "a view", "what a record reads"})


def tried(way: Way, app: App, who: str) -> Any:
    """Return what a way gives: None for nothing, and for what is refused; records with their texts."""
    try:
        with transaction():
            found = way(app, who)
    except (Forbidden, NotFound):
        return None
    if found is None or found is True or isinstance(found, int):
        return found
    return [dict(one.texts) for one in found.records] or None


@pytest.mark.parametrize("name", WAYS, ids=WAYS)
def test_a_link_reaches_what_its_view_shows_and_nothing_else(app: App, name: str) -> None:
    """By whichever way: the form's reads nothing and changes nothing, the view's reads the fields it shows; closed, neither does anything."""
    form, grid = link_to(app, FORM)[0], link_to(app, GRID)[0]
    found = {one: tried(WAYS[name], apps.find(app.id), one) for one in (form, grid)}
    assert found[form] is None
    assert (found[grid] is not None) is (name in READS), found[grid]
    assert all(set(texts) <= {NAME} for texts in found[grid] or ())
    with transaction():
        for one in (form, grid):
            links.change(apps.find(app.id), one.partition("/")[2], is_open=False)
    assert [tried(WAYS[name], apps.find(app.id), one) for one in (form, grid)] == [None, None]


@pytest.mark.parametrize("name", WAYS, ids=WAYS)
def test_a_workflow_reaches_all_of_its_app_and_nothing_of_another(app: App, name: str) -> None:
    """Also not of a copy, whose workflow has the same key; nor does one that is gone."""
    copy = direct.restore_as_new(direct.back_up(app), name="Copy")
    with transaction():
        service.put_record(copy, MINE, None, {NAME: "Seen", HIDDEN: "Ant"}, "system")
    home = apps.find(app.id)
    who = actor(home, FLOW)
    assert tried(WAYS[name], apps.find(copy.id), who) is None
    assert tried(WAYS[name], apps.find(copy.id), f"workflow/{copy.id}/f_8888888888") is None
    assert tried(WAYS[name], apps.find(copy.id), "nobody/x") is None
    assert tried(WAYS[name], apps.find(app.id), who) is not None
    with transaction():
        documents.hide(apps.find(app.id), f"workflow/{FLOW}", "system")
    assert tried(WAYS[name], apps.find(app.id), who) is None


def account_of(app: App, role: str) -> str:
    """Return the actor that an account of a role is."""
    with transaction():
        portal.put_account(app, f"{role}@guest.example", role)
        found = accounts.by_email(app, f"{role}@guest.example")
        assert found is not None
        return f"portal/{found.key}"


@pytest.mark.parametrize("name", WAYS, ids=WAYS)
def test_a_portal_account_reaches_what_its_role_gives(app: App, name: str) -> None:
    """It reads the fields of its role and changes its own only; suspended, with an empty role, or in a copy, it does nothing."""
    who, empty = account_of(app, GUESTS), account_of(app, NOBODYS)
    found = tried(WAYS[name], apps.find(app.id), who)
    assert (found is not None) is (name in READS), found
    assert all(set(texts) <= {NAME, LINK} for texts in found or ()) and "Ant" not in str(found)
    assert tried(WAYS[name], apps.find(app.id), empty) is None
    made = server().registry.hook.write_record
    with transaction():
        own = made(app=apps.find(app.id), person=who, worksheet=MINE, seq=None, values={NAME: "Own"})
        assert own == made(app=apps.find(app.id), person=who, worksheet=MINE, seq=own, values={NAME: "Own again"})
    copy = direct.restore_as_new(direct.back_up(apps.find(app.id)), name="Copy")
    assert tried(WAYS[name], apps.find(copy.id), who) is None
    with transaction():
        db.session.execute(update(PortalAccount).values(state="suspended"))
    assert tried(WAYS[name], apps.find(app.id), who) is None
