"""Works the steps of a formula off, with a bound on the work. Nothing here recurses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plugins.worksheets.formula.function import Failure, Function, Surroundings
from plugins.worksheets.formula.parser import Call, Literal, Step
from plugins.worksheets.formula.values import MAX_LIST, CalculationFailed

Read = Callable[[tuple[str, ...]], Any]


def evaluate(steps: Sequence[Step], read: Read, around: Surroundings) -> Any:
    """Return the value of a formula, or a `Failure`.

    Args:
        steps: From `parse`.
        read: Gives the value of a field by its path; may raise CalculationFailed.
        around: Used up by this call.
    """
    stack: list[Any] = []
    try:
        for step in steps:
            if isinstance(step, Literal):
                stack.append(step.value)
            elif isinstance(step, Call):
                arguments = stack[len(stack) - step.count:]
                del stack[len(stack) - step.count:]
                stack.append(_applied(step.function, arguments, around))
            else:
                stack.append(_attempt(read, (step.path,)))
            around.spend(_size(stack[-1]))
    except CalculationFailed as error:
        return Failure(str(error))
    return stack.pop()


def _applied(function: Function, arguments: list[Any], around: Surroundings) -> Any:
    if function.takes_lists:
        return _called(function, arguments, around)
    lengths = {len(argument) for argument in arguments if isinstance(argument, tuple)}
    if not lengths:
        return _called(function, arguments, around)
    length = min(lengths) if len(lengths) == 2 and max(lengths) == 1 else max(lengths)
    if lengths - {1, length}:
        return Failure("the lists are not of one length")
    return _each(function, arguments, length, around)


def _each(function: Function, arguments: list[Any], length: int, around: Surroundings) -> Any:
    """Call for the first items, the second ones and so on; a failure among them is the failure of all."""
    if length > MAX_LIST:
        return Failure("a list is too long")
    found = []
    for place in range(length):
        value = _called(function, [_item(argument, place) for argument in arguments], around)
        if isinstance(value, Failure):
            return value
        around.spend(1 + _size(value))
        found.append(value)
    return tuple(found)


def _item(argument: Any, place: int) -> Any:
    if not isinstance(argument, tuple):
        return argument
    return argument[place if len(argument) > 1 else 0]


def _called(function: Function, arguments: list[Any], around: Surroundings) -> Any:
    if not function.tolerant:
        failed = next((argument for argument in arguments if isinstance(argument, Failure)), None)
        if failed is not None:
            return failed
    # Searching a long text takes time even where the answer is short.
    around.spend(sum(len(argument) for argument in arguments if isinstance(argument, str)) // 100)
    return _attempt(function.call, [around, *arguments] if function.surrounded else arguments)


def _attempt(act: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    try:
        return act(*arguments)
    except CalculationFailed as error:
        return Failure(str(error))
    except (ArithmeticError, ValueError) as error:
        # Decimals, dates and text conversions refuse what is out of their range in their own ways.
        return Failure(f"out of range ({type(error).__name__})")


def _size(value: Any) -> int:
    if isinstance(value, str | tuple):
        return 1 + len(value)
    return 1
