"""Values and conditions of a run: what a step's fields, templates and comparisons come to, as JSON and as texts. Asks by a `World`; pure.

A template that is nothing but one hole "{0}" keeps the value as it is; any other becomes a text. Values of fields are those that the
record has now; what it was before the change that triggered the run is asked for apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from core.api import InvalidInput

HOLE = re.compile(r"\{(\d{1,3})\}")
MOST_CHARS = 100_000
MOST_DEPTH = 20
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?\Z")
DATES = ("date", "datetime", "created_time", "modified_time")
NUMERIC = ("number", "currency", "percent", "rating", "autonumber", "duration", "formula", "rollup", "count")
COMPUTED = ("formula", "lookup", "rollup")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """A field's value: as records store it, as people read it, and the type of its field with what it points to."""

    value: Any
    text: str
    type: str
    target: str = ""


class World(Protocol):
    """What a run can ask for."""

    def field(self, ref: str, step: str | None, before: bool) -> Read:
        """Return a field's value, of the run's record or of a step's."""

    def result(self, step: str) -> Any:
        """Return what a step found, None where it did not run."""

    def cause(self) -> Any:
        """Return what triggered the run: "body" is what was sent, where it was called from outside."""

    def calculated(self, formula: str, values: Body) -> Any:
        """Return what a formula gives."""

    def variable(self, name: str) -> Any:
        """Return a variable, None where it was not set."""

    def about(self, what: str) -> Any:
        """Return what a run knows of itself."""

    def field_type(self, ref: str) -> str:
        """Return the type of a field."""

    def fits(self, condition: Body, before: bool) -> bool:
        """Say whether the run's record fits one condition on a field, its value filled in."""


@dataclass(frozen=True, slots=True)
class Values:
    """Reads values in a world."""

    world: World

    def value(self, given: Any) -> Any:
        """Return a value as JSON; a `Read` where it is a field's and nothing else."""
        if not isinstance(given, Mapping):
            return given
        if "formula" in given:
            uses = given.get("uses", ())
            return self.world.calculated(given["formula"], {f"f_{n}": stored(self._use(use)) for n, use in enumerate(uses)})
        if "template" not in given:
            return dict(given)  # a person, department or role: as it stands
        uses = given.get("uses", ())
        whole = HOLE.fullmatch(given["template"].strip())
        if whole is not None and int(whole[1]) < len(uses):
            return self._use(uses[int(whole[1])])
        return HOLE.sub(lambda hole: self._written(uses, hole), given["template"])[:MOST_CHARS]

    def text(self, given: Any) -> str:
        """Return a value as people read it."""
        return as_text(self.value(given))

    def holds(self, condition: Body, depth: int = 0) -> bool:
        """Say whether a condition holds of the run's record."""
        if depth > MOST_DEPTH:
            raise InvalidInput(f"Conditions may lie at most {MOST_DEPTH} deep.")
        for word, every in (("all", all), ("any", any)):
            if word in condition:
                return every(self.holds(one, depth + 1) for one in condition[word])
        if "field" in condition:
            return self.world.fits(self.filled(condition), bool(condition.get("before")))
        return compare(self.value(condition["left"]), condition["operator"], self.value(condition.get("right")))

    def filter(self, condition: Body | None, depth: int = 0) -> bool | dict[str, Any]:
        """Return a condition on records to find, as views have it; True for all, False for none."""
        if not condition:
            return True
        if depth > MOST_DEPTH:
            raise InvalidInput(f"Conditions may lie at most {MOST_DEPTH} deep.")
        for word, decided in (("all", False), ("any", True)):
            if word in condition:
                found = [self.filter(one, depth + 1) for one in condition[word]]
                left = [one for one in found if not isinstance(one, bool)]
                if decided in found:
                    return decided
                return {word: left} if left else not decided
        if "field" in condition:
            return self.filled(condition)
        return compare(self.value(condition["left"]), condition["operator"], self.value(condition.get("right")))

    def filled(self, condition: Body) -> dict[str, Any]:
        """Return a condition on a field with its value filled in, as views have it."""
        made = {"field": condition["field"], "operator": condition["operator"]}
        value = plain(self.value(condition.get("value")))
        kind = self.world.field_type(condition["field"]["ref"])
        if value is not None:
            made["value"] = value
        if isinstance(value, str) and _DAY.match(value) and (kind in DATES or kind in COMPUTED):
            made |= {"value": value[:10], "unit": "exact_date"}
        return made

    def _written(self, uses: Any, hole: re.Match[str]) -> str:
        return as_text(self._use(uses[int(hole[1])])) if int(hole[1]) < len(uses) else hole[0]

    def _use(self, use: Body) -> Any:
        if "field" in use:
            return self.world.field(use["field"]["ref"], use.get("step"), bool(use.get("before")))
        if "variable" in use:
            return self.world.variable(use["variable"])
        if "about" in use:
            return self.world.about(use["about"])
        if "trigger" in use:
            return along(self.world.cause(), use["trigger"])
        return along(self.world.result(use["step"]), use["path"])


