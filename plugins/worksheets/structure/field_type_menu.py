"""Field types as people choose them: in groups, each with a sentence. Types of other plugins come in by what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.api import FieldType, server

SAYS: Mapping[str, str] = {
    "text": "A single line, such as a name or title.",
    "long_text": "Several lines, such as notes or an address.",
    "rich_text": "Text with headings, lists and links.",
    "email": "An email address, checked for its format.",
    "phone": "A phone number that can be called with a click.",
    "url": "A link that opens in a new tab.",
    "identity_number": "The number of a passport, ID card or tax file.",
    "region": "Country, state and city.",
    "number": "A number with any number of decimals.",
    "currency": "An amount of money.",
    "percent": "A percentage.",
    "rating": "One to ten stars.",
    "autonumber": "A number that each new record gets automatically.",
    "checkbox": "Yes or no.",
    "duration": "A length of time.",
    "date": "A date.",
    "datetime": "A date and time.",
    "time": "A time of day.",
    "single_select": "One of several choices, such as a status.",
    "multiple_select": "Several choices, such as tags.",
    "location": "A point on the map, with a name.",
    "relationship": "Links to records of a worksheet, one-way or two-way.",
    "subform": "Rows that belong to this record, such as order lines.",
    "cascading_select": "A choice, level by level, from a hierarchical worksheet.",
    "file": "Documents and images.",
    "signature": "A hand-drawn signature.",
    "free_link": "A link to any record of any worksheet in this app.",
    "department": "A department of the organization.",
    "org_role": "An org role.",
    "member": "People of the organization.",
    "formula": "Calculated from other fields of the record.",
    "text_combination": "Text that includes values of other fields.",
    "lookup": "Shows a field of the linked records.",
    "rollup": "Sums, counts or averages a field of the linked records.",
    "count": "How many records are linked.",
    "created_time": "When the record was created.",
    "created_by": "Who created the record.",
    "modified_time": "When the record was last modified.",
    "modified_by": "Who last modified the record.",
    "section": "A heading that groups the fields below it.",
    "divider": "A line between fields.",
    "remark": "Help text for whoever fills in the record.",
    "barcode": "A barcode or QR code of a field or the record.",
    "embed": "Another web page inside the record.",
}
GROUPS = ("Values", "Links", "Calculated", "Layout")
HIDDEN = ("imported",)
"""Types that only an import makes."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A field type to choose: its name, what it is called, a sentence on it."""

    name: str
    title: str
    says: str


def groups() -> list[tuple[str, list[Choice]]]:
    """Return all registered field types that one can make, in groups."""
    found: dict[str, list[Choice]] = {name: [] for name in GROUPS}
    order = list(SAYS)
    types = sorted(server().registry.field_types.values(), key=lambda t: (order.index(t.name) if t.name in SAYS else len(order), t.title))
    for kind in types:
        if kind.name not in HIDDEN:
            found[group_of(kind)].append(Choice(kind.name, kind.title, SAYS.get(kind.name, _first_line(kind))))
    return [(name, choices) for name, choices in found.items() if choices]


def group_of(kind: FieldType) -> str:
    """Return the group that a field type stands in."""
    if kind.derived:
        return "Calculated"
    if not kind.stored:
        return "Layout"
    return "Links" if kind.name in SAYS and kind.name in _LINKS else "Values"


def convertible() -> list[Choice]:
    """Return the types that a field with values can be changed into."""
    return [choice for group, choices in groups() if group in ("Values", "Links") for choice in choices
            if choice.name != "autonumber"]


def _first_line(kind: FieldType) -> str:
    return (type(kind).__doc__ or "").strip().partition("\n")[0]


_LINKS = frozenset({"relationship", "subform", "cascading_select", "file", "signature", "free_link", "department", "org_role", "member"})
