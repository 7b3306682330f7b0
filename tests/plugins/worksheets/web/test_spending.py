"""Pages that ask for too much: they show what there is and say that it is not all; an export is refused. Work is counted, not time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.api import Document, as_tenant, documents, transaction
from core.base import budget
from core.base.budget import Budget
from plugins.worksheets.service import put_records
from tests.plugins.worksheets.web.making import PEOPLE, SHEET, Desk, field, field_ref, key_of, rights

HEAVY = "w_Heavy11111"
RECORDS = 300
PATTERN = "^(a|aa)+(b|bb)+(c|cc)+$"
FORMULAS = 29


@pytest.fixture
def heavy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Desk, list[Budget]]]:
    """A worksheet whose every record takes 29 regular expressions to be searched, and the budgets of the requests made."""
    text, made = field_ref(HEAVY, "text"), list[Budget]()
    formulas = [field(f"calc{n}", "formula", options={
        "expression": f"regex_replace({{{key_of('f', 'text')}}}, '{PATTERN}', '{n}')", "uses": [text]}) for n in _letters()]
    with as_tenant(desk.organization_id), transaction():
        body = {"name": "Heavy", "fields": [field("text"), *formulas]}
        documents.put(desk.app, Document(kind="worksheet", key=HEAVY, body=body, position=9), "system")
        put_records(desk.app, HEAVY, [{"values": {key_of("f", "text"): "a" * 40}} for _ in range(RECORDS)], "system")
    begin = budget.begin

    def noted(one: Budget) -> None:
        made.append(one)
        begin(one)

    monkeypatch.setattr(budget, "begin", noted)
    set_work(desk, 150_000)
    yield desk, made


def _letters() -> list[str]:
    return [f"{a}{b}" for a in "abcdef" for b in "ghijk"][:FORMULAS]


def set_work(desk: Desk, work: int) -> None:
    """Give each request so much, and as much time as it takes."""
    config: Any = desk.server.extensions["appkeep"].config
    config.values.update(request_work_count=work, request_time_s=3600, request_slow_s=3600)


def test_a_search_through_heavy_formulas_stops_and_says_so(heavy: tuple[Desk, list[Budget]]) -> None:
    """A viewer's search costs what one request may cost, not what 300 records with 29 regular expressions do; it leads on."""
    desk, made = heavy
    viewer, _ = desk.person_with("viewer@example.org", rights(HEAVY))
    answer = viewer.get(desk.url("?q=nowhere", sheet=HEAVY))
    page = answer.get_data(as_text=True)

    assert 200 == answer.status_code
    assert "more work than one page may do" in page
    assert 'rel="next"' in page
    # What one record takes at most lies between two looks; nothing goes on after the last of them.
    assert made[-1].work > -budget.LOOK - 100_000


def test_a_search_that_stopped_goes_on_behind_it(heavy: tuple[Desk, list[Budget]]) -> None:
    """Each page begins where the last one ended, and all records are seen in the end."""
    desk, _ = heavy
    set_work(desk, 1_500_000)
    desk.put(HEAVY, text="needle")
    url, pages = desk.url("?q=needle", sheet=HEAVY), count(1)
    page = desk.owner.get(url).get_data(as_text=True)
    while f'data-seq="{RECORDS + 1}"' not in page:
        more = re.search(r'rel="next" href="([^"]+)"', page)
        assert more is not None and next(pages) < 100
        page = desk.owner.get(more[1].replace("&amp;", "&")).get_data(as_text=True)
    assert next(pages) > 2


@pytest.mark.parametrize("query", ["?sort={calc}", "?where={calc}&op=contains&value=x", "?where={calc}&op=contains&value=a", ""])
def test_every_way_to_ask_for_computed_values_is_bounded(heavy: tuple[Desk, list[Budget]], query: str) -> None:
    """Sorting, conditions that fit nothing or everything, and only looking."""
    desk, made = heavy
    set_work(desk, 60_000)
    answer = desk.owner.get(desk.url(query.format(calc=key_of("f", "calcag")), sheet=HEAVY))
    assert 200 == answer.status_code
    assert "more work than one page may do" in answer.get_data(as_text=True)
    assert made[-1].work > -2 * (budget.LOOK + 100_000)


def test_an_export_that_takes_too_much_is_refused_in_words(heavy: tuple[Desk, list[Budget]]) -> None:
    """Half a file would be taken for a whole one. One that fits comes whole."""
    desk, _ = heavy
    refused = desk.owner.get(desk.url("/export.csv", sheet=HEAVY))
    assert 422 == refused.status_code
    assert "more work than one page can do" in refused.get_data(as_text=True)
    set_work(desk, 10**9)
    assert RECORDS + 1 == len(desk.owner.get(desk.url("/export.csv", sheet=HEAVY)).get_data(as_text=True).splitlines())


def test_titles_of_links_are_read_for_many_records_at_once(desk: Desk) -> None:
    """A condition on what linked records are called asks the database a few times, not once for each record."""
    with as_tenant(desk.organization_id), transaction():
        put_records(desk.app, PEOPLE, [{"values": {key_of("f", "name"): f"Person {n}"}} for n in range(1, 301)], "system")
        put_records(desk.app, SHEET, [{"values": {key_of("f", "text"): "x", key_of("f", "link"): [n]}} for n in range(1, 301)], "system")
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        page = desk.owner.get(desk.url(f"?where={key_of('f', 'link')}&op=contains&value=Person 30")).get_data(as_text=True)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert ["30", "300"] == re.findall(r'data-seq="(\d+)"', page)
    assert len(asked) < 80
