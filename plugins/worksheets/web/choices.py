"""What can be chosen in a field that points or chooses: a bounded page of it, narrowed by searching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from core.api import documents, org_choices
from plugins.worksheets.fields import Field
from plugins.worksheets.fieldtypes.pointers import target_address
from plugins.worksheets.query import page
from plugins.worksheets.web.cells.choices import tag
from plugins.worksheets.web.related_names import Place, RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext

NOTHING = Markup("")
MOST = 20
MOST_CHOICES = 200
MOST_WORKSHEETS = 8
MAX_SEARCH, MAX_DIGITS = 200, 16


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose: what the form sends, its name, how it is shown."""

    value: str
    name: str
    shown: Markup = NOTHING


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is chosen, what else could be; *cut* when there is more than is listed."""

    picked: Sequence[Option]
    options: Sequence[Option]
    cut: bool = False
    searchable: bool = True


def values_of(one: Field, value: Any) -> list[str]:
    """Return what a form sends for each item of a value."""
    name = one.type.name
    if value is None:
        return []
    if name == "cascading_select":
        return [str(value[-1])]
    items = value if isinstance(value, list) else [value]
    return [str(item.get("org") or item.get("ref")) if isinstance(item, dict) else str(item) for item in items]


def options_of(one: Field, around: RelatedNames) -> list[Option]:
    """Return the choices of a select field."""
    return [Option(choice.value, choice.name, tag(choice)) for choice in around.choices(one.definition)]


def candidates(sheet: SheetContext, around: RelatedNames, one: Field, search: str, chosen: Sequence[str]) -> Candidates:
    """Return what is chosen and what else could be, a page of it."""
    find = _FIND.get(one.type.name)
    if find is None:
        return Candidates((), (), searchable=False)
    return find(sheet, around, one, search.strip()[:MAX_SEARCH], list(chosen))


def _choices(sheet: SheetContext, around: RelatedNames, one: Field, search: str, chosen: list[str]) -> Candidates:
    known = options_of(one, around)
    by_value = {option.value: option for option in known}
    picked = [by_value.get(value, Option(value, value, escape(value))) for value in chosen]
    rest = [o for o in known if o.value not in chosen and search.casefold() in o.name.casefold()]
    return Candidates(picked, rest[:MOST_CHOICES], len(rest) > MOST_CHOICES, len(known) > MOST)


def _org(kind: str) -> Callable[..., Candidates]:
    def find(sheet: SheetContext, around: RelatedNames, one: Field, search: str, chosen: list[str]) -> Candidates:
        known = [] if sheet.outside else org_choices(sheet.app.organization_id, kind)
        names = dict(known)
        picked = [Option(v, v, escape(names.get(v) or around.org_name(v))) for v in chosen]
        rest = [Option(v, name, escape(name)) for v, name in known if v not in chosen and search.casefold() in name.casefold()]
        return Candidates(picked, rest[:MOST], len(rest) > MOST, len(known) > MOST)
    return find


def _records(sheet: SheetContext, around: RelatedNames, one: Field, search: str, chosen: list[str]) -> Candidates:
    address = target_address(one.definition)
    seqs = [int(text) for text in chosen if _is_number(text)]
    place = around.place(address)
    found = _page(place, search, MOST + len(seqs) + 1) if place is not None else []
    around.name(address, [*seqs, *found])
    options = [_record(around, address, seq) for seq in found if seq not in seqs]
    return Candidates([_record(around, address, seq) for seq in seqs], options[:MOST], len(options) > MOST)


def _record(around: RelatedNames, address: str, seq: int, value: str = "", before: str = "") -> Option:
    title = around.linked(address, seq).title
    return Option(value or str(seq), title, Markup("{}{}").format(before, title))


def _page(place: Place, search: str, limit: int) -> list[int]:
    """Return the numbers of records that the visitor may read and that match, a page of them."""
    return [row.seq for row in page(place.app, place.access.ask(search=search), limit=limit).rows]


def _free(sheet: SheetContext, around: RelatedNames, one: Field, search: str, chosen: list[str]) -> Candidates:
    picked = _named(around, chosen)
    found: list[str] = []
    for document in documents.live(sheet.app, "worksheet")[:MOST_WORKSHEETS] if search else ():
        place = around.place(document.address)
        if place is not None:
            found += [f"{document.address}/record/{seq}" for seq in _page(place, search, 5)]
    return Candidates(picked, _named(around, [ref for ref in found if ref not in chosen][:MOST]), not search)


def _named(around: RelatedNames, refs: Iterable[str]) -> list[Option]:
    options = []
    for ref in refs:
        address, _, number = ref.rpartition("/record/")
        if not address or not _is_number(number):
            continue
        seq = int(number)
        around.name(address, [seq])
        body = around.computation.worksheet(address) or {}
        options.append(_record(around, address, seq, ref, f"{body.get('name', '')}: "))
    return options


def _is_number(text: str) -> bool:
    """Say whether somebody sent what may be a record's number."""
    return text.isdecimal() and len(text) <= MAX_DIGITS


_FIND: dict[str, Callable[..., Candidates]] = {
    "multiple_select": _choices, "relationship": _records, "cascading_select": _records, "free_link": _free,
    "member": _org("user"), "department": _org("department"), "org_role": _org("org_role"),
}
