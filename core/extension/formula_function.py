"""FormulaFunction: what a plugin adds to the language of formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaFunction:
    """A function of single values. `call` gets and gives what formulas calculate with.

    That is None, str, bool, decimal.Decimal, datetime.date, datetime.datetime (with a time zone) and datetime.time; a list in place of
    a value calls it for each item. It is pure and quick: it is called for each record that is shown. What it raises, and what it gives
    of another type, is no value in that record.

    Args:
        name: In small letters, as it stands in formulas, where nothing else is called so: "initials".
        usage: How it is written: "initials(text)".
        says: What it gives, as a sentence for people.
        least: The fewest arguments that it takes, and *most* the most.
    """

    name: str
    usage: str
    says: str
    call: Callable[..., Any]
    least: int = 1
    most: int = 1
