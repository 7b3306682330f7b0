"""Many at once: all or nothing, with every rule that holds for one."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import as_tenant
from plugins.worksheets.history_log import CHANGED, CREATED
from plugins.worksheets.history_versions import entries
from tests.plugins.worksheets.http_api.conftest import SHEET, Desk, Records, named
from tests.plugins.worksheets.web.making import key_of


def new(**values: Any) -> dict[str, Any]:
    """Return a record to create."""
    return {"values": named(values)}


def change(number: int, /, match: str | None = None, **values: Any) -> dict[str, Any]:
    """Return a record to change."""
    return {"number": number, "values": named(values), **({} if match is None else {"if_match": match})}


def test_all_of_it_is_done(both: Records) -> None:
    """In one go, the numbers in the order given."""
    first = both.batch(create=[new(text="A"), new(text="B"), new(text="C")])
    assert {"created": [1, 2, 3], "updated": 0, "deleted": 0} == first
    done = both.batch(create=[new(text="D", number=4), new(text="E")], update=[change(1, text="AA"), change(3)], delete=[{"number": 2}])
    assert {"created": [4, 5], "updated": 2, "deleted": 1} == done
    texts = {one["number"]: one["values"][key_of("f", "text")] for one in both.program.get(both.url)["items"]}
    assert {1: "AA", 3: "C", 4: "D", 5: "E"} == texts
    assert [4, 5] == [both.get(n)["values"][key_of("f", "autonumber")] for n in (4, 5)]
    assert {"created": [], "updated": 0, "deleted": 0} == both.batch()


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "a value": ({"create": [new(text="X"), new(text="Y", number="many")]}, 422, "/create/1"),
    "a field": ({"update": [change(1, text="X"), change(2, gone=1)]}, 422, "/update/1"),
    "a required field": ({"update": [change(1, text=None)]}, 422, "/update/0"),
    "a number": ({"delete": [{"number": 1}, {"number": 99}]}, 404, "/delete/1"),
    "a huge number": ({"update": [change(2**53 - 1)]}, 404, "/update/0"),
    "a record twice": ({"update": [change(1)], "delete": [{"number": 1}]}, 422, "/delete/0"),
    "a value twice": ({"create": [new(text="X", email="x@example.org"), new(text="Y", email="x@example.org")]}, 422, "/create/1"),
    "a value of another": ({"create": [new(text="X"), new(text="Y", email="a@example.org")]}, 422, "/create/1"),
    "a target": ({"create": [new(text="X", link=[77])]}, 422, "/create/0"),
    "a match": ({"update": [change(1, "0" * 32, text="X")]}, 412, "/update/0"),
    "a match of what goes": ({"delete": [{"number": 1, "if_match": "0" * 32}]}, 412, "/delete/0"),
    "too large": ({"create": [new(text="X"), new(text="a" * 45_000, long_text="b" * 55_000, rich_text="c" * 50_000)]}, 422, "/create/1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_changes_nothing(both: Records, name: str) -> None:
    """The refusal names which part it is about; all the rest is as before."""
    both.batch(create=[new(text="A", email="a@example.org"), new(text="B")])
    before = both.program.get(both.url)
    acts, status, at = WRONG[name]
    acts = {"create": [new(text="Good"), *acts.get("create", [])], **{act: items for act, items in acts.items() if act != "create"}}
    at = at.replace("/create/1", "/create/2").replace("/create/0", "/create/1")
    assert at == both.batch(status, **acts)["at"]
    assert before == both.program.get(both.url)


def test_values_change_hands_within_a_batch(both: Records) -> None:
    """What counts is how it is afterwards: unique values are swapped, and taken over from what is deleted."""
    mail = [f"{letter}@example.org" for letter in "abc"]
    both.batch(create=[new(text=one, email=one) for one in mail])
    both.batch(update=[change(1, email=mail[1]), change(2, email=mail[0])], delete=[{"number": 3}], create=[new(text="C", email=mail[2])])
    held = {one["number"]: one["values"][key_of("f", "email")] for one in both.program.get(both.url)["items"]}
    assert {1: mail[1], 2: mail[0], 4: mail[2]} == held
    both.batch(update=[change(1, email=None), change(2, email=mail[1])])
    assert [None, mail[1]] == [both.get(n)["values"].get(key_of("f", "email")) for n in (1, 2)]


def test_etags_are_taken_as_they_are_read(owner: Records) -> None:
    """Bare, or in the quotation marks of a header."""
    owner.batch(create=[new(text="A"), new(text="B")])
    one, two = (owner.get(n)["etag"] for n in (1, 2))
    owner.batch(update=[change(1, one, text="AA")], delete=[{"number": 2, "if_match": f'"{two}"'}])
    assert [1] == owner.numbers()


def test_a_batch_has_its_bounds(owner: Records) -> None:
    """A thousand in all, of the form that the document says."""
    assert 1000 == len(owner.batch(create=[new(text=str(n)) for n in range(1000)])["created"])
    owner.batch(422, create=[new(text="A")] * 1001)
    owner.batch(422, create=[new(text="A")] * 999, delete=[{"number": 1}, {"number": 2}])
    for wrong in ({"number": 0}, {"number": -1}, {"number": "1"}, {"number": 1, "more": 2}, {}, 7, None):
        owner.batch(422, delete=[wrong])
    owner.batch(422, upsert=[])
    assert 404 == owner.program.ask("POST", f"{owner.url}/batch", json={"delete": [{"number": 1.0}, {"number": 5000}]}).status_code
    assert 1000 == len(owner.walk(limit=200))


def test_the_history_tells_of_each_record(desk: Desk, owner: Records) -> None:
    """Who made many made each; what changed is told with the values before and after; what is the same is not told."""
    owner.batch(create=[new(text="A"), new(text="B")])
    owner.batch(update=[change(1, text="AA"), change(2, text="B")])
    with as_tenant(desk.organization_id):
        told = [[entry.act for entry in entries(desk.app, SHEET, seq)] for seq in (1, 2)]
        (changed, _) = entries(desk.app, SHEET, 1)
    assert [[CHANGED, CREATED], [CREATED]] == told
    assert {key_of("f", "text"): ["A", "AA"]} == changed.changes
