"""What the pages of a large worksheet say where no index helps, and what they offer; here a hundred records are many."""

from __future__ import annotations

import re

import pytest

from core.api import as_tenant, transaction
from plugins.worksheets.query import scan
from plugins.worksheets.service import put_records
from plugins.worksheets.web import paging
from tests.plugins.worksheets.web.making import SHEET, Desk, key_of, rights

NUMBER = key_of("f", "number")


@pytest.fixture
def large(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A worksheet of 130 records, of which a page looks at no more than it shows."""
    monkeypatch.setattr(scan, "LARGE", 100)
    monkeypatch.setattr(paging, "LOOK_ROWS", 4)
    with as_tenant(desk.organization_id), transaction():
        put_records(desk.app, SHEET, [{"values": {key_of("f", "text"): f"Record {n}", NUMBER: n}} for n in range(1, 131)], "system")
    return desk


def page_of(desk: Desk, query: str) -> str:
    """Return a page of the grid."""
    return desk.owner.get(desk.url(query)).get_data(as_text=True)


def numbers(page: str) -> list[int]:
    """Return the numbers of the records that a page shows."""
    return [int(one) for one in re.findall(r'data-seq="(\d+)"', page)]


def test_a_sort_without_an_index_is_right_and_offers_one(large: Desk) -> None:
    """An admin presses one button; then the page has nothing more to say."""
    page = page_of(large, f"?sort=-{NUMBER}")
    assert [*range(130, 80, -1)] == numbers(page)
    assert "Sorting this many records by “<bdi>number</bdi>”" in page
    address = f"/o/{large.organization_id}/apps/{large.app_id}/manage/worksheet/{SHEET}/field/{NUMBER}/index"
    assert f'action="{address}"' in page
    assert large.owner.post(address, data={"on": "1"}).status_code == 303
    page = page_of(large, f"?sort=-{NUMBER}")
    assert [*range(130, 80, -1)] == numbers(page)
    assert "had to be sorted" not in page


def test_whoever_is_no_admin_is_told_whom_to_ask(large: Desk) -> None:
    """They see why it takes a while, and no button."""
    reader, _ = large.person_with("reader@example.org", rights())
    page = reader.get(large.url(f"?sort={NUMBER}")).get_data(as_text=True)
    assert "An app admin can index the field" in page
    assert "/index" not in page


def test_a_page_that_stopped_says_so_and_leads_on_to_the_end(large: Desk) -> None:
    """What fits lies behind what was looked at: each page leads further, and the last one finds it."""
    page, seen = page_of(large, f"?where={NUMBER}&op=is&value=130"), list[int]()
    assert "no index helps" in page
    for _ in range(12):
        seen += numbers(page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        if more is None:
            break
        page = large.owner.get(more[1].replace("&amp;", "&")).get_data(as_text=True)
    assert [130] == seen
    assert "no index helps" not in page


def test_own_records_are_found_wherever_they_lie(large: Desk) -> None:
    """Where somebody sees their own records only, nothing is cut short."""
    browser, person = large.person_with("own@example.org", rights(read="own"))
    large.put(text="Mine", person=person)
    page = browser.get(large.url()).get_data(as_text=True)
    assert [131] == numbers(page)
    assert "no index helps" not in page


def test_counts_of_what_was_not_looked_at_are_least_ones(large: Desk) -> None:
    """A page says “more than”, never a number that is too small."""
    page = page_of(large, f"?where={NUMBER}&op=greater&value=0")
    assert [*range(1, 51)] == numbers(page)
    assert "of more than" in page
    assert "1–50 of 130" in page_of(large, "")
