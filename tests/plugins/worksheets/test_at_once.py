"""Several people write to the same records at the same moment, each through a connection of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, NotFound, apps, documents, locks, transaction
from core.base.errors import AppRestoring, InvalidValue
from core.runs.service import request
from plugins.worksheets import service
from tests.writing import at_once, each

EDITS = 100
SHEET, OTHER = "w_1111111111", "w_2222222222"
A, B, LINK, NUMBER = "f_1111111111", "f_2222222222", "f_3333333333", "f_4444444444"


@pytest.fixture
def sheet(app: App) -> str:
    """The id of an app with a worksheet of two texts, one that points to it, and a record in each."""
    def field(key: str, kind: str = "text", **more: Any) -> dict[str, Any]:
        return {"key": key, "type": kind, "name": key, "options": {}, **more}

    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[
            Document(kind="worksheet", key=SHEET, position=0, body={"name": "One", "fields": [
                field(A), field(B), field(NUMBER, "autonumber")], "views": []}),
            Document(kind="worksheet", key=OTHER, position=1, body={"name": "Two", "fields": [
                field(A), field(B, unique=True), field(LINK, "relationship", options={"target": {"ref": f"worksheet/{SHEET}"}})],
                "views": []})])
        for key in (SHEET, OTHER):
            service.put_record(live, key, None, {A: "first"}, "system")
    return app.id


def put(app_id: str, worksheet: str, seq: int | None, **values: Any) -> int:
    """Write a record in a transaction of its own."""
    with transaction():
        return service.put_record(apps.find(app_id), worksheet, seq, values, "system")


def vals(app_id: str, worksheet: str) -> dict[int, dict[str, Any]]:
    """Return the values of all live records, by number."""
    return {row.seq: json.loads(row.vals) for row in service.all_rows(apps.find(app_id), worksheet)}


def test_edits_of_different_fields_of_one_record_all_stay(server: Flask, organization: str, sheet: str) -> None:
    """Whatever was acknowledged to one writer is still there when the other writes a field beside it."""
    lost: list[tuple[str, int]] = []

    def edit(field: str) -> Callable[[int], None]:
        def one(n: int) -> None:
            put(sheet, SHEET, 1, **{field: f"{n}"})
            if vals(sheet, SHEET)[1].get(field) != f"{n}":
                lost.append((field, n))

        return one

    assert [] == at_once(server, organization, each(EDITS, edit(A)), each(EDITS, edit(B)))
    assert [] == lost
    assert (f"{EDITS - 1}", f"{EDITS - 1}") == (vals(sheet, SHEET)[1][A], vals(sheet, SHEET)[1][B])


def test_a_value_that_must_be_unique_is_given_to_one_record_only(server: Flask, organization: str, sheet: str) -> None:
    """Of two existing records, and of new ones, that are given the same value at once, one gets it."""
    first, second = put(sheet, OTHER, None, **{A: "x"}), put(sheet, OTHER, None, **{A: "y"})

    def give(seq: int | None) -> Callable[[int], None]:
        def one(n: int) -> None:
            with suppress(InvalidValue):
                put(sheet, OTHER, seq, **{B: f"value {n}"})

        return one

    raised = at_once(server, organization, *(each(EDITS // 4, give(seq)) for seq in (first, second, None)))
    assert [] == raised
    held = [found[B] for found in vals(sheet, OTHER).values() if B in found]
    assert len(held) == len(set(held)) and held


def test_numbers_are_given_once_also_where_none_was_given_before(server: Flask, organization: str, sheet: str) -> None:
    """Two who make the first records of a worksheet at once get different numbers, and so do their auto-numbers."""
    raised = at_once(server, organization, *[each(10, lambda n: put(sheet, SHEET, None, **{A: "new"}) and None)] * 3)
    assert [] == raised
    given = vals(sheet, SHEET)
    assert list(range(1, 32)) == sorted(given) == sorted(found[NUMBER] for found in given.values())


def test_what_many_bring_under_the_same_number_is_refused_and_not_replaced(server: Flask, organization: str, sheet: str) -> None:
    """Of two that bring a record of the same number, one is told that it is in use."""
    def bring() -> None:
        with transaction():
            service.put_records(apps.find(sheet), SHEET, [{"seq": 9, "values": {A: "brought"}}], "system")

    raised = at_once(server, organization, bring, bring)
    assert ["invalid_input"] == [getattr(error, "code", str(error)) for error in raised]


def test_nobody_points_to_what_goes_for_good_meanwhile(server: Flask, organization: str, sheet: str) -> None:
    """A record is purged while others point to it: each pointer is refused or goes with it."""
    for _ in range(5):
        seq = put(sheet, SHEET, None, **{A: "to go"})
        with transaction():
            service.delete_record(apps.find(sheet), SHEET, seq, "system")

        def point(seq: int = seq) -> None:
            with suppress(InvalidValue):
                put(sheet, OTHER, 1, **{LINK: [seq], A: f"points to {seq}"})

        def purge(seq: int = seq) -> None:
            with transaction():
                service.purge_record(apps.find(sheet), SHEET, seq, "system")

        assert [] == at_once(server, organization, point, purge)
        assert [] == vals(sheet, OTHER)[1].get(LINK, [])


def test_values_follow_their_field_also_those_that_are_written_meanwhile(server: Flask, organization: str, sheet: str) -> None:
    """While a field goes to the bin and comes back, no value that was acknowledged is lost or left where no field is."""
    kept: list[str] = []

    def write(n: int) -> None:
        try:
            put(sheet, SHEET, 1, **{B: f"{n}"})
            kept.append(f"{n}")
        except InvalidValue:  # the field is in the bin at the moment
            pass

    def hide(n: int) -> None:
        for verb in (documents.hide, documents.bring_back):
            with transaction():
                verb(apps.find(sheet), f"worksheet/{SHEET}/field/{B}", "system")

    put(sheet, SHEET, 1, **{B: "start"})
    assert [] == at_once(server, organization, each(EDITS // 2, write), each(EDITS // 10, hide))
    assert (kept or ["start"])[-1] == vals(sheet, SHEET)[1][B]


def test_a_closing_restore_waits_for_writers_and_turns_later_ones_away(server: Flask, organization: str, sheet: str) -> None:
    """What is acknowledged is acknowledged before the app is closed; afterwards every writer is refused in words."""
    acknowledged: list[int] = []
    closed_at: list[str] = []
    with transaction():
        run = request("restore", apps.find(sheet), {}, "system", send=False).id

    def write() -> None:
        try:
            for n in range(EDITS * 10):
                put(sheet, SHEET, 1, **{A: f"{n}"})
                acknowledged.append(n)
        except AppRestoring:
            pass

    def close() -> None:
        while len(acknowledged) < 5:
            vals(sheet, SHEET)
        locks.close(sheet, run)
        closed_at.append(vals(sheet, SHEET)[1][A])

    assert [] == at_once(server, organization, write, close)
    assert [f"{acknowledged[-1]}"] == closed_at


def test_nobody_writes_to_an_app_that_is_deleted_meanwhile(server: Flask, organization: str, sheet: str) -> None:
    """A writer is before the end of the app, or finds none."""
    def write() -> None:
        with pytest.raises(NotFound):
            for n in range(EDITS * 10):
                put(sheet, SHEET, 1, **{A: f"{n}"})

    def delete() -> None:
        with transaction():
            apps.delete(apps.find(sheet))

    assert [] == at_once(server, organization, write, delete)
