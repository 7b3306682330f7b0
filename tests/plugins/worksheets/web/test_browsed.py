"""Pages of a worksheet in a backup: what whoever reads everything and writes nothing saw of the app when it was made, letter for letter."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.api import Document, apps, as_tenant, direct, documents, find_app, transaction
from plugins.worksheets import service
from plugins.worksheets.service import put_record
from tenants import service as tenants
from tests.plugins.worksheets.web.making import PEOPLE, SHEET, Desk, field, key_of, rights
from tests.plugins.worksheets.web.test_unseen import ASKED, THROUGH
from tests.web import Browser

PAGES = [page for page in ASKED if not page.startswith(("/export", "/choose")) and not page.endswith("/edit")]
COMMENTS = re.compile(r'<section class="w-section" id="comments">.*?</section>\n?|<a class="button" href="[^"]*/history">History</a>', re.DOTALL)
"""Comments and the history of a record, which a backup does not hold."""
ROOT = re.compile(r"/o/o_\w+/apps/a_\w+(/backups/b_\w+/browse)?")
TOKEN = re.compile(r'(csrf_token" value=")[^"]*|(\?v=)[0-9a-f]+')


def filled(desk: Desk) -> None:
    """Give the worksheet fields of every type, computed ones too, and records that point to others."""
    with as_tenant(desk.organization_id), transaction():
        sheet = documents.get(desk.app, f"worksheet/{SHEET}")
        documents.put(desk.app, replace(sheet, body={**sheet.body, "fields": [*sheet.body["fields"], *THROUGH]}), "system")
    for name in ("Zebra", "Ant"):
        desk.put(PEOPLE, name=name)
    for text, link in (("A", [1]), ("B", [2]), ("C", [1, 2])):
        desk.put(text=text, link=link, way=link[:1], number="3", checkbox=True)


def backed_up(desk: Desk) -> str:
    """Make a backup and return what the addresses of its pages begin with."""
    with as_tenant(desk.organization_id):
        backup_id = direct.back_up(desk.app).id
    return f"/o/{desk.organization_id}/apps/{desk.app_id}/backups/{backup_id}/browse"


def body(browser: Browser, path: str) -> str:
    """Return what a page says in its middle, with addresses that do not tell where it is."""
    answer = browser.get(path, buffered=True)
    text = answer.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    assert 200 == answer.status_code and text, (path, answer.status_code)
    return TOKEN.sub(r"\1\2", COMMENTS.sub("", ROOT.sub("", text)))


def test_pages_of_a_backup_are_those_of_a_reader(desk: Desk) -> None:
    """Grids, boards, calendars, galleries, records, searched, filtered, sorted, grouped: after everything in the app has gone."""
    filled(desk)
    with as_tenant(desk.organization_id):
        given = [rights(one.key) for one in documents.live(desk.app, "worksheet")]
    reader = desk.person_with("reader@example.org", *given)[0]
    live = {page: body(reader, desk.url(page)) for page in PAGES}
    root = backed_up(desk)
    with as_tenant(desk.organization_id), transaction():
        for sheet in (SHEET, PEOPLE):
            service.store_of(desk.app).purge(sheet)
    for page in PAGES:
        assert live[page] == body(desk.owner, f"{root}/worksheet/{SHEET}{page}"), page


@pytest.mark.parametrize("page", ["", "/record/1", f"?sort={key_of('f', 'link')}", "?q=zebra"])
def test_a_pointer_into_another_app_shows_nothing_of_it(desk: Desk, page: str) -> None:
    """Although whoever browses manages that app too: the backup does not hold it, and what it is today is not what it was."""
    with as_tenant(desk.organization_id), transaction():
        other = apps.create("Other", "system")
        sheet = {"name": "Salaries", "fields": [field("name", "text")]}
        documents.put(other, Document(kind="worksheet", key=PEOPLE, body=sheet, position=0), "system")
        other_id = other.id
        tenants.name_admin(other, tenants.user_by_email("owner@example.org").id)
        things = documents.get(desk.app, f"worksheet/{SHEET}")
        far = field("link", "relationship", options={"target": {"org": f"app/{other_id}/worksheet/{PEOPLE}"}})
        fields = [far if one["key"] == far["key"] else one for one in things.body["fields"] if one["key"] != key_of("f", "way")]
        documents.put(desk.app, replace(things, body={**things.body, "fields": fields}), "system")
    with as_tenant(desk.organization_id), transaction():
        put_record(find_app(other_id), PEOPLE, None, {key_of("f", "name"): "Zebra"}, "system")
    desk.put(text="A", link=[1])
    root = backed_up(desk)
    assert "Zebra" in desk.owner.get(desk.url("/record/1")).get_data(as_text=True)
    assert "Zebra" not in body(desk.owner, f"{root}/worksheet/{SHEET}{page}").replace("zebra", "")
