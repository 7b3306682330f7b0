"""Questions that take more than one request may do: what is left out is told, and no part of a list is given for all of it."""

from __future__ import annotations

from core.base.budget import Budget
from tests.plugins.worksheets.http_api.conftest import Desk, records_of
from tests.plugins.worksheets.web.making import key_of
from tests.plugins.worksheets.web.test_spending import HEAVY, RECORDS, heavy, set_work

__all__ = ["heavy"]


def test_a_search_that_stops_goes_on_at_its_next_page(heavy: tuple[Desk, list[Budget]]) -> None:
    """Whoever follows it to the end has seen all records; each page says that it is not whole."""
    desk, _ = heavy
    number = desk.put(HEAVY, text="needle")
    set_work(desk, 1_500_000)
    records = records_of(desk, sheet=HEAVY)
    first = records.program.get(records.url, search="needle")
    assert [] == first["items"] and first["next"] is not None and "more work" in first["notes"][0]
    assert [number] == records.walk(search="needle")


def test_a_part_of_a_sorted_list_is_not_given_for_all_of_it(heavy: tuple[Desk, list[Budget]]) -> None:
    """To sort by what is computed takes all records: where that is too much it is refused, with what helps."""
    desk, _ = heavy
    records = records_of(desk, sheet=HEAVY)
    refused = records.ask(sort=key_of("f", "calcag"), limit=200)
    assert (422, "too_much_work") == (refused.status_code, refused.get_json()["code"])
    set_work(desk, 10**9)
    assert RECORDS == len(records.walk(sort=key_of("f", "calcag"), limit=200))


def test_computed_values_that_take_too_much_are_told_to_be_missing(heavy: tuple[Desk, list[Budget]]) -> None:
    """The records are there, with what is stored; fewer of them at once are whole."""
    desk, _ = heavy
    records = records_of(desk, sheet=HEAVY)
    page = records.program.get(records.url, limit=200)
    assert 200 == len(page["items"]) and "computed values" in page["notes"][0]
    (one,) = records.program.get(records.url, limit=1)["items"]
    assert 29 == len(one["computed"])
