"""Functions of truth: choosing, comparing, and dealing with what is blank or has failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.worksheets.formula.arithmetic import compare, equal
from plugins.worksheets.formula.function import MANY, Failure, Function
from plugins.worksheets.formula.values import NAN, blank, items, truth


def _choose(condition: Any, yes: Any, no: Any = None) -> Any:
    if isinstance(condition, Failure):
        return condition
    if isinstance(condition, tuple):
        return tuple(_at(yes if truth(each) else no, place) for place, each in enumerate(condition))
    return yes if truth(condition) else no


def _at(value: Any, place: int) -> Any:
    if not isinstance(value, tuple):
        return value
    return value[place] if place < len(value) else None


def _switch(value: Any, *cases: Any) -> Any:
    """Go through pairs of a case and its result; one more at the end is the default."""
    for place in range(0, len(cases) - 1, 2):
        if not isinstance(cases[place], Failure) and equal(value, cases[place]):
            return cases[place + 1]
    return cases[-1] if len(cases) % 2 else None


def _tolerant_switch(value: Any, *cases: Any) -> Any:
    return value if isinstance(value, Failure) else _switch(value, *cases)


def _ordered(test: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    def ask(left: Any, right: Any) -> bool:
        order = compare(left, right)
        return order is not None and test(order)
    return ask


def _is_nan(value: Any) -> bool:
    return value is NAN or (not isinstance(value, Failure) and value != value)


LOGIC = (
    Function("if", _choose, 2, 3, "if(condition, then, else)", "One of two values, by a condition.",
             takes_lists=True, tolerant=True),
    Function("switch", _tolerant_switch, 3, MANY, "switch(value, case, result, …, default)",
             "The result beside the case that equals the value.", tolerant=True, takes_lists=True),
    Function("and", lambda *values: all(map(truth, values)), 1, MANY, "and(a, b, …)", "Whether all are true."),
    Function("or", lambda *values: any(map(truth, values)), 1, MANY, "or(a, b, …)", "Whether one at least is true."),
    Function("xor", lambda *values: sum(map(truth, values)) % 2 == 1, 1, MANY, "xor(a, b, …)",
             "Whether an odd number of them are true."),
    Function("not", lambda value: not truth(value), 1, 1, "not(a)", "The opposite."),
    Function("equal", equal, 2, 2, "equal(a, b)", "Whether both are the same; `a = b`."),
    Function("not_equal", lambda a, b: not equal(a, b), 2, 2, "not_equal(a, b)", "Whether they differ; `a != b`."),
    Function("greater_than", _ordered(lambda order: order > 0), 2, 2, "greater_than(a, b)", "`a > b`."),
    Function("greater_than_or_equal", _ordered(lambda order: order >= 0), 2, 2, "greater_than_or_equal(a, b)",
             "`a >= b`."),
    Function("less_than", _ordered(lambda order: order < 0), 2, 2, "less_than(a, b)", "`a < b`."),
    Function("less_than_or_equal", _ordered(lambda order: order <= 0), 2, 2, "less_than_or_equal(a, b)", "`a <= b`."),
    Function("isblank", blank, 1, 1, "isblank(a)", "Whether there is no value, or empty text.", takes_lists=True),
    Function("is_null", lambda value: value is None, 1, 1, "is_null(a)", "Whether there is no value."),
    Function("when_empty", lambda value, other: other if blank(value) else value, 2, 2, "when_empty(a, other)",
             "The value, or another in place of a blank one.", takes_lists=True),
    Function("coalesce", lambda *values: next((v for v in values if not blank(v)), None), 1, MANY,
             "coalesce(a, b, …)", "The first that is not blank.", takes_lists=True),
    Function("is_error", lambda value: isinstance(value, Failure), 1, 1, "is_error(a)",
             "Whether it could not be calculated.", takes_lists=True, tolerant=True),
    Function("if_error", lambda value, other: other if isinstance(value, Failure) or _is_nan(value) else value, 2, 2,
             "if_error(a, other)", "The value, or another when it could not be calculated.",
             takes_lists=True, tolerant=True),
    Function("error_to_null", lambda value: None if isinstance(value, Failure) else value, 1, 1, "error_to_null(a)",
             "Blank in place of an error.", takes_lists=True, tolerant=True),
    Function("error_to_nan", lambda value: NAN if isinstance(value, Failure) else value, 1, 1, "error_to_nan(a)",
             "Not a number in place of an error.", takes_lists=True, tolerant=True),
    Function("is_nan", _is_nan, 1, 1, "is_nan(a)", "Whether it is not a number, such as 1 / 0."),
    Function("when_nan", lambda value, other: other if _is_nan(value) else value, 2, 2, "when_nan(a, other)",
             "The value, or another in place of not a number."),
    Function("any", lambda values: any(map(truth, items(values))), 1, 1, "any(list)",
             "Whether one of a list is true.", takes_lists=True),
    Function("every", lambda values: all(map(truth, items(values))), 1, 1, "every(list)",
             "Whether all of a list are true.", takes_lists=True),
)
