"""What a stranger's hook gives, compared with what the hook says that it gives: a list that is none breaks no page of anybody else.

Classes are compared by name, as the hooks are annotated with classes of later rooms. Lists are read to their end, so that what a
generator raises is raised here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import islice
from typing import Any

from core.base.errors import PluginFailed
from core.base.text import is_encodable
from core.extension import hookspecs

MOST_ITEMS = 10_000
TEXTS: Mapping[str, int] = {"str": 100_000, "Markup": 500_000}
"""The most characters of a text, by its form; a text in place of HTML is shown as it is written."""
LISTS = ("Iterable[", "Collection[", "Sequence[", "frozenset[")
PLAIN: Mapping[str, type] = {"bool": bool, "int": int}


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
            if not hook.startswith("register_"):  # those are judged where a plugin is loaded
                _refuse_wrong(found[0])
            return found[0]
    raise PluginFailed(f"it gave {_told(given)} where {' | '.join(wanted)} is wanted")


def fits(form: str, value: Any) -> bool:
    """Say whether a value has the form that an annotation names ("Mapping[str, Kind] | None"); what is read once is no sequence."""
    return _fitting(form, value) is not None


def _refuse_wrong(given: Any) -> None:
    """Refuse what has an attribute of another form than its class says: where it is shown, it would break the page.

    Raises:
        PluginFailed: with the attribute.
    """
    if isinstance(given, list | tuple):
        for one in given:
            _refuse_wrong(one)
    classes: tuple[type, ...] = type(given).__mro__
    if is_dataclass(given) and any(one.__module__.startswith("core.") for one in classes):
        for one in fields(given):
            value = getattr(given, one.name)
            if not fits(str(one.type), value):
                raise PluginFailed(f"it gave a {type(given).__name__} whose “{one.name}” is {value!r:.60}, which should be {one.type}")
            _refuse_wrong(value)


def _fitting(form: str, given: Any) -> tuple[Any] | None:
    """Return the value in a tuple where it has the form, else None."""
    if len(forms := _split(form, "|")) > 1:
        return next((found for one in forms if (found := _fitting(one, given)) is not None), None)
    if form == "None":
        return (None,) if given is None else None
    if form in TEXTS:
        return (given,) if isinstance(given, str) and len(given) <= TEXTS[form] and is_encodable(given) else None
    if form in PLAIN:
        return (given,) if type(given) is PLAIN[form] else None
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
    fit = all(fits(key, one) and fits(value, other) for one, other in islice(given.items(), MOST_ITEMS))
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
    return (given,) if all(fits(form, one) for form, one in zip(forms, given, strict=True)) else None


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
