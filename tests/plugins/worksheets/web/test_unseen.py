"""What one may not read changes no answer: not what is found, sorted, counted, shown, grouped or taken away as a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.api import Document, InvalidDocument, apps, as_tenant, documents, find_app, transaction
from plugins.worksheets.service import put_record
from tenants import app_admins, service
from tests.plugins.worksheets.web.making import GROUPED, PEOPLE, SHEET, VIEW, Desk, field, field_ref, key_of, rights
from tests.web import Browser, make_person, signed_in

LINK = field_ref(SHEET, "link")
NAME = field_ref(PEOPLE, "name")
TOKEN = re.compile(r"[A-Za-z0-9_=-]{100,}")
THROUGH = [
    field("looked", "lookup", options={"through": LINK, "target": NAME}),
    field("rolled", "rollup", options={"through": LINK, "target": NAME, "function": "array_join"}),
    field("counted", "count", options={"through": LINK}),
    field("made", "formula", options={"expression": f"{{{key_of('f', 'link')}}}", "uses": [LINK]}),
    field("told", "text_combination", options={"template": f"<{{{key_of('f', 'link')}}}>", "uses": [LINK]}),
    field("again", "formula", options={"expression": f"upper({{{key_of('f', 'told')}}})", "uses": [field_ref(SHEET, "told")]}),
]
SORTS = [f"?sort={way}{key_of('f', word)}" for way in ("", "-") for word in ("link", "looked", "rolled", "made", "told", "again")]
ASKED = ["?q=zebra", "?q=ant", "?q=3", f"?view={GROUPED['key']}&q=zebra", "?view=v_Board11111&q=ant", "/export.csv", "/export.csv?q=zebra",
         "/export.csv?sort=-" + key_of("f", "looked"), "", "/record/1", "/record/1/edit", f"/choose/{key_of('f', 'link')}?find-{key_of('f', 'link')}=zebra",
         *SORTS, *(f"?where={key_of('f', word)}&op={op}&value={value}" for word in ("link", "way", "looked", "rolled", "made", "told", "again")
                   for op, value in (("contains", "zebra"), ("contains_not", "ant"), ("is", "Ant"), ("starts_with", "z"), ("is_empty", ""))),
         *(f"?where={key_of('f', 'counted')}&op={op}&value=1" for op in ("is", "greater_or_equal", "less"))]


def told_of(desk: Desk, browser: Browser) -> dict[str, str]:
    """Return what the pages say to somebody, without what is new on every page."""
    return {page: TOKEN.sub("", browser.get(desk.url(page), buffered=True).get_data(as_text=True)) for page in ASKED}


def set_up(desk: Desk, **role: Any) -> Browser:
    """Return the browser of a member who may read the worksheet, and of the one it points into only what *role* says."""
    with as_tenant(desk.organization_id), transaction():
        sheet = documents.get(desk.app, f"worksheet/{SHEET}")
        documents.put(desk.app, replace(sheet, body={**sheet.body, "fields": [*sheet.body["fields"], *THROUGH]}), "system")
    given = [rights(export=True, update="all")] + ([rights(PEOPLE, **role)] if role else [])
    return desk.person_with("some@example.org", *given)[0]


UNREAD: Mapping[str, Mapping[str, Any]] = {
    "a worksheet without rights": {}, "other people's records": {"read": "own"},
    "a field": {"read": "all", "fields": [{"field": NAME, "read": False}]},
}


@pytest.mark.parametrize("role", UNREAD.values(), ids=UNREAD.keys())
def test_what_is_not_read_changes_no_answer(desk: Desk, role: Mapping[str, Any]) -> None:
    """Every page and file is the same to its last letter when only what one may not read is another; the owner sees it differ."""
    browser = set_up(desk, **role)
    for name in ("Zebra", "Ant"):
        desk.put(PEOPLE, name=name)
    for text, link in (("A", [1]), ("B", [2]), ("C", [1, 2])):
        desk.put(text=text, link=link, way=link[:1])
    mine, owners = told_of(desk, browser), told_of(desk, desk.owner)
    for seq, name in ((1, "Ant"), (2, "Zebra")):
        desk.put(PEOPLE, seq, name=name)
    after, owners_after = told_of(desk, browser), told_of(desk, desk.owner)

    for page in ASKED:
        assert mine[page] == after[page], page
    assert {page for page in ASKED if owners[page] != owners_after[page]} >= {
        "?q=zebra", "/export.csv", *(f"?where={key_of('f', word)}&op=contains&value=zebra" for word in ("link", "looked", "told", "again"))}


def test_a_pointer_into_another_app_gives_its_writer_nothing(desk: Desk) -> None:
    """An admin who knows a worksheet's address in an app that is not theirs: no page, trial, colour or choice tells what is in it."""
    with as_tenant(desk.organization_id), transaction():
        other = apps.create("Secret", "system")
        sheet = {"name": "Salaries", "fields": [field("name", "text")]}
        documents.put(other, Document(kind="worksheet", key=PEOPLE, body=sheet, position=0), "system")
        other_id = other.id
        admin = make_person("admin@example.org")
        service.name_admin(desk.app, admin)
        things = documents.get(desk.app, f"worksheet/{SHEET}")
        far = field("link", "relationship", options={"target": {"org": f"app/{other_id}/worksheet/{PEOPLE}"}})
        fields = [far if one["key"] == far["key"] else one for one in things.body["fields"] if one["key"] != key_of("f", "way")]
        colours = [{"place": "left_border", "colour": "#ff0000", "when": {"field": LINK, "operator": "contains", "value": "zebra"}}]
        views = [{**one, "colours": colours} if one["key"] == VIEW["key"] else one for one in things.body["views"]]
        documents.put(desk.app, replace(things, body={**things.body, "fields": [*fields, *THROUGH], "views": views}), "system")
    with as_tenant(desk.organization_id), transaction():
        for name in ("Zebra", "Ant"):
            put_record(find_app(other_id), PEOPLE, None, {key_of("f", "name"): name}, "system")
    for text, link in (("A", [1]), ("B", [2])):
        desk.put(text=text, link=link)
    browser = signed_in(desk.server, "admin@example.org")
    mine, owners = told_of(desk, browser), told_of(desk, desk.owner)
    with as_tenant(desk.organization_id), transaction():
        for seq, name in ((1, "Ant"), (2, "Zebra")):
            put_record(find_app(other_id), PEOPLE, seq, {key_of("f", "name"): name}, "system")

    assert mine == told_of(desk, browser)
    assert owners == told_of(desk, desk.owner)  # who does not manage that app either
    with as_tenant(desk.organization_id), transaction():
        service.name_admin(find_app(other_id), admin)
    assert mine != told_of(desk, browser)


