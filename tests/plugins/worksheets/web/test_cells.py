"""How values look: each type, and values of another form than their type."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from plugins.worksheets.web.cells import CELLS
from plugins.worksheets.web.cells.choices import hue_of
from plugins.worksheets.web.cells.numbers import duration_text, grouped
from plugins.worksheets.web.cells.text import link, rich
from tests.plugins.worksheets.web.making import FIELDS


def test_every_type_of_worksheets_has_a_cell(sqlite_server: Flask) -> None:
    """The fields of docs/fields.md; layout items have no value to show."""
    from core.api import server

    layout = {"section", "divider", "remark", "barcode", "embed"}
    assert set(server().registry.field_types) - layout <= set(CELLS)
    assert {one["type"] for one in FIELDS} - layout <= set(CELLS)


def test_numbers_are_easy_to_read() -> None:
    """Commas between thousands; what is no number stays as it is."""
    assert [grouped(value) for value in (1234567, "-1234.50", "0.10", "abc", -5)] == ["1,234,567", "−1,234.50", "0.10", "abc", "−5"]


def test_durations_are_hours_minutes_seconds() -> None:
    """Below zero, and parts of a second too."""
    assert [duration_text(value) for value in (0, 5400, -61, "90.5", None)] == ["0:00:00", "1:30:00", "-0:01:01", "0:01:30.5", ""]


def test_colours_from_outside_become_a_hue_or_nothing() -> None:
    """Names in any shade, hex numbers; greys and garbage have none."""
    assert hue_of("dark-blue") == hue_of("blue") == 214
    assert hue_of("#ff0000") == 0
    assert [hue_of(colour) for colour in ("light-gray", "#808080", "", "red;}", "\"><script>")] == [None, None, None, 4, None]


@pytest.mark.parametrize("text", ["<script>x</script>", "<img src=x onerror=y>", "[a](javascript:x)", "<a href='javascript:x'>a</a>",
                                  "<svg onload=x>", "<style>*{}</style>", "<p style='position:fixed'>", "<form action=//e>", "<iframe src=//e>"])
def test_rich_text_runs_nothing(text: str) -> None:
    """Neither as Markdown nor as HTML."""
    for form in ("markdown", "html"):
        html = str(rich(text, form))
        tags = "".join(re.findall(r"<[^>]*>", html))  # what is escaped is text
        assert not any(word in tags for word in ("<script", "<img", "<svg", "<style", "style=", "<form", "<iframe", 'href="javascript'))


def test_only_addresses_that_open_safely_are_links() -> None:
    """All else stays a text."""
    assert "href" in link("https://example.org", "x")
    assert "href" not in link("javascript:alert(1)", "x")
    assert "href" not in link("data:text/html,x", "x")
