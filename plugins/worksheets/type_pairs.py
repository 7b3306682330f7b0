"""Every pair of field types: what a restore of data makes of the values of one in a field that is of another now.

What docs/restoring-fields.md says of them is written from here: telling values of each type are given to `conversion.carried`. A test
restores the same values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.api import FieldType, InvalidValue
from plugins.worksheets.conversion import carried
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes import FIELD_TYPES
from plugins.worksheets.fieldtypes.text import MAX_TEXT

SAME, ALL, SOME, NONE = "=", "c", "f", "."
LEGEND = {SAME: "restored as it is", ALL: "restored, in the form of the field's type now",
          SOME: "restored so where the value fits; else left as it is now, and reported", NONE: "left as it is now, and reported"}
LONG = "x" * (MAX_TEXT + 1)
TEXTS = (
    "Words, and more", "Line one\nline two", "3", "12", "0", "-7", "3.00", "12.50", "-7.00", "12.5", "2026-11-23",
    "2026-11-23T09:30:00Z", "09:30:00", "09:30", "a@example.org", "a:b@example.org", "https://example.org/a?b=c#d", "+49 (30) 12-34",
    "A1 2", "o_1111111111", "true", LONG)
CHOICES = ("o_1111111111", "o_2222222222")
OTHERS: tuple[Any, ...] = (
    3, 5, 12, 0, -7, 1_000_000, True, {"lat": "1.5", "lon": "2"}, {"lat": "1.5", "lon": "2", "label": "Here"}, ["Europe", "Berlin"],
    list(CHOICES[:1]), list(CHOICES), [1], [1, 2])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values point to: a worksheet with records 1 and 2 and a field, two files, and things of the organization."""

    worksheet: str = "worksheet/w_1111111111"
    field: str = "worksheet/w_1111111111/field/f_1111111111"
    files: Sequence[Mapping[str, Any]] = tuple(
        {"file": digit * 64, "name": digit, "size": 1, "type": "text/plain"} for digit in "01")
    department: str = "department/d_1111111111"
    org_role: str = "org_role/r_1111111111"
    member: str = "user/u_1111111111"

    def options(self, kind: str) -> dict[str, Any]:
        """Return options of a field of a type, as few as it needs."""
        here, through, choices = {"ref": self.worksheet}, {"ref": self.field}, [{"key": key, "name": key} for key in CHOICES]
        options: dict[str, dict[str, Any]] = {
            "currency": {"decimals": 2, "currency": "EUR"}, "relationship": {"target": here}, "subform": {"target": here},
            "cascading_select": {"target": here}, "formula": {"expression": "1"}, "text_combination": {"template": "a"},
            "lookup": {"through": through, "target": through}, "count": {"through": through},
            "rollup": {"through": through, "target": through, "function": "count"},
            "single_select": {"choices": choices}, "multiple_select": {"choices": choices},
        }
        return options.get(kind, {})

    def field_of(self, kind: FieldType, key: str = "f_1111111111") -> Field:
        """Return a field of a type."""
        return Field({"key": key, "type": kind.name, "name": f"{kind.name} {key}", "options": self.options(kind.name)}, kind)

    def values(self, kind: FieldType) -> list[Any]:
        """Return telling values of a type, as records store them."""
        one = self.field_of(kind)
        pointing = ([dict(self.files[0])], [dict(one) for one in self.files], [{"ref": f"{self.worksheet}/record/1"}],
                    [{"ref": f"{self.worksheet}/record/{n}"} for n in (1, 2)],
                    *([{"org": address}] for address in (self.department, self.org_role, self.member)))
        return [value for value in (*TEXTS, *OTHERS, *pointing) if _stored_as(one, value)] if one.stored else []


def _stored_as(one: Field, value: Any) -> bool:
    try:
        return type(fit := one.canonical(value)) is type(value) and bool(fit == value)
    except InvalidValue:
        return False


def outcome(old: Field, now: Field, values: Sequence[Any]) -> str:
    """Return what becomes of values of *old* in a restore of data, as a letter."""
    if old.shape == now.shape:
        return SAME
    fit = [now.stored and carried(old, now, value) is not None for value in values]
    return ALL if all(fit) else SOME if any(fit) else NONE


def matrix() -> Iterator[tuple[FieldType, list[str]]]:
    """Yield each type that stores values, with the letter of each type that a field may be of now; the last is of all that store none."""
    about = Surroundings()
    stored, others = holding(), [kind for kind in FIELD_TYPES if not kind.stored]
    for kind in stored:
        old, values = about.field_of(kind), about.values(kind)
        rest = {outcome(old, about.field_of(other), values) for other in others}
        yield kind, [*(outcome(old, about.field_of(other), values) for other in stored), *sorted(rest)]


def holding() -> list[FieldType]:
    """Return the types whose values records store."""
    return [kind for kind in FIELD_TYPES if kind.stored]


def written() -> Iterator[str]:
    """Yield the lines of the block in docs/restoring-fields.md."""
    stored = holding()
    yield from (f"- `{letter}` {text}" for letter, text in LEGEND.items())
    yield from ("", "Each column is the field's type now, by the number that the type has as a row.")
    yield from ("", "```text", f"{'at the backup':<24} now: " + " ".join(f"{n:>2}" for n in range(1, len(stored) + 2)))
    for number, (kind, letters) in enumerate(matrix(), start=1):
        yield f"{number:>2} {kind.name:<27}" + " ".join(f"{letter:>2}" for letter in letters)
    names = ", ".join(f"`{kind.name}`" for kind in FIELD_TYPES if not kind.stored)
    yield from ("```", "", f"Column {len(stored) + 1} is each type that stores nothing: {names}.")
