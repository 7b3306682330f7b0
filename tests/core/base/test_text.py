"""Texts as people read them, and names that look like what they are."""

from __future__ import annotations

import pytest

from core.base.errors import InvalidInput
from core.base.text import checked_line, straight
from core.web.files import safe_name
from core.web.shell import dated


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\x7fb", "Sal\u202ees", "\u2066Sales", "Sales\u2069"])
def test_a_line_is_refused_where_it_is_none(name: str) -> None:
    """Empty, too long, or with a character that controls or turns what follows."""
    with pytest.raises(InvalidInput, match="Enter a role name of 1 to 100 characters"):
        checked_line(name, 100, "a role name")


@pytest.mark.parametrize("name", ["Sales", "x" * 100, "שלום", "a\u200db", "👩‍💻"])
def test_names_of_any_script_are_taken_as_they_are(name: str) -> None:
    """Joiners belong to some of them."""
    assert name == checked_line(name, 100) == straight(name)


def test_a_name_in_a_sentence_turns_nothing_else() -> None:
    """Sentences that pages show, and names of files that are uploaded."""
    assert "“exe.txt” was deleted." == dated("“\u202eexe.txt” was deleted.")
    assert "invoicefdp.exe" == safe_name("invoice\u202efdp.exe")
