"""The grid: pages of records, what its address asks for, its views, and how many questions it asks the database."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from sqlalchemy import event

from core.api import as_tenant, db, documents
from tests.plugins.worksheets.web.making import BLUE, PEOPLE, RED, SHEET, Desk, key_of

TEXT, NUMBER, SELECT = key_of("f", "text"), key_of("f", "number"), key_of("f", "single_select")


def shown(page: str) -> list[int]:
    """Return the numbers of the records that a grid shows, in order."""
    return [int(seq) for seq in re.findall(r'<tr data-seq="(\d+)"', page)]


def test_an_empty_worksheet_says_what_to_do(desk: Desk) -> None:
    """Where there is nothing, there is a way to the first record."""
    page = desk.owner.get(desk.url()).get_data(as_text=True)

    assert "No records yet" in page and desk.url("/new") in page


def test_records_come_in_pages(desk: Desk) -> None:
    """Fifty at a time, with what is shown of how many, and ways to the next and back."""
    for n in range(1, 121):
        desk.put(text=f"Thing {n}", number=n)

    first = desk.owner.get(desk.url("?sort=" + NUMBER)).get_data(as_text=True)
    after = re.search(r'rel="next" href="([^"]+)"', first)
    assert after is not None
    second = desk.owner.get(after[1].replace("&amp;", "&")).get_data(as_text=True)
    before = re.search(r'rel="prev" href="([^"]+)"', second)

    assert shown(first) == list(range(1, 51)) and "1–50 of 120" in first
    assert shown(second) == list(range(51, 101)) and "51–100 of 120" in second
    assert before is not None and shown(desk.owner.get(before[1].replace("&amp;", "&")).get_data(as_text=True)) == list(range(1, 51))


def test_a_header_sorts(desk: Desk) -> None:
    """The address says by which field, and the header says so too."""
    for n in (2, 3, 1):
        desk.put(text=f"Thing {n}", number=n)

    down = desk.owner.get(desk.url(f"?sort=-{NUMBER}")).get_data(as_text=True)

    assert shown(down) == [2, 1, 3]
    assert 'aria-sort="descending"' in down


@pytest.mark.parametrize(("query", "expected"), [
    (f"where={TEXT}&op=contains&value=app", [1, 3]), (f"where={TEXT}&op=contains_not&value=app", [2]),
    (f"where={NUMBER}&op=greater&value=1", [2, 3]), (f"where={NUMBER}&op=is_empty&value=", []),
    (f"where={SELECT}&op=is&value={RED}", [1]), (f"where={SELECT}&op=is_empty", [3]),
    (f"where={TEXT}&op=contains&value=app&where={NUMBER}&op=less&value=2", [1]),
    (f"where={NUMBER}&op=is&value=1&where={NUMBER}&op=is&value=2&match=any", [1, 2]),
    ("q=grape", [3]), (f"where={TEXT}&op=contains&value=", [1, 2, 3]),
])
def test_conditions_are_in_the_address(desk: Desk, query: str, expected: list[int]) -> None:
    """A filter can be bookmarked, and works without any script."""
    desk.put(text="Apple", number=1, single_select=RED)
    desk.put(text="Pear", number=2, single_select=BLUE)
    desk.put(text="Grape and apple", number=3)

    assert shown(desk.owner.get(desk.url(f"?{query}")).get_data(as_text=True)) == expected


@pytest.mark.parametrize("query", [
    "where=f_Nothing111&op=is&value=1", "where=f_x'&op=drop&value=--", f"where={TEXT}&op=matches&value=(a%2B)%2B$", "sort=f_Nothing111",
    "sort=';drop", "after=garbage&at=-5", "after=" + "A" * 5000, "at=99999999999999999999", "show=f_Nothing111&columns=chosen",
    f"where={NUMBER}&op=greater&value=1e999", f"where={NUMBER}&op=is&value=abc", f"where={key_of('f', 'date')}&op=is&value=not-a-day",
    "q=" + quote("'\"<script>%_\\") + "&match=any", "where=" + "&where=".join(["f_x"] * 100), "month=9999-99", "group=%00", "q=%00a",
    f"where={TEXT}&op=contains&value=%00", f"where={key_of('f', 'double')}&op=is&value=4", "at=%C2%B2",
])
def test_a_hostile_address_breaks_nothing(desk: Desk, query: str) -> None:
    """What is not understood is left out, or refused in words; never an error of the server."""
    desk.put(text="<script>alert(1)</script>")

    answer = desk.owner.get(desk.url(f"?{query}"))

    assert answer.status_code in (200, 404, 422)
    assert "<script>alert" not in answer.get_data(as_text=True)


def test_an_unknown_view_is_not_there(desk: Desk) -> None:
    """404, as for anything that does not exist."""
    assert desk.owner.get(desk.url("?view=v_Nothing111")).status_code == 404


def test_columns_are_chosen_by_the_address_and_kept_by_admins(desk: Desk) -> None:
    """Everybody chooses for themselves; whoever manages the app saves the choice to the view."""
    desk.put(text="A", number=7)
    query = f"view=v_ALL1111111&columns=chosen&show={NUMBER}&sort=-{NUMBER}"

    page = desk.owner.get(desk.url(f"?{query}")).get_data(as_text=True)
    assert re.findall(r'data-f="(f_\w+)"', page) == [TEXT, NUMBER]

    assert desk.owner.post(desk.url("/keep"), data={
        "view": "v_ALL1111111", "columns": "chosen", "show": NUMBER, "sort": f"-{NUMBER}"}).status_code == 302
    with as_tenant(desk.organization_id):
        view = documents.get(desk.app, f"worksheet/{SHEET}").body["views"][0]
    assert [one["field"]["ref"].rpartition("/")[2] for one in view["fields"] if not one["hidden"]] == [NUMBER]
    assert view["sorts"] == [{"field": {"ref": f"worksheet/{SHEET}/field/{NUMBER}"}, "descending": True}]


def test_a_board_stacks_by_choice(desk: Desk) -> None:
    """One stack a choice, one for records without."""
    desk.put(text="Red thing", single_select=RED)
    desk.put(text="Plain thing")

    page = desk.owner.get(desk.url("?view=v_Board11111")).get_data(as_text=True)
    without, red = page.split('data-stack="')[1:3]

    assert "Plain thing" in without and "Red thing" in red and "Red thing" not in without


def test_groups_have_headings_and_counts(desk: Desk) -> None:
    """A grouped grid is sorted by its group; each can be shown by itself."""
    for choice in (RED, BLUE, RED):
        desk.put(text="Thing", single_select=choice)

    page = desk.owner.get(desk.url("?view=v_Grouped111")).get_data(as_text=True)
    alone = desk.owner.get(desk.url(f"?view=v_Grouped111&group={RED}")).get_data(as_text=True)

    assert page.count('<tr class="w-group">') == 2
    assert shown(alone) == [1, 3]


def test_a_calendar_shows_a_month(desk: Desk) -> None:
    """Records stand on their days; those of other months are on other pages."""
    desk.put(text="In November", date="2026-11-23")
    desk.put(text="In January", date="2027-01-05")

    page = desk.owner.get(desk.url("?view=v_Month11111&month=2026-11")).get_data(as_text=True)

    assert "November 2026" in page and "In November" in page and "In January" not in page


@pytest.mark.parametrize("view", ["v_ALL1111111", "v_Board11111", "v_Month11111"])
def test_the_number_of_questions_does_not_follow_the_rows(desk: Desk, view: str) -> None:
    """Linked records, people and choices are read for the page at once: 50 rows ask the database no more than 30.

    A board's column that is longer than it shows is counted too, so both have one.
    """
    for n in range(60):
        desk.put(PEOPLE, name=f"Person {n}", boss=[1] if n else None)
    asked = []
    for rows in (30, 50):
        while rows > len(asked_rows(desk)):
            n = len(asked_rows(desk))
            desk.put(text=f"Thing {n}", number=n, link=[n % 60 + 1, (n + 7) % 60 + 1], way=[1, n % 50 + 2], single_select=RED,
                     date="2026-11-23", free_link=[{"ref": f"worksheet/{PEOPLE}/record/{n % 60 + 1}"}])
        asked.append(statements(desk, desk.url(f"?view={view}&month=2026-11")))

    assert asked[1] <= asked[0] + 1


def asked_rows(desk: Desk) -> list[int]:
    """Return the numbers of all records."""
    from plugins.worksheets import service

    db.session.rollback()
    with as_tenant(desk.organization_id):
        return list(service.store_of(desk.app).seqs(SHEET))


def statements(desk: Desk, url: str) -> int:
    """Return how many statements a page needs, the second time it is asked for."""
    count = [0]

    def note(*_given: object) -> None:
        count[0] += 1

    desk.owner.get(url)
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert desk.owner.get(url).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return count[0]
