"""Plans for people: names instead of keys, words instead of JSON, long lists cut and counted."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from core.extension.data_report import LostReference
from core.web.backups import report_view
from core.web.backups.report_view import Change, change, place, tell, value_text

NAMES = {"f_1111111111": "Amount", "c_1111111111": "Open", "w_1111111111": "Deals"}


@pytest.mark.parametrize(("at", "expected"), [
    ("/body/name", "name"),
    ("/body/fields/f_1111111111/title_text", "field “Amount”: title text"),
    ("/body/fields/f_1111111111/options/choices/c_1111111111/name", "field “Amount”, choice “Open”: name"),
    ("/body/fields/f_9999999999/name", "a deleted field: name"),
    ("/body/fields (order)", "fields: order"),
    ("/position", "position"),
    ("/", "all of it"),
])
def test_a_place_is_told_in_names(sqlite_server: Flask, at: str, expected: str) -> None:
    """Step by step; what nobody knows by name is told by its kind, never by its key."""
    assert expected == place(at, NAMES)


@pytest.mark.parametrize(("value", "expected"), [
    (True, "yes"), (False, "no"), (3, "3"), ("text", "text"), ("", "nothing"), ([], "nothing"), ({}, "{}"),
    ({"ref": "worksheet/w_1111111111/field/f_1111111111"}, "Amount"), ({"ref": "page/p_9999999999"}, "a deleted page"),
    (["f_1111111111", "b"], "Amount, b"), (list("abcdefgh"), "a, b, c, d, e, f and 2 more"),
    ({"key": "x", "name": "Named", "type": "text"}, "Named"), ({"min_value": 1, "unique": True, "empty": None}, "min value: 1; unique: yes"),
])
def test_a_value_is_told_in_words(sqlite_server: Flask, value: Any, expected: str) -> None:
    """Whatever JSON it is."""
    assert expected == value_text(value, NAMES)


def test_a_long_value_is_cut(sqlite_server: Flask) -> None:
    """So that a page stays a page."""
    assert report_view.MAX_VALUE_CHARS == len(value_text("x" * 5000, {})) and value_text("x" * 5000, {}).endswith("…")


def test_what_comes_or_goes_is_called_by_its_own_name(sqlite_server: Flask) -> None:
    """Also where nothing else knows its key."""
    added = change({"at": "/body/fields/f_8888888888", "before": None, "after": {"key": "f_8888888888", "name": "New"}}, NAMES)
    assert Change("field “New”", None, "") == added
    gone = change({"at": "/body/fields/f_8888888888", "before": {"key": "f_8888888888", "name": "Old"}, "after": None}, NAMES)
    assert Change("field “Old”", "", None) == gone


def test_very_many_are_cut_and_counted(sqlite_server: Flask) -> None:
    """Documents and references alike."""
    many = [{"document": f"page/p_{n:010d}", "name": f"Page {n}"} for n in range(1000)]
    lost = [{"worksheet": "w_1111111111", "record": n, "field": "f_1111111111", "target": "w_1111111111/record/5", "reason": "gone"}
            for n in range(1000)]
    data = {"references_not_restored": lost, "references_not_restored_count": 5000}
    pages, sheets = tell({"pages": {"documents": {"hidden": many, "unchanged": 3}}, "worksheets": {"data": data}}, NAMES, done=False)
    assert (1000, report_view.MAX_SHOWN, 3) == (pages.groups[0].count, len(pages.groups[0].items), pages.unchanged)
    assert (5000, report_view.MAX_REFERENCES) == (sheets.lost_count, len(sheets.lost))
    assert LostReference(collection="Deals", record=0, field="Amount", target="Deals record 5", reason="gone") == sheets.lost[0]


def test_clashes_and_what_is_left_are_sentences(sqlite_server: Flask) -> None:
    """With names and numbers."""
    where = {"worksheet": "w_1111111111", "field": "f_1111111111"}
    data = {"clashes": [{**where, "value": "A-1", "records": 2}], "fields_left": [{**where, "records": 7, "reason": "the field is of type text now"}],
            "skipped": [{"worksheet": "w_1111111111", "records": 3, "reason": "the worksheet is not there"}]}
    (sheets,) = tell({"worksheets": {"data": data, "notes": {"values_moved": 4}}}, NAMES, done=True)
    assert ["“A-1” is in 2 records of Deals › Amount, which must be unique. All of them were kept.",
            "Deals › Amount stays unchanged in 7 records: the field is of type text now.",
            "3 records of Deals are skipped: the worksheet is not there."] == sheets.rest
    assert ["4 values moved"] == sheets.notes and sheets.writes


def test_no_key_is_told_of_what_has_no_name_any_more(sqlite_server: Flask) -> None:
    """A worksheet that neither the app nor the backup knows: "35 records of a deleted worksheet"."""
    data = {"skipped": [{"worksheet": "w_Activities", "records": 35, "reason": "the worksheet is not there"}]}
    (sheets,) = tell({"worksheets": {"data": data}}, {}, done=False)
    assert ["35 records of a deleted worksheet are skipped: the worksheet is not there."] == sheets.rest
