"""Guessing types: what a column becomes, by all its cells."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from plugins.tabular.type_inference import Guess, Verdict


def judged(*cells: Any, hint: str = "", rows: int | None = None) -> Verdict:
    """Return what a column of these cells becomes."""
    guess = Guess(hint)
    for cell in cells:
        if cell is not None and cell != "":
            guess.see(cell)
    return guess.verdict(len(cells) if rows is None else rows)


def values(*cells: Any, hint: str = "") -> list[Any]:
    """Return the values that a column's cells become."""
    verdict = judged(*cells, hint=hint)
    assert verdict.value is not None
    return [verdict.value(cell) for cell in cells]


@pytest.mark.parametrize(("cells", "expected"), [
    (["true", "FALSE", "True"], "checkbox"), (["yes", "no"], "checkbox"), (["y", "n"], "checkbox"), (["yes", "no", "maybe"], "text"),
    (["yes", "true"], "text"), (["y", "y"], "text"),
    (["1", "-2", "0"], "number"), (["1.5", "2"], "number"), ([".5", "-.25"], "number"), (["1e-05"], "number"),
    (["1E5", "2E7"], "text"), (["01234", "12345"], "text"), (["+5"], "text"), (["1,234", "5,678,901"], "number"),
    (["12,50", "1.234,5"], "number"), (["1,234"], "text"), (["9007199254740992"], "text"), (["9007199254740991"], "number"),
    (["0.123456789012345678901"], "text"), (["0.12345678901"], "number"), (["1" * 31 + ".5"], "text"), (["1" * 5000], "long_text"), (["inf"], "text"), (["१२"], "text"),
    (["2026-11-23"], "date"), (["2026-11-23 00:00:00", "2026-11-24"], "date"), (["2026/1/2"], "date"), (["2026-02-30"], "text"),
    (["23/11/2026", "01/02/2026"], "date"), (["11/23/2026", "01/02/2026"], "date"), (["01/02/2026"], "text"),
    (["23/11/2026", "11/23/2026"], "text"), (["1.2.2026"], "date"), (["3 Jan 2026", "23-November-2026"], "date"),
    (["Jan 3, 2026"], "date"), (["23/11/26"], "text"),
    (["2026-11-23T09:30:00Z"], "datetime"), (["2026-11-23 09:30"], "datetime"), (["23/11/2026 9:30 PM"], "datetime"),
    (["01/02/2026 09:30"], "text"), (["2026-11-23 09:30Z", "2026-11-23 09:30"], "text"), (["2026-11-23", "2026-11-23 09:30"], "text"),
    (["0001-01-01T00:00:00+14:00"], "text"), (["2026-11-23T09:30:00.1234567Z"], "text"),
    (["9:30", "23:59:59"], "time"), (["24:00"], "text"), (["30:15:00", "1:00:00"], "duration"),
    (["a@example.org"], "email"), (["a@b"], "text"), (["mailto:a@b.de"], "text"), (["A@B.DE,"], "text"), (["https://example.org/a?b"], "url"), (["javascript:alert(1)"], "text"),
    (["+49 30 123456"], "phone"), (["030 123456"], "text"),
    (["red", "green"] * 4, "single_select"), (["red", "green"] * 3, "text"), (["red"] * 9, "text"),
    (["a\nb"], "long_text"), (["x" * 256], "long_text"), (["x"], "text"), ([], "text"), (["", None], "text"),
])
def test_a_type_fits_all_cells(cells: list[Any], expected: str) -> None:
    """The type is the narrowest that all cells fit without doubt, else text."""
    assert expected == judged(*cells).type


def test_a_column_keeps_just_as_many_decimals_as_it_has() -> None:
    """Decimals are exact text, filled up to the longest."""
    assert ["1.50", "-2.00", "0.25", "123456789012345678901234567890.10"] == values(
        "1.50", "-2", ".25", "123456789012345678901234567890.1")
    assert ["0.00001", "1.50000"] == values("1e-05", "1.5")


