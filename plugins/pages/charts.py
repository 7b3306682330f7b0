"""Charts: records counted by groups, and the shapes that show the counts. Pure; colours belong to the style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

MAX_GROUPS = 20
OTHERS, EMPTY = "Others", "Empty"
WIDTH, HEIGHT, BASE, TOP, LEFT = 640, 260, 220, 20, 64
LINES = 4
TINTS = 8
Unit = tuple[str, str, int]
"""What is written before and after a number, and at least how many decimals it has."""
BARE: Unit = ("", "", 0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A group: its label, value, share of the whole (for slices), as shown, and the hue of its colour where it has one."""

    label: str
    value: Decimal
    share: float
    text: str
    hue: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A mark in a drawing: a path or rectangle's numbers, which tint, and the group it stands for."""

    path: str
    tint: int
    bar: Bar


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers at the side of a drawing: from the lowest to the highest of its lines, a round step apart."""

    low: Decimal
    high: Decimal
    step: Decimal

    @classmethod
    def of(cls, values: Iterable[Decimal]) -> Scale:
        """Return a scale on which all values and zero lie, with about `LINES` steps."""
        low, high = Decimal(0), Decimal(0)
        for value in values:
            low, high = min(low, value), max(high, value)
        if low == high:
            high = Decimal(1)
        raw = (high - low) / LINES
        tenth = Decimal(10) ** raw.adjusted()
        step = next(tenth * round_one for round_one in (1, 2, 5, 10) if tenth * round_one >= raw)
        return cls(math.floor(low / step) * step, math.ceil(high / step) * step, step)

    def y(self, value: Decimal) -> float:
        """Return how far below the drawing's upper edge a value stands."""
        return BASE - float((value - self.low) / (self.high - self.low)) * (BASE - TOP)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where each line stands, and its number."""
        count = int((self.high - self.low) / self.step)
        return [(round(self.y(value), 1), shown(value, ("", "", max(-self.step.normalize().as_tuple().exponent, 0))))  # type: ignore[operator]
                for value in (self.low + self.step * n for n in range(count + 1))]


def grouped(rows: Iterable[tuple[str, Any, int]], function: str, order: Sequence[str] = ()) -> list[tuple[str, Decimal]]:
    """Return (label, value) of each group: in order of label for few, the largest first for many, the rest as one.

    Args:
        rows: (label, value, how many records have both); what is no number is left out except when counting.
        function: "count", "sum", "average", "min" or "max".
        order: Labels that come before the others, in this order; what has no label comes last.
    """
    values: dict[str, list[tuple[Decimal, int]]] = {}
    for label, value, count in rows:
        found = Decimal(1) if function == "count" else number(value)
        if found is not None:
            values.setdefault(label or EMPTY, []).append((found, count))
    groups = [(label, _COUNTED[function](found)) for label, found in values.items()]
    if len(groups) <= MAX_GROUPS:
        places = {label: place for place, label in enumerate(order)}
        return sorted(groups, key=lambda group: (group[0] == EMPTY, places.get(group[0], len(places)), group[0]))
    groups.sort(key=lambda group: (-group[1], group[0]))
    rest = [value for label, _ in groups[MAX_GROUPS - 1:] for value in values[label]]
    return [*groups[:MAX_GROUPS - 1], (OTHERS, _COUNTED[function](rest))]


Many = Sequence[tuple[Decimal, int]]
"""Values, each with how many records have it."""


def _sum(found: Many) -> Decimal:
    return sum((value * count for value, count in found), Decimal(0))


def _average(found: Many) -> Decimal:
    return _sum(found) / sum(count for _, count in found)


_COUNTED: Mapping[str, Callable[[Many], Decimal]] = {
    "count": _sum, "sum": _sum, "average": _average, "min": lambda found: min(found)[0], "max": lambda found: max(found)[0]}


def number(value: Any) -> Decimal | None:
    """Return a stored value as a number, None where it is none."""
    if isinstance(value, bool):
        return Decimal(value)
    try:
        found = Decimal(str(value)) if isinstance(value, int | float | str) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and found.adjusted() < 30 else None


def shown(value: Decimal, unit: Unit = BARE) -> str:
    """Return a number for people, with its unit: two places at most, unless its field has more."""
    before, after, decimals = unit
    whole, _, parts = f"{abs(value):,.{max(decimals, 2)}f}".partition(".")
    kept = parts[:decimals] + parts[decimals:].rstrip("0")
    return f"{'−' if value < 0 else ''}{before}{whole}{'.' if kept else ''}{kept}{after}"


def bars(groups: Sequence[tuple[str, Decimal]], unit: Unit = BARE, hues: Mapping[str, int | None] | None = None) -> list[Bar]:
    """Return groups as they are shown."""
    return [Bar(label, value, 0, shown(value, unit), (hues or {}).get(label)) for label, value in groups]


def columns(found: Sequence[Bar], scale: Scale) -> list[Shape]:
    """Return rectangles that stand on the line of zero, those below it hanging from it."""
    width, base = (WIDTH - LEFT) / max(len(found), 1), scale.y(Decimal(0))
    shapes = []
    for place, bar in enumerate(found):
        y = scale.y(bar.value)
        top, height = min(y, base), max(abs(y - base), 1)
        start = LEFT + place * width + width * .15
        shapes.append(Shape(f"M{start:.1f} {top:.1f}h{width * .7:.1f}v{height:.1f}h{-width * .7:.1f}z", 0, bar))
    return shapes


def line(found: Sequence[Bar], scale: Scale) -> str:
    """Return the path through the groups."""
    points = points_of(found, scale)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""


def points_of(found: Sequence[Bar], scale: Scale) -> list[tuple[float, float]]:
    """Return where the points of a line stand."""
    width = (WIDTH - LEFT) / max(len(found), 1)
    return [(LEFT + place * width + width / 2, scale.y(bar.value)) for place, bar in enumerate(found)]


def slices(groups: Sequence[tuple[str, Decimal]], hole: float, unit: Unit = BARE,
           hues: Mapping[str, int | None] | None = None) -> list[Shape]:
    """Return the slices of a pie, or of a ring whose *hole* is that part of its radius; only what is above zero has one."""
    positive = [(label, value) for label, value in groups if value > 0]
    whole = sum((value for _, value in positive), Decimal(0)) or Decimal(1)
    start, shapes = 0.0, []
    for place, (label, value) in enumerate(positive):
        share = float(value / whole)
        bar = Bar(label, value, share, f"{shown(value, unit)} ({share:.0%})", (hues or {}).get(label))
        shapes.append(Shape(_slice(start, start + share, hole), place % TINTS, bar))
        start += share
    return shapes


def _slice(start: float, end: float, hole: float) -> str:
    radius, inner = 100.0, 100.0 * hole
    end = min(end, start + .99999)
    a, b = (2 * math.pi * turn - math.pi / 2 for turn in (start, end))
    large = 1 if end - start > .5 else 0
    outer = f"M{_at(a, radius)}A{radius:.0f} {radius:.0f} 0 {large} 1 {_at(b, radius)}"
    return f"{outer}L{_at(b, inner)}" + (f"A{inner:.0f} {inner:.0f} 0 {large} 0 {_at(a, inner)}" if inner else "") + "z"


def _at(angle: float, radius: float) -> str:
    return f"{110 + radius * math.cos(angle):.2f} {110 + radius * math.sin(angle):.2f}"


def chart(rows: Iterable[tuple[str, Any, int]], options: Mapping[str, Any], names: Mapping[str, str] | None = None,
          unit: Unit = BARE, choices: Mapping[str, int | None] | None = None) -> dict[str, Any]:
    """Return all that shows a chart: its groups as a table, and the shapes of its kind.

    *names* say how people read the labels, which are ordered as they are; *choices* are the labels that a field's choices give, in
    their order, each with its hue.
    """
    function, hues = options.get("function", "count"), choices or {}
    groups = [((names or {}).get(label) or label, value) for label, value in grouped(rows, function, list(hues))]
    kind, found = options["type"], bars(groups, unit, hues)
    scale = Scale.of(bar.value for bar in found)
    return {"type": kind, "function": function, "bars": found, "width": WIDTH, "height": HEIGHT, "left": LEFT,
            "ticks": scale.ticks if kind in ("bar", "line") else (), "zero": round(scale.y(Decimal(0)), 1),
            "columns": columns(found, scale) if kind == "bar" else (), "line": line(found, scale) if kind == "line" else "",
            "points": list(zip(points_of(found, scale), found, strict=True)) if kind == "line" else (),
            "slices": slices(groups, .55 if kind == "doughnut" else 0, unit, hues) if kind in ("pie", "doughnut") else ()}
