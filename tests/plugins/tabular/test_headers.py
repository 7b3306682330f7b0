"""Headers: the row that names the columns is found, whatever stands in it or above it, and can be said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import Corrections, ImportFailed
from plugins.tabular.headers import header_of
from tests.conftest import made_organization
from tests.plugins.tabular.reading import bring_in, reasons


@pytest.mark.parametrize(("rows", "expected"), [
    ([["name", "2021", "2022"], ["a", "5", "6"], ["b", "7", "8"]], 0),
    ([["name", "2022", "2021"], ["a", "5", "6"]], 0),
    ([["name", datetime(2026, 1, 1), datetime(2026, 2, 1)], ["a", 5, 6]], 0),
    ([["name", "2023", "qty"], ["a", "5", "6"]], 0),
    ([["", "0", "1", "2"], ["0", "5", "6", "7"], ["1", "5", "6", "9"]], 0),
    ([["", "name", "city"], ["0", "Ann", "Oslo"], ["1", "Bob", "Rome"]], 0),
    ([["", "wt", "cyl"], ["Lada", "2.6", "4"], ["Saab", "2.8", "6"]], 0),
    ([["Name", "Tag", "Tag"], ["Alpha", "red", "round"], ["Beta", "blue", "square"]], 0),
    ([["Report"], ["Region", "Units"], ["North", "1"], ["South", "2"]], 1),
    ([["Report", "", ""], ["as of May"], ["Region", "Units", "Day"], ["North", "1", "2026-01-01"], ["South", "2", "2026-01-02"]], 2),
    ([["# made today"], ["# EUR"], ["id", "name"], ["1", "Ann"]], 2),
    ([["#", "name"], ["1", "Ann"], ["2", "Bob"]], 0),
    ([["North", "5", "6"], ["South", "7", "8"]], None),
    ([["1", "Ann"], ["2", "Bob"]], None),
    ([["2021", "5"], ["2022", "6"]], None),
    ([["a@example.org", "5"], ["b@example.org", "6"]], None),
    ([["red", "red", "x"], ["blue", "red", "y"]], None),
    ([["1990-01-01", "5"], ["1990-01-02", "6"]], None),
])
def test_the_row_of_names_is_found(rows: list[list[Any]], expected: int | None) -> None:
    """Years, moments, a blank first name, names alike, titles and comments hide no header; values are none."""
    assert expected == header_of(rows)


def test_what_stands_above_is_told(sqlite_server: Flask, tmp_path: Path) -> None:
    """Titles and comments are passed over and named, so that nothing is dropped in silence."""
    path = tmp_path / "sales.csv"
    path.write_text("# exported today\nQuarterly sales,,\n\nRegion,Units,Day\nNorth,1,2026-01-01\nSouth,12,2026-01-02\nWest,3,2026-01-03\n")
    with made_organization("Example") as organization:
        result, sheets = bring_in(path, organization)
        assert {"Region": "text", "Units": "number", "Day": "date"} == sheets["sales"].types
        assert 3 == len(sheets["sales"].records)
        assert "passed over: “# exported today”" in reasons(result)
        assert "passed over: “Quarterly sales”" in reasons(result)


def test_a_file_without_names_says_so(sqlite_server: Flask, tmp_path: Path) -> None:
    """Where the first row was taken as a record, a note says it."""
    path = tmp_path / "plain.csv"
    path.write_text("North,5\nSouth,6\n")
    with made_organization("Example") as organization:
        result, sheets = bring_in(path, organization)
        assert [{"Column 1": "North", "Column 2": 5}, {"Column 1": "South", "Column 2": 6}] == sheets["plain"].records
        assert "no row was found that names the columns" in reasons(result)


def test_the_row_of_names_can_be_said(sqlite_server: Flask, tmp_path: Path) -> None:
    """A number counts rows of the file, blank ones too; 0 says that there is none; another row is refused with the first that counts."""
    path = tmp_path / "sales.csv"
    path.write_text("5,North\n\nUnits,Region\n6,South\n")
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization, corrections=Corrections(header={"": 3}))
        assert [{"Units": 6, "Region": "South"}] == sheets["sales"].records
        _, sheets = bring_in(path, organization, corrections=Corrections(header={"": 0}))
        assert ["5", "Units", "6"] == sheets["sales"].column("Column 1")
        with pytest.raises(ImportFailed, match="Row 2 of “sales” is empty or missing"):
            bring_in(path, organization, corrections=Corrections(header={"": 2}))
