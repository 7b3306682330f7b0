"""Questions for records: filters, sorts, search, views, pages; and what cannot be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugins.worksheets.http_api.conftest import SHEET, Desk, Records, edit_sheet, named, records_of
from tests.plugins.worksheets.web.making import BLUE, RED, field_ref, key_of


def condition(word: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """Return a condition, by the word of its field."""
    return {"field": key_of("f", word), "operator": operator, **({} if value is None else {"value": value}), **more}


def filled(records: Records) -> None:
    """Make some records that differ."""
    texts = ["apple", "Banana", "cherry", "apple pie", "date"]
    records.batch(create=[{"values": named({"text": text, "number": (n * 7) % 5, "exact": f"{n}.50", "single_select": [RED, BLUE][n % 2],
                                            "date": f"2026-0{n + 1}-15"})} for n, text in enumerate(texts)])


def test_conditions_find_what_fits(both: Records) -> None:
    """As in the grid, by text, number, choice and day, together and apart; a pointer names a field too."""
    filled(both)
    asked: list[tuple[Any, list[int]]] = [
        (condition("text", "contains", "apple"), [1, 4]),
        ({"any": [condition("number", "is", 0), condition("text", "is", "CHERRY")]}, [1, 3]),
        ({"all": [condition("exact", "greater", "1.5"), condition("exact", "less", 4.5)]}, [3, 4]),
        (condition("single_select", "is_any_of", [BLUE]), [2, 4]),
        (condition("date", "on_or_after", "2026-03-15", unit="exact_date"), [3, 4, 5]),
        (condition("double", "is", 0), [1]),
        (condition("phone", "is_empty"), [1, 2, 3, 4, 5]),
        ({"field": field_ref(SHEET, "text"), "operator": "is", "value": "date"}, [5]),
        ({"all": []}, [1, 2, 3, 4, 5])]
    assert [found for _, found in asked] == [both.numbers(filter=json.dumps(one)) for one, _ in asked]
    assert [4] == both.numbers(search="pie")


@pytest.mark.parametrize("sort", [["f_text111111"], ["-f_number1111"], ["f_singLe"], ["-f_doubLe1111", "number"], ["-updated_at"], ["-number"], []])
def test_every_record_is_walked_once(both: Records, sort: list[str]) -> None:
    """Page by page, in any order, also where many are alike and some are empty."""
    sort = [key_of("f", "single_select") if one == "f_singLe" else one.replace("f_doubLe1111", key_of("f", "double")) for one in sort]
    both.batch(create=[{"values": named({"text": str(n % 4), **({"number": n % 3} if n % 5 else {})})} for n in range(53)])
    walked = both.walk(sort=sort, limit=10)
    assert (53, set(range(1, 54))) == (len(walked), set(walked))
    assert both.numbers(sort=sort, limit=200) == walked


def test_a_view_gives_its_filter_and_sort(desk: Desk, owner: Records) -> None:
    """A filter of one's own narrows it further, a sort takes the place of the view's."""
    filled(owner)
    view = {"key": "v_ALL1111111", "type": "grid", "name": "All", "sorts": [{"field": field_ref(SHEET, "text"), "descending": True}],
            "filter": {"field": field_ref(SHEET, "text"), "operator": "contains", "value": "a"}}
    edit_sheet(desk, views=[view])
    assert [5, 2, 4, 1] == owner.numbers(view="v_ALL1111111")
    assert [4, 1] == owner.numbers(view="v_ALL1111111", filter=json.dumps(condition("text", "contains", "apple")))
    assert [1, 2, 4, 5] == owner.numbers(view="v_ALL1111111", sort="number")
    assert 404 == owner.ask(view="v_Gone111111").status_code


def nested(depth: int) -> Any:
    """Return a filter so deep."""
    return {"all": [nested(depth - 1)]} if depth else condition("text", "is", "a")


WRONG = {
    "no JSON": "{", "not an object": "[]", "a number": "7", "a text": '"x"', "nothing": "null", "two ways": {"all": [], "any": []},
    "no list": {"all": {}}, "unknown part": condition("text", "is", "a", colour="red"), "no operator": {"field": key_of("f", "text")},
    "unknown operator": condition("text", "like", "a"), "operator of another type": {"field": key_of("f", "text"), "operator": ["is"], "value": 1},
    "unknown field": {"field": "f_Gone111111", "operator": "is", "value": "a"}, "a field of another worksheet": {
        "field": {"ref": "worksheet/w_PeopLe1111/field/f_text111111"}, "operator": "is", "value": "a"},
    "a layout item": condition("head", "is", "a"), "no value": condition("text", "is"), "an empty value": condition("text", "is", ""),
    "a list of nothing": condition("text", "is_any_of", [None, ""]), "an object": condition("text", "is", {"a": 1}),
    "a list in a list": condition("text", "is", [["a"]]), "many values": condition("text", "is_any_of", ["a"] * 101),
    "a long value": condition("text", "is", "a" * 2001), "no number": condition("number", "greater", "ten"),
    "no day": condition("date", "is", "tomorrow"), "not no day": condition("date", "is_not", "2026-02-30"), "no amount": condition("date", "is", unit="days_ago"),
    "a unit for a text": condition("text", "is", "a", unit="today"), "unknown unit": condition("date", "is", 1, unit="moons_ago"),
    "nothing within": condition("date", "within"), "deep": nested(11), "very deep": '{"all":[' * 2000 + "]}" * 2000,
    "many conditions": {"any": [condition("text", "is", "a")] * 101}, "the same name twice": '{"all":[],"all":[]}',
    "a huge number": '{"field":"f_number1111","operator":"is","value":' + "9" * 5000 + "}",
    "not finite": '{"field":"f_number1111","operator":"is","value":NaN}', "half a character": '{"field":"f_text111111","operator":"is","value":"\\ud800"}',
}


@pytest.mark.parametrize("name", WRONG)
def test_a_filter_that_cannot_be_asked_is_refused(owner: Records, name: str) -> None:
    """In words, as 422: to leave a condition out would find too much."""
    given = WRONG[name]
    answer = owner.ask(filter=given if isinstance(given, str) else json.dumps(given))
    assert (422, "filter") == (answer.status_code, answer.get_json()["parameter"]), answer.get_json()


def test_ten_thousand_conditions_are_refused(owner: Records) -> None:
    """Before any of them is read."""
    conditions = json.dumps({"any": [condition("text", "is", "a")] * 10_000})
    assert 422 == owner.ask(filter=conditions).status_code


@pytest.mark.parametrize("query", [
    {"sort": "f_Gone111111"}, {"sort": "--number"}, {"sort": ""}, {"sort": key_of("f", "head")}, {"sort": ["number"] * 6}, {"limit": 0},
    {"limit": 201}, {"limit": "many"}, {"cursor": "x"}, {"cursor": "eyJhIjoxfQ"}, {"cursor": "a" * 3999}, {"search": "a" * 201}, {"view": ""},
    {"deleted": "perhaps"}, {"colour": "red"}, {"cursor": "older.1.1"}])
def test_what_cannot_be_asked_is_refused(owner: Records, query: dict[str, Any]) -> None:
    """Each with 422."""
    owner.make(text="A")
    assert 422 == owner.ask(**query).status_code


def test_a_cursor_of_another_question_is_refused(desk: Desk, owner: Records) -> None:
    """Of another order, of the bin, of another worksheet."""
    owner.batch(create=[{"values": named({"text": str(n)})} for n in range(5)])
    cursor = owner.program.get(owner.url, limit=2, sort=key_of("f", "text"))["next"]
    assert 200 == owner.ask(limit=2, sort=key_of("f", "text"), cursor=cursor).status_code
    for query in ({}, {"sort": f"-{key_of('f', 'text')}"}, {"deleted": "true"}):
        assert 422 == owner.ask(cursor=cursor, **query).status_code
    assert 422 == records_of(desk, sheet="w_PeopLe1111").ask(cursor=cursor).status_code
