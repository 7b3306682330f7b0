"""Names in attributes that people hear or see: where one stands in a sentence, it turns nothing around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.web.shell import isolated

ROOT = Path(__file__).resolve().parents[1]
ATTRIBUTE = re.compile(r' (?:aria-label|title|alt|data-confirm)="([^"]*\{\{[^"]*)"')
EXPRESSION = re.compile(r"\{\{ (.*?) \}\}")
PLAIN = {
    "action.title", "channel.title", "flag.title", "inbox.unread", "kind.title", "label", "line.entry.at|when|striptags", "line.seq",
    "loop.index", "n", "node.title", "now.year", "plan.title", "step.number", "title",
}
"""Expressions that are numbers, times, or words of Appkeep's own."""
CHOICE = re.compile(r"'[^']*' if .* else '[^']*'")
"""One of two words of a template's own."""


def unmarked(template: str) -> Iterator[str]:
    """Yield the expressions that stand in a sentence in an attribute, and may be a name that is not isolated."""
    for value in ATTRIBUTE.findall(template):
        found = EXPRESSION.findall(value)
        if len(found) > 1 or re.search(r"\w", EXPRESSION.sub("", value)):
            yield from (one for one in found if not one.endswith("|isolated") and one not in PLAIN and not CHOICE.fullmatch(one))


def test_every_name_in_a_sentence_of_an_attribute_is_isolated() -> None:
    """In all templates of the core, the tenants and the plugins; a name alone turns nothing."""
    templates = [path for top in ("templates", "tenants", "plugins") for path in sorted((ROOT / top).rglob("*.html"))]
    assert len(templates) > 100
    assert [] == [f"{path.relative_to(ROOT)}: {one}" for path in templates for one in unmarked(path.read_text())]


@pytest.mark.parametrize(("template", "expected"), [
    ('<a aria-label="Remove {{ one.name }}">', ["one.name"]), ('<a title="{{ a }} {{ label }}">', ["a"]), ('<a title="{{ one.name }}">', []),
    ('<a aria-label="Remove {{ one.name|isolated }}">', []), ("<a aria-label=\"{{ 'On' if x else 'Off' }} {{ y|isolated }}\">", []),
])
def test_a_name_that_is_not_isolated_is_found(template: str, expected: list[str]) -> None:
    """So that the test above can fail."""
    assert expected == list(unmarked(template))


@pytest.mark.parametrize(("name", "expected"), [
    ("Sales", "Sales"), ("שלום", "\u2068שלום\u2069"), ("A سلام 1", "\u2068A سلام 1\u2069"), ("١٢", "\u2068١٢\u2069"), (7, "7"),
    ("\u202eexe\u2069", "exe"), ("ש\u2069\u202e", "\u2068ש\u2069"), ('"ש', "\u2068&#34;ש\u2069"), ('"<', "&#34;&lt;"),
])
def test_a_name_is_isolated_where_it_is_read_from_right_to_left(name: object, expected: str) -> None:
    """What only goes from left to right, as the pages do, stays as it is, also for voice control; nothing in a name ends its isolation."""
    assert expected == isolated(name)