def along(value: Any, path: str) -> Any:
    """Return what lies in JSON at a path such as "body.items.0.name"; None where there is nothing."""
    for step in [one for one in path.split(".") if one][:50]:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, list) and step == "count":
            value = len(value)
        else:
            return None
    return value


def stored(value: Any) -> Any:
    """Return a value as a formula takes it: what people read of links, choices and people, everything else as it is stored."""
    if isinstance(value, Read):
        return value.value if isinstance(value.value, int | bool) or value.type in NUMERIC + DATES else value.text or None
    return as_text(value) if isinstance(value, Mapping) else value


def plain(value: Any) -> Any:
    """Return a value as one that a condition compares with."""
    if isinstance(value, Read):
        stored = value.value
        return stored if isinstance(stored, str | int | bool) or stored is None else value.text
    if isinstance(value, Mapping | list):
        return as_text(value)
    return value


def as_text(value: Any) -> str:
    """Return a value as people read it: records by their numbers, lists by commas."""
    if isinstance(value, Read):
        return value.text
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return str(value["seq"]) if "seq" in value else str(value.get("org") or value.get("ref") or ", ".join(
            f"{key}: {as_text(one)}" for key, one in value.items()))[:MOST_CHARS]
    if isinstance(value, list):
        return ", ".join(as_text(one) for one in value)[:MOST_CHARS]
    return str(value)[:MOST_CHARS]


def listed(value: Any) -> list[Any]:
    """Return a value as the list that a loop goes through; one that is no list is a list of one."""
    if isinstance(value, Read):
        if value.type in ("relationship", "cascading_select", "subform") and isinstance(value.value, list):
            return [{"worksheet": value.target, "seq": seq} for seq in value.value]
        value = value.value
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def compare(left: Any, operator: str, right: Any) -> bool:
    """Compare two values: numbers as numbers, anything else as texts, small and large letters alike.

    Raises:
        InvalidInput: nobody knows that operator.
    """
    if operator in ("is_empty", "is_filled"):
        return (as_text(left).strip() == "") == (operator == "is_empty")
    if operator not in _COMPARE:
        raise InvalidInput(f"“{operator[:40]}” is not an operator for two values.")
    one, other = _sides(plain(left), plain(right))
    return bool(_COMPARE[operator](one, other))


def _sides(left: Any, right: Any) -> tuple[Any, Any]:
    numbers = [_number(left), _number(right)]
    if None not in numbers:
        return numbers[0], numbers[1]
    return as_text(left).strip().casefold(), as_text(right).strip().casefold()


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        found = Decimal(str(value).strip()) if len(str(value)) < 60 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _words(text: Any) -> Iterable[str]:
    return [one.strip() for one in str(text).split(",")]


_COMPARE: dict[str, Any] = {
    "is": lambda a, b: a == b, "is_not": lambda a, b: a != b, "contains": lambda a, b: str(b) in str(a),
    "contains_not": lambda a, b: str(b) not in str(a), "starts_with": lambda a, b: str(a).startswith(str(b)),
    "ends_with": lambda a, b: str(a).endswith(str(b)), "is_any_of": lambda a, b: str(a) in _words(b),
    "is_none_of": lambda a, b: str(a) not in _words(b),
    **dict.fromkeys(("greater", "after"), lambda a, b: a > b), **dict.fromkeys(("less", "before"), lambda a, b: a < b),
    **dict.fromkeys(("greater_or_equal", "on_or_after"), lambda a, b: a >= b),
    **dict.fromkeys(("less_or_equal", "on_or_before"), lambda a, b: a <= b),
}