def test_what_commas_mean_is_judged_by_the_whole_column() -> None:
    """Thousands and decimals are told apart by any cell that allows one reading only."""
    assert [1234, 1000000] == values("1,234", "1,000,000")
    assert ["1234.50", "0.75"] == values("1.234,5", "0,75")
    assert "could stand before decimals or between thousands" in judged("1,234", "5,678").notes[0]


def test_day_and_month_are_told_apart_by_the_whole_column() -> None:
    """One day above 12 decides for all; none is a doubt, which keeps the text and says so."""
    assert ["2026-02-01", "2026-11-23"] == values("01/02/2026", "23/11/2026")
    assert ["2026-01-02", "2026-11-23"] == values("01/02/2026", "11/23/2026")
    assert ("its dates could be meant day first or month first; it is kept as text",) == judged("01/02/2026").notes


def test_moments_become_utc() -> None:
    """An offset is taken into account; times without one are taken as UTC, and that is told."""
    assert ["2026-11-23T07:30:00Z", "2026-11-23T09:30:00.250000Z"] == values(
        "2026-11-23T09:30:00+02:00", "2026-11-23 09:30:00.25 UTC")
    assert ("its times name no time zone; they are taken as UTC",) == judged("2026-11-23 09:30").notes


def test_lengths_of_time_are_exact_seconds() -> None:
    """Hours, minutes and parts of seconds add up."""
    assert ["108900", "-3600.5"] == values("30:15:00", "-1:00:00.5")


def test_empty_beside_no_is_no_checkbox() -> None:
    """A checkbox cannot tell "no" from nothing, so that such a column stays as it is."""
    assert "text" == judged("yes", "no", "").type
    assert "checkbox" == judged("yes", "yes", "").type
    assert "single_select" == judged(*["yes", "no"] * 4, "").type


def test_marks_of_missing_values_are_empty_and_counted() -> None:
    """NA in a column of numbers is no value, and is told; among texts it is a text."""
    verdict = judged("1", "NA", "NULL", " ")
    assert "number" == verdict.type
    assert ("3 of its cells mean “no value” (NA, NULL and the like); they became empty",) == verdict.notes
    assert ("single_select", ("NA", "x")) == (judged(*["x", "NA"] * 4).type, judged(*["x", "NA"] * 4).choices)


def test_typed_cells_are_judged_like_texts() -> None:
    """Numbers, moments and durations of a workbook or database need no text."""
    assert "number" == judged(1, 2.5, -3.0).type
    assert "number" == judged(0.1 + 0.2).type
    assert "checkbox" == judged(True, False).type
    assert "date" == judged(datetime(2026, 11, 23), date(2026, 11, 24)).type
    assert "datetime" == judged(datetime(2026, 11, 23), datetime(2026, 11, 23, 9)).type
    assert "time" == judged(time(9, 30)).type
    assert "duration" == judged(timedelta(hours=5)).type
    assert "text" == judged(2**60).type
    assert "text" == judged(1, "a").type


def test_a_hint_decides_what_numbers_are() -> None:
    """Numbers in a column that is declared as text are text; 1 and 0 in one of booleans are yes and no."""
    assert "text" == judged("1", "2", hint="text").type
    assert "date" == judged("2026-11-23", hint="text").type
    assert [True, False] == values("1", "0", hint="checkbox")
    assert "number" == judged(1, 0, None, hint="checkbox").type


def test_memory_does_not_follow_the_number_of_values() -> None:
    """Of many different cells only a bounded number is remembered."""
    guess = Guess()
    for number in range(20_000):
        guess.see(f"text {number}")
    assert len(guess.seen) <= 5000
    assert guess.choices is None


@pytest.mark.parametrize(("cells", "told"), [
    (["1.234", "12.500"], True), (["1.234", "5"], True), (["1.234", "0.500"], False), (["1.234", "1234"], False), (["1.234", "1.5"], False),
    (["5", "500"], False)])
def test_numbers_that_can_be_read_two_ways_are_noted(cells: list[str], told: bool) -> None:
    """1.234 may be one and a bit or a thousand and more; where another cell says which, nobody has to be told."""
    assert told == ("could stand between thousands" in " ".join(judged(*cells).notes))
