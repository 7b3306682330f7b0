"""What a stranger's hook gives, compared with what the hook says that it gives: a list that is none breaks no page of anybody else.

Classes are compared by name, as the hooks are annotated with classes of later rooms. Lists are read to their end, so that what a
generator raises is raised here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from core.base.errors import PluginFailed
from core.extension import hookspecs

MOST_ITEMS = 10_000
MOST_CHARS = 100_000
LISTS = ("Iterable[", "Collection[", "Sequence[")
PLAIN: Mapping[str, type] = {"bool": bool, "int": int, "str": str}


def checked(hook: str, given: Any) -> Any:
    """Return what a hook gave, its lists read; None for a hook that gives nothing.

    Raises:
        PluginFailed: it is something else than the hook says.
    """
    wanted = _wanted(hook)
    if wanted == ("None",):
        return None
    if given is None:
        return None
    for form in wanted:
        found = _fitting(form, given)
        if found is not None:
            return found[0]
    raise PluginFailed(f"it gave {_told(given)} where {' | '.join(wanted)} is wanted")


def fits(form: str, value: Any) -> bool:
    """Say whether a value has the form that an annotation names ("Mapping[str, Kind] | None"); what is read once is no sequence."""
    return any(value is None if one == "None" else _fitting(one, value) is not None for one in _split(form, "|"))


def _fitting(form: str, given: Any) -> tuple[Any] | None:
    """Return the value in a tuple where it has the form, else None."""
    if form in PLAIN:
        fits = type(given) is PLAIN[form] and (not isinstance(given, str) or len(given) <= MOST_CHARS)
        return (given,) if fits else None
    if form == "Any":
        return (given,)
    if form.startswith("Callable["):
        return (given,) if callable(given) else None
    if form.startswith("Mapping["):
        return _mapped(_split(_inner(form), ","), given)
    if form.startswith(LISTS):
        return _listed(_inner(form), given) if isinstance(given, Sequence) or not form.startswith("Sequence[") else None
    if form.startswith("tuple["):
        return _tuple(_split(_inner(form), ","), given)
    return (given,) if form.rpartition(".")[2] in {one.__name__ for one in type(given).__mro__} else None


def _mapped(forms: list[str], given: Any) -> tuple[Any] | None:
    if not isinstance(given, Mapping):
        return None
    key, value = forms
    fit = all(_fitting(key, one) is not None and fits(value, other) for one, other in islice(given.items(), MOST_ITEMS))
    return (dict(given),) if fit else None


def _listed(form: str, given: Any) -> tuple[Any] | None:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        return None
    items = list(islice(given, MOST_ITEMS + 1))
    found = [_fitting(form, one) for one in items]
    if len(items) > MOST_ITEMS or None in found:
        return None
    return ([one[0] for one in found if one is not None],)


def _tuple(forms: list[str], given: Any) -> tuple[Any] | None:
    if not isinstance(given, tuple) or len(given) != len(forms):
        return None
    return (given,) if all(_fitting(form, one) is not None for form, one in zip(forms, given, strict=True)) else None


@cache
def _wanted(hook: str) -> tuple[str, ...]:
    """Return the forms that a hook may give, None left out unless it gives nothing else."""
    spec: Callable[..., Any] = getattr(hookspecs, hook)
    forms = _split(str(inspect.signature(spec).return_annotation), "|")
    return tuple(form for form in forms if form != "None") or ("None",)


def _split(text: str, mark: str) -> list[str]:
    """Split an annotation where it is not within brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "[") - (char == "]")
        if char == mark and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _inner(form: str) -> str:
    return form[form.index("[") + 1:-1]


def _told(given: Any) -> str:
    return f"a {type(given).__name__}" if not isinstance(given, list | tuple) else f"a {type(given).__name__} of something else"
