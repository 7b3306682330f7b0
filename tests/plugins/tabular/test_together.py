"""Cells that are looked at together tell of their column what they tell one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from plugins.tabular.portions import portions
from plugins.tabular.type_inference import BY_HINT, READINGS, Guess, Misfit, Verdict

CELLS = st.sampled_from([
    "1", "12", "1234", "0", "007", "-5", "1.5", "1.50", "1,234", "1.234", "1e+3", "NA", "-", " 3 ", "yes", "no", "true", "TRUE", "2026-01-02",
    "2026/1/2", "23/11/2026", "11/23/2026", "1/2/2026", "23.11.2026", "3 Nov 2026", "2026-01-02 10:00", "2026-01-02T10:00:00Z", "9:30", "30:15:00",
    "a@b.de", "https://x.org", "+49 30 1234567", "x", "a\nb", "y" * 300, "x" * 61]) | st.text(min_size=1, max_size=4)
ALIKE = [["0", "5", "12", "1234", "123456"], ["1.5", "12.50", "0.10", "1234.567", "9.1234567"], ["1,5", "1", "2,25"], ["a@b.de", "c@d.org", "@"],
         ["2026-01-02", "2024-02-29", "2026-02-29"], ["2026-01-02T10:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02 10:00"],
         ["https://x.org", "ftp://y"], ["+49 30 1234567", "+1 555 0000", "+49"]]
"""Cells of which columns are often full; the last of each does not fit, or fits otherwise."""
COLUMNS = st.lists(CELLS | st.sampled_from([3, 2.5, True, date(2026, 1, 2)]), min_size=1, max_size=8) | st.sampled_from(ALIKE).flatmap(
    lambda texts: st.lists(st.sampled_from(texts) | st.sampled_from(texts[:-1]), min_size=1, max_size=8))


def told(guess: Guess, rows: int) -> Any:
    """Return all that a guess says of its column; what reads a text is compared by what it makes of some."""
    try:
        verdict: Verdict | str = guess.verdict(rows)
    except Misfit:  # which of the texts is named may differ
        verdict = "misfit"
    if isinstance(verdict, Verdict):
        read = verdict.value
        values = [] if read is None else [read(text) for text in ("5", "2026-01-02", "true") if guess.forms and guess.forms[0].fits(text)]
        return replace(verdict, value=None), values, guess.filled, guess.marks, guess.long
    return verdict, guess.filled, guess.marks, guess.long


@example([["1", "2"], ["1,5"]], "", True, "")
@example([["2026-01-02"], ["2026-02-30"]], "", False, "")
@given(st.lists(COLUMNS, max_size=4), st.sampled_from(list(BY_HINT)), st.booleans(),
       st.sampled_from(["", "", *READINGS]))
def test_together_is_one_by_one(columns: list[list[Any]], hint: str, commas: bool, asked: str) -> None:
    """Whatever the cells, in whatever portions."""
    alone, together = Guess(hint, commas=commas, asked=asked), Guess(hint, commas=commas, asked=asked)
    for column in columns:
        together.see_all(column)
        for cell in column:
            alone.see(cell)
    rows = sum(map(len, columns)) + 1
    assert told(alone, rows) == told(together, rows)


def test_portions_are_short_where_texts_are_long() -> None:
    """Memory follows neither the number of rows nor their texts, and no row is lost."""
    few, many = [["x" * 300_000, 1]] * 9, [["x", None]] * 25
    assert [len(some) for some in portions(few, 10)] == [4, 4, 1]
    assert [len(some) for some in portions(many, 10)] == [10, 10, 5]
    assert list(portions([], 10)) == []
    assert [len(some) for some in portions([[b"x" * 600_000, "a"]] * 5, 10)] == [2, 2, 1]
