"""The query of a grid: what its address asks for — view, conditions, sorting, search, columns, place — and back again.

All of it comes from outside: what is not understood is left out, what names a field that the visitor may not read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from plugins.worksheets.fields import Field
from plugins.worksheets.web.operators import Condition, condition_of
from plugins.worksheets.web.sheet_context import SheetContext, part_key

MAX_CONDITIONS, MAX_SORTS, MAX_SEARCH, MAX_CURSOR = 20, 5, 200, 2000
MAX_AT = 10**9


@dataclass(frozen=True, slots=True)
class GridQuery:
    """What an address asks for. `shown` is None where the view says which columns there are."""

    view: Mapping[str, Any] | None = None
    conditions: tuple[Condition, ...] = ()
    any_of: bool = False
    sorts: tuple[tuple[str, bool], ...] = ()
    search: str = ""
    shown: tuple[str, ...] | None = None
    group: str | None = None
    cursor: str | None = None
    at: int = 0
    month: str | None = None

    def query(self) -> list[tuple[str, str]]:
        """Return the pairs of the address that ask for the same; where one is in the list, is left out."""
        pairs = [("view", str(self.view["key"]))] if self.view is not None else []
        pairs += [pair for c in self.conditions for pair in (("where", c.field), ("op", c.operator), ("value", c.text))]
        if self.any_of:
            pairs.append(("match", "any"))
        pairs += [("sort", f"-{key}" if down else key) for key, down in self.sorts]
        if self.search:
            pairs.append(("q", self.search))
        if self.shown is not None:
            pairs += [("columns", "chosen"), *(("show", key) for key in self.shown)]
        if self.group is not None:
            pairs.append(("group", self.group))
        return pairs

    def url(self, sheet: SheetContext, page: str = "grid", **change: Any) -> str:
        """Return the address of the grid, or of another page, that asks for this with some of it changed."""
        asked = replace(self, **{"cursor": None, "at": 0, **change})
        pairs: MultiDict[str, str] = MultiDict(asked.query())
        if asked.cursor:
            pairs.add("after", asked.cursor)
            pairs.add("at", str(asked.at))
        if asked.month:
            pairs.add("month", asked.month)
        return sheet.url(page, **{name: pairs.getlist(name) for name in pairs})

    @property
    def narrowed(self) -> bool:
        """Whether something narrows the view."""
        return bool(self.conditions or self.search or self.group is not None)

    def filter(self) -> Mapping[str, Any] | None:
        """Return the view's filter and the conditions as one filter."""
        parts = [self.view["filter"]] if self.view is not None and self.view.get("filter") else []
        mine = [c.filter for c in self.conditions if c.filter is not None]
        if mine:
            parts.append({"any" if self.any_of else "all": mine})
        return None if not parts else parts[0] if len(parts) == 1 else {"all": parts}

    def sorting(self) -> list[tuple[str, bool]]:
        """Return (field, descending) by which records are sorted: groups first, then what was asked or the view's."""
        view = self.view or {}
        groups = _sorts(view.get("groups", ())[:1])
        rest = list(self.sorts) or _sorts(view.get("sorts", ()))
        return [*groups, *(one for one in rest if one[0] not in {key for key, _ in groups})]


def _sorts(given: Iterable[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    return [(part_key(one["field"]) or "", bool(one.get("descending"))) for one in given]


def read_grid_query(sheet: SheetContext, given: MultiDict[str, str]) -> GridQuery:
    """Return what an address asks for.

    Raises:
        NotFound: it names a view that the visitor does not see.
    """
    view = sheet.view(given.get("view"))
    at = given.get("at", "")
    group = given.get("group")
    return GridQuery(
        view=view, conditions=tuple(_conditions(sheet, given)), any_of=given.get("match") == "any",
        sorts=tuple(_asked_sorts(sheet, given.getlist("sort"))), search=given.get("q", "").strip()[:MAX_SEARCH],
        shown=tuple(dict.fromkeys(k for k in given.getlist("show") if k in sheet.fields)) if "columns" in given else None,
        group=None if group is None else group[:MAX_SEARCH],
        cursor=cursor if 0 < len(cursor := given.get("after", "")) <= MAX_CURSOR else None,
        at=int(at) if at.isdecimal() and len(at) < 10 else 0, month=given.get("month"))


def _conditions(sheet: SheetContext, given: MultiDict[str, str]) -> Iterable[Condition]:
    fields, operators, values = given.getlist("where"), given.getlist("op"), given.getlist("value")
    for n, key in enumerate(fields[:MAX_CONDITIONS]):
        if key in sheet.fields:
            yield condition_of(sheet, sheet.fields[key], operators[n] if n < len(operators) else "",
                               values[n][:MAX_SEARCH] if n < len(values) else "")


def _asked_sorts(sheet: SheetContext, given: Sequence[str]) -> Iterable[tuple[str, bool]]:
    seen = set()
    for text in given[:MAX_SORTS]:
        key = text.removeprefix("-")
        if key in sheet.fields and key not in seen:
            seen.add(key)
            yield key, text.startswith("-")


def columns_of(sheet: SheetContext, asked: GridQuery) -> list[Field]:
    """Return the fields that stand in the grid: those chosen, those of the view, or all; the title always first."""
    keys = list(asked.shown) if asked.shown is not None else view_columns(sheet, asked.view)
    if sheet.title_key is not None:
        keys = [sheet.title_key, *(key for key in keys if key != sheet.title_key)]
    return [sheet.fields[key] for key in dict.fromkeys(keys) if key in sheet.fields]


def view_columns(sheet: SheetContext, view: Mapping[str, Any] | None) -> list[str]:
    """Return the keys of the fields that a view shows, in its order; all where it names none."""
    listed = (view or {}).get("fields", ())
    if not listed:
        return list(sheet.fields)
    return [key for one in listed if not one.get("hidden") and (key := part_key(one["field"])) in sheet.fields and key is not None]
