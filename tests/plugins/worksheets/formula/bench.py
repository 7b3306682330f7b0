"""A small world for formulas: one expression calculated with given values, at a fixed moment."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from plugins.worksheets.formula.evaluator import evaluate
from plugins.worksheets.formula.function import Failure, Surroundings
from plugins.worksheets.formula.parser import parse

NOW = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)


def calculated(expression: str, seq: int = 7, **fields: Any) -> Any:
    """Return the value of an expression; the field f_x is given as x=…, f_a.f_b as a_b=…."""
    def read(path: tuple[str, ...]) -> Any:
        return fields["_".join(key.removeprefix("f_") for key in path)]
    return evaluate(parse(expression), read, Surroundings(now=NOW, seq=seq))


def fails(expression: str, **fields: Any) -> bool:
    """Return whether an expression has no value."""
    return isinstance(calculated(expression, **fields), Failure)


def d(digits: str | int) -> Decimal:
    """Return an exact number."""
    return Decimal(digits)
