"""A view as CSV: all of it, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from core.api import harmless
from tests.plugins.worksheets.web.making import PEOPLE, RED, Desk, key_of


def test_a_view_is_taken_as_csv(desk: Desk) -> None:
    """One line a record, more than one page of them, with names for what is pointed to."""
    desk.put(PEOPLE, name="Ada")
    for n in range(60):
        desk.put(text=f"=cmd|{n}", number=-n, single_select=RED, link=[1])
    columns = "&".join(f"show={key_of('f', word)}" for word in ("number", "single_select", "link"))

    answer = desk.owner.get(desk.url(f"/export.csv?columns=chosen&{columns}"), buffered=True)
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))

    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert rows[0] == ["Record", "text", "number", "single_select", "link"]
    assert len(rows) == 61
    assert rows[2] == ["2", "'=cmd|1", "-1", "Red", "Ada"]


def test_only_what_could_run_is_marked() -> None:
    """Numbers stay numbers."""
    assert [harmless(text) for text in ("=1", "+1", "-1", "-1.5", "-x", "@a", "\tx", "a=b", "", " a", "-1e5", "1-2")] == [
        "'=1", "'+1", "-1", "-1.5", "'-x", "'@a", "'\tx", "a=b", "", " a", "-1e5", "1-2"]
