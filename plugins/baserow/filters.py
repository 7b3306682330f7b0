"""Baserow's filters as those of views: operators, values and groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.baserow.names import Names
from plugins.baserow.read import Item, id_of, listed, whole

OPERATORS = {
    "equal": "is", "not_equal": "is_not", "contains": "contains", "contains_not": "contains_not", "contains_word": "contains",
    "doesnt_contain_word": "contains_not", "filename_contains": "contains", "has_file_type": "file_type_is",
    "higher_than": "greater", "higher_than_or_equal": "greater_or_equal", "lower_than": "less",
    "lower_than_or_equal": "less_or_equal", "boolean": "is", "single_select_equal": "is", "single_select_not_equal": "is_not",
    "single_select_is_any_of": "is_any_of", "single_select_is_none_of": "is_none_of", "multiple_select_has": "has",
    "multiple_select_has_not": "has_not", "link_row_has": "has", "link_row_has_not": "has_not", "link_row_contains": "contains",
    "link_row_not_contains": "contains_not", "empty": "is_empty", "not_empty": "is_filled",
    "is_even_and_whole": "is_even_and_whole", "length_is_lower_than": "length_is_lower_than",
    "date_is": "is", "date_is_not": "is_not", "date_is_before": "before", "date_is_on_or_before": "on_or_before",
    "date_is_after": "after", "date_is_on_or_after": "on_or_after", "date_is_within": "within",
    "date_equal": "is", "date_not_equal": "is_not", "date_before": "before", "date_after": "after",
    "date_before_or_equal": "on_or_before", "date_after_or_equal": "on_or_after",
}
FIXED = {
    "date_equals_today": ("is", "today"), "date_before_today": ("before", "today"), "date_after_today": ("after", "today"),
    "date_equals_week": ("within", "this_week"), "date_equals_month": ("within", "this_month"),
    "date_equals_year": ("within", "this_year"),
}
UNITS = {
    "today": "today", "yesterday": "yesterday", "tomorrow": "tomorrow", "nr_days_ago": "days_ago", "nr_days_from_now": "days_from_now",
    "nr_weeks_ago": "weeks_ago", "nr_weeks_from_now": "weeks_from_now", "nr_months_ago": "months_ago",
    "nr_months_from_now": "months_from_now", "nr_years_ago": "years_ago", "nr_years_from_now": "years_from_now",
    "exact_date": "exact_date", "this_week": "this_week", "this_month": "this_month", "this_year": "this_year",
}
VALUELESS = ("is_empty", "is_filled", "is_even_and_whole")
Tell = Callable[[str], None]


def group(holder: Item, names: Names, tell: Tell) -> dict[str, Any] | None:
    """Return the filter of a view as one group, None where it has none; *tell* is told what has no counterpart.

    Baserow keeps filters flat, each with the id of its group, and groups with the id of theirs.
    """
    groups = {id_of(one): one for one in listed(holder, "filter_groups")}
    inside: dict[int | None, list[dict[str, Any]]] = {}
    for one in listed(holder, "filters"):
        made = condition(one, names, tell)
        if made is not None:
            place = id_of(one, "group")
            inside.setdefault(place if place in groups else None, []).append(made)
    # Inner groups have the larger ids: closed from the last to the first, each goes into its own.
    for group_id in sorted((g for g in groups if g is not None), reverse=True):
        if group_id in inside:
            parent = id_of(groups[group_id], "parent_group")
            word = _word(groups[group_id])
            inside.setdefault(parent if parent in groups and parent != group_id else None, []).append(
                {word: inside.pop(group_id)[:50]})
    found = inside.get(None, [])
    return {_word(holder): found[:50]} if found else None


def _word(holder: Item) -> str:
    return "any" if holder.get("filter_type", holder.get("condition_type")) == "OR" else "all"


def condition(item: Item, names: Names, tell: Tell) -> dict[str, Any] | None:
    """Return one condition, None where it has no counterpart."""
    kind = str(item.get("type"))
    field = names.field_ref(id_of(item, "field_id") or id_of(item, "field"))
    if field is None:
        tell("a filter on a missing field")
        return None
    if kind in FIXED:
        operator, unit = FIXED[kind]
        return {"field": field, "operator": operator, "unit": unit}
    found = OPERATORS.get(kind)
    if found is None:
        tell(f"the filter “{kind[:60]}”")
        return None
    made: dict[str, Any] = {"field": field, "operator": found}
    return made if found in VALUELESS else _valued(made, kind, item.get("value"), names, tell)


def _valued(made: dict[str, Any], kind: str, value: Any, names: Names, tell: Tell) -> dict[str, Any] | None:
    if isinstance(value, dict):  # a formula of a page: its text is what can be kept
        value = value.get("formula", "")
    text = str(value)[:10_000] if value is not None else ""
    if kind == "boolean":
        return {**made, "value": text.lower() in ("1", "true", "yes", "t", "y", "on")}
    if "select" in kind:
        keys = [names.choices.get(number) for one in text.split(",") if (number := whole(one)) is not None]
        if not keys or None in keys:
            tell("a filter by a missing choice")
            return None
        return {**made, "value": keys if kind.endswith("_of") else keys[0]}
    if kind in ("link_row_has", "link_row_has_not"):
        return _linked(made, text, names, tell)
    if kind.startswith("date_"):
        return _dated(made, text)
    return {**made, "value": text}


def _linked(made: dict[str, Any], text: str, names: Names, tell: Tell) -> dict[str, Any] | None:
    target = names.target_of(made["field"])
    row = whole(text)
    seq = target.seqs.get(row) if target is not None and row is not None else None
    if seq is None:
        tell("a filter by a missing row")
        return None
    return {**made, "value": seq}


def _dated(made: dict[str, Any], text: str) -> dict[str, Any]:
    """Read "Europe/London?5?nr_days_ago", "Europe/London??today", or a plain date."""
    *_, amount, unit = ["", "", *text.split("?")]
    if unit not in UNITS:
        return {**made, "value": text.rpartition("?")[2], "unit": "exact_date"}
    found = {**made, "unit": UNITS[unit]}
    if amount:
        days = whole(amount.removeprefix("-"))
        found["value"] = amount if days is None else -days if amount.startswith("-") else days
    return found
