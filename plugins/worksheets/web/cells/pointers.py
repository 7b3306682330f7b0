"""Cells that point: relationship, subform, cascading select, free link, member, department, org role."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from core.api import InvalidValue
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.web.cells.cell import Around, Cell, Given, Linked

SHOWN = 8
"""How many chips a narrow cell shows before it says how many more there are."""


def chip(linked: Linked) -> Markup:
    """Return a record that is pointed to, as a link where the visitor may see it."""
    if linked.url is None:
        return Markup('<span class="chip">{}</span>').format(linked.title)
    return Markup('<a class="chip" href="{}">{}</a>').format(linked.url, linked.title)


def _chips(linked: Iterable[Linked], count: int, whole: bool) -> Markup:
    more = Markup(' <span class="soft small">+{}</span>').format(count - SHOWN) if count > SHOWN and not whole else Markup("")
    return Markup(" ").join(chip(one) for one in linked) + more


def show_linked(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show linked records by their titles."""
    address, some = target_address(field.definition), value if whole else value[:SHOWN]
    return _chips((around.linked(address, seq) for seq in some), len(value), whole)


def show_way(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show the way through a tree, from its root."""
    address = target_address(field.definition)
    return Markup(' <span class="soft" aria-hidden="true">›</span> ').join(chip(around.linked(address, seq)) for seq in value)


def show_free(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show records of any worksheets by their titles."""
    some = value if whole else value[:SHOWN]
    return _chips((around.linked(*address_of(item["ref"])) for item in some), len(value), whole)


def address_of(ref: str) -> tuple[str, int]:
    """Return (worksheet's address, number) of a record's address."""
    address, _, seq = ref.rpartition("/record/")
    return address, int(seq)


def show_org(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    """Show people, departments or org roles by name."""
    return _chips((Linked(around.org_name(item["org"])) for item in (value if whole else value[:SHOWN])), len(value), whole)


def read_linked(field: Field, given: Given) -> Any:
    """Read the chosen records' numbers, those that were chosen before in their old order."""
    return _ordered([_number(text) for text in given.texts(field)], given.old)


def _ordered(chosen: list[Any], old: Any) -> Any:
    before = [item for item in old or () if item in chosen]
    fresh: list[Any] = []
    for item in chosen:
        if item not in before and item not in fresh:
            fresh.append(item)
    return [*before, *fresh] or None


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 16:
        raise InvalidValue("choose records from the list.")
    return int(text)


def read_way(field: Field, given: Given) -> Any:
    """Read the record at the end of a way; the way to it is found by itself."""
    text = given.text(field)
    if not text:
        return None
    seq = _number(text)
    return given.old if given.old and given.old[-1] == seq else given.path_to(field, seq)


def read_free(field: Field, given: Given) -> Any:
    """Read the chosen records' addresses."""
    return _ordered([{"ref": text} for text in given.texts(field)], given.old)


def read_org(field: Field, given: Given) -> Any:
    """Read the chosen people, departments or org roles."""
    return _ordered([{"org": text} for text in given.texts(field)], given.old)


POINTERS = {
    "relationship": Cell(show_linked, read_linked, "picker"),
    "subform": Cell(show_linked, None, inline=False),
    "cascading_select": Cell(show_way, read_way, "picker"),
    "free_link": Cell(show_free, read_free, "picker"),
    "member": Cell(show_org, read_org, "picker"),
    "department": Cell(show_org, read_org, "picker"),
    "org_role": Cell(show_org, read_org, "picker"),
}
