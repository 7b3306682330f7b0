"""Functions of formulas that other plugins bring, what stands for those of plugins that are not here, and whose names are taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

from flask import has_app_context

from core.api import FormulaFunction, TookTooLong, bounded, budget, is_passing, server
from plugins.worksheets.formula.function import Function
from plugins.worksheets.formula.functions import FUNCTIONS
from plugins.worksheets.formula.values import MAX_TEXT, CalculationFailed

CALL_S = 2
"""A call that takes longer is interrupted and gives no value."""
GIVEN = (str, bool, Decimal, date, datetime, time)


def brought(name: str) -> Function | None:
    """Return the function of that name that another plugin brings."""
    if not has_app_context():  # a formula by itself, which only Appkeep's own functions can be in
        return None
    found = server().registry.formula_functions.get(name)
    return None if found is None else Function(
        name=found.name, call=partial(_called, found), least=found.least, most=found.most, usage=found.usage, says=found.says)


def missing(name: str) -> Function:
    """Return what stands for a function that nothing here brings: it has no value."""
    return Function(name=name, call=partial(_fail, name), least=0, most=255, usage=f"{name}(…)", says="")


def all_brought() -> tuple[Function, ...]:
    """Return all functions that other plugins bring, by name."""
    return tuple(one for name in sorted(server().registry.formula_functions.keys() - FUNCTIONS) if (one := brought(name)) is not None)


def own() -> Iterator[FormulaFunction]:
    """Give Appkeep's own functions as a plugin's are given: their names are taken, and nothing calls them by this."""
    for one in FUNCTIONS.values():
        yield FormulaFunction(name=one.name, usage=one.usage, says=one.says, call=one.call, least=one.least, most=one.most)


def _called(function: FormulaFunction, *arguments: Any) -> Any:
    try:
        given = bounded(CALL_S, function.call, arguments)
    except TookTooLong as error:
        budget.spend(CALL_S * 1_000_000)
        raise CalculationFailed(f"{function.name} takes too long") from error
    except Exception as error:
        # A stranger's code may raise anything.
        if is_passing(error):
            raise
        raise CalculationFailed(f"{function.name} failed: {error}") from error
    given = Decimal(given) if type(given) is int else given
    if given is not None and not isinstance(given, GIVEN):
        raise CalculationFailed(f"{function.name} gives a {type(given).__name__}")
    if isinstance(given, str) and len(given) > MAX_TEXT:
        raise CalculationFailed(f"{function.name} gives too long a text")
    return given


def _fail(name: str, *_: Any) -> Any:
    raise CalculationFailed(f"no plugin on this server brings the function {name}")