def test_only_who_manages_an_app_points_into_it(desk: Desk) -> None:
    """By whatever page or script: another app that is theirs too may be named, others not, and what stands may stay."""
    with as_tenant(desk.organization_id), transaction():
        other = apps.create("Secret", "system")
        documents.put(other, Document(kind="worksheet", key=PEOPLE, body={"name": "Salaries", "fields": []}, position=0), "system")
        admin = make_person("admin@example.org")
        service.name_admin(desk.app, admin)
        things = documents.get(desk.app, f"worksheet/{SHEET}")
        far = field("far", "relationship", options={"target": {"org": f"app/{other.id}/worksheet/{PEOPLE}"}})
        pointing = replace(things, body={**things.body, "fields": [*things.body["fields"], far]})
        with pytest.raises(InvalidDocument, match="do not manage"):
            documents.put(desk.app, pointing, admin)
        nowhere = json.loads(json.dumps(pointing.body).replace(other.id, "a_Nowhere111"))
        with pytest.raises(InvalidDocument, match="do not manage"):
            documents.put(desk.app, replace(pointing, body=nowhere), admin)
        service.name_admin(other, admin)
        documents.put(desk.app, pointing, admin)
        app_admins.remove(other, admin)
        documents.put(desk.app, replace(pointing, body={**pointing.body, "name": "Renamed"}), admin)
