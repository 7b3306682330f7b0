"""Functions of lists: what a link brings, what several choices are, and what `filter` leaves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from plugins.worksheets.formula.arithmetic import ROUGH, add, compare, divide, trimmed
from plugins.worksheets.formula.function import Function, Surroundings
from plugins.worksheets.formula.values import (
    EXACT,
    MAX_TEXT,
    CalculationFailed,
    Span,
    bounded,
    items,
    leaves,
    number,
    text,
    truth,
    whole,
)


def total(values: Any) -> Any:
    """Return the sum of what is not blank in a list: a number, or a length of time."""
    found = list(leaves(values))
    if any(isinstance(value, Span) for value in found):
        result: Any = Span()
        for value in found:
            result = add(result, value)
        return result
    amount = Decimal(0)
    for value in found:
        amount = EXACT.add(amount, number(value))
    return amount


def mean(values: Any) -> Any:
    """Return the average of what is not blank in a list; None when there is nothing."""
    count = sum(1 for _ in leaves(values))
    return divide(total(values), Decimal(count)) if count else None


def greatest(values: Any) -> Any:
    """Return the greatest of what is not blank in a list; None when there is nothing."""
    return _furthest(values, 1)


def least(values: Any) -> Any:
    """Return the least of what is not blank in a list; None when there is nothing."""
    return _furthest(values, -1)


def _furthest(values: Any, direction: int) -> Any:
    best = None
    for value in leaves(values):
        if best is None or compare(value, best) == direction:
            best = value
    return best


def count(values: Any) -> Decimal:
    """Return how many items a list has, blank ones too."""
    return Decimal(len(items(values)))


def _variance(values: Any, *, sample: bool) -> Decimal | None:
    numbers = [number(value) for value in leaves(values)]
    if len(numbers) <= sample:
        return None
    middle = ROUGH.divide(total(tuple(numbers)), Decimal(len(numbers)))
    squares = Decimal(0)
    for each in numbers:
        distance = EXACT.subtract(each, middle)
        squares = EXACT.add(squares, EXACT.multiply(distance, distance))
    return trimmed(ROUGH.divide(squares, Decimal(len(numbers) - sample)))


def _spread(*, sample: bool) -> Callable[[Any], Decimal | None]:
    def calculate(values: Any) -> Decimal | None:
        variance = _variance(values, sample=sample)
        return None if variance is None else trimmed(ROUGH.sqrt(variance))
    return calculate


def join(values: Any, separator: Any = ", ") -> str:
    """Return the items of a list as one text, blank ones as empty text."""
    shown, between, size = [], text(separator), 0
    for value in items(values):
        shown.append(text(value))
        size += len(shown[-1]) + len(between)
        if size > 2 * MAX_TEXT:
            raise CalculationFailed("a text becomes too long")
    return bounded(between.join(shown))


def unique(values: Any) -> tuple[Any, ...]:
    """Return a list with each item once, at its first place."""
    found: dict[Any, Any] = {}
    for value in items(values):
        found.setdefault(_identity(value), value)
    return tuple(found.values())


def _identity(value: Any) -> Any:
    return (type(value), text(value)) if isinstance(value, tuple | Decimal) else value


def _filter(values: Any, conditions: Any) -> tuple[Any, ...]:
    given = items(values)
    kept = conditions if isinstance(conditions, tuple) else (conditions,) * len(given)
    if len(kept) != len(given):
        raise CalculationFailed("the lists are not of one length")
    return tuple(value for value, keep in zip(given, kept, strict=True) if truth(keep))


def _index(values: Any, place: Any) -> Any:
    given, position = items(values), whole(place)
    return given[position] if -len(given) <= position < len(given) else None


def _has_option(values: Any, option: Any) -> bool:
    wanted = text(option)
    return any(text(value) == wanted for value in leaves(values))


def _slice(values: Any, start: Any, end: Any = None) -> tuple[Any, ...]:
    given = items(values)
    return given[whole(start, 0):len(given) if end is None else whole(end, 0)]


def _sorted(around: Surroundings, values: Any) -> tuple[Any, ...]:
    around.spend(20 * len(items(values)))
    return tuple(sorted(leaves(values), key=cmp_to_key(lambda a, b: compare(a, b) or 0)))


def _list(name: str, call: Callable[..., Any], usage: str, says: str, least_count: int = 1, most: int = 1) -> Function:
    return Function(name, call, least_count, most, usage, says, takes_lists=True)


LISTS = (
    _list("count", count, "count(list)", "How many items, blank ones too."),
    _list("count_filled", lambda values: Decimal(sum(1 for _ in leaves(values))), "count_filled(list)",
          "How many items that are not blank."),
    _list("sum", total, "sum(list)", "The sum."),
    _list("avg", mean, "avg(list)", "The average."),
    _list("min", least, "min(list)", "The least."),
    _list("max", greatest, "max(list)", "The greatest."),
    _list("variance_pop", lambda values: _variance(values, sample=False), "variance_pop(list)",
          "The variance of a whole population."),
    _list("variance_sample", lambda values: _variance(values, sample=True), "variance_sample(list)",
          "The variance of a sample."),
    _list("stddev_pop", _spread(sample=False), "stddev_pop(list)", "The standard deviation of a whole population."),
    _list("stddev_sample", _spread(sample=True), "stddev_sample(list)", "The standard deviation of a sample."),
    _list("join", join, "join(list, separator)", "All items as one text.", 1, 2),
    _list("filter", _filter, "filter(list, conditions)",
          "The items whose condition is true, such as `filter({f_a.f_b}, {f_a.f_c} > 2)`.", 2, 2),
    _list("array_unique", unique, "array_unique(list)", "Each item once."),
    Function("array_sort", _sorted, 1, 1, "array_sort(list)", "In order, without blank ones.",
             takes_lists=True, surrounded=True),
    _list("array_slice", _slice, "array_slice(list, start, end)", "The items from one place up to another, from 0.",
          2, 3),
    _list("first", lambda values: _index(values, 0), "first(list)", "The first item."),
    _list("last", lambda values: _index(values, -1), "last(list)", "The last item."),
    _list("index", _index, "index(list, place)", "One item; the first is 0, the last -1.", 2, 2),
    _list("has_option", _has_option, "has_option(list, name)", "Whether an item has that name.", 2, 2),
)
