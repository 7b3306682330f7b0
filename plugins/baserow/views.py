"""Baserow's views as views of worksheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from core.api import ImportContext
from plugins.baserow.filters import condition, group
from plugins.baserow.names import Names, Table, in_order
from plugins.baserow.read import Item, id_of, items, listed, name_of, number, text

KINDS = ("grid", "gallery", "kanban", "calendar", "timeline", "form")
HEIGHTS = {"small": "small", "medium": "medium", "large": "large", "extra_large": "extra_large"}
AGGREGATES = {
    "sum": "sum", "average": "average", "median": "median", "min": "min", "max": "max", "range": "range", "std_dev": "std_dev",
    "variance": "variance", "count": "count", "empty_count": "empty", "not_empty_count": "filled", "unique_count": "unique",
    "checked_count": "checked", "not_checked_count": "unchecked", "empty_percentage": "percent_empty",
    "not_empty_percentage": "percent_filled", "min_date": "min", "max_date": "max", "distribution": "distribution",
}
COLOURS = {"blue": "#2f7bf6", "green": "#2ca25f", "red": "#e34a4a", "orange": "#f28c28", "yellow": "#f2c94c", "purple": "#8e5bd0",
           "pink": "#e0609a", "brown": "#8b6b4f", "cyan": "#2bb3c0", "gray": "#8a8f98"}
NEW_COLOUR = "#8a8f98"
PutFile = Callable[[Item], dict[str, Any] | None]


@dataclass
class Views:
    """Makes the views of one table."""

    table: Table
    names: Names
    context: ImportContext
    put_file: PutFile

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield the views in their order."""
        for item in in_order(listed(self.table.item, "views")):
            view_id = id_of(item)
            if view_id is None:
                continue
            if text(item, "type", 60) not in KINDS:
                self.note(item, f"there is no matching view for “{str(item.get('type'))[:60]}”")
                self.names.views.pop(view_id)
                continue
            yield self._view(item, self.names.views[view_id].rpartition("/")[2])

    def note(self, item: Item, reason: str) -> None:
        """Say that something of a view has no counterpart."""
        self.context.unsupported("view", f"{self.table.name}: {name_of(item, 'View')}", reason)

    def _view(self, item: Item, key: str) -> dict[str, Any]:
        view: dict[str, Any] = {"key": key, "type": item["type"], "name": name_of(item, "View")}
        if item.get("public") is True:
            self.note(item, "it was public and is private here")
        if item.get("filters_disabled") is True and listed(item, "filters"):
            self.note(item, "its filters were turned off and are left out")
        elif item["type"] != "form" and (found := group(item, self.names, lambda what: self.note(item, what))) is not None:
            view["filter"] = found
        for ours, theirs in (("sorts", "sortings"), ("groups", "group_bys")):
            if sorts := list(self._sorts(item, theirs)):
                view[ours] = sorts[:20 if ours == "sorts" else 5]
        if item["type"] == "form":
            view["form"] = self._form(item)
        elif shown := list(self._shown(item)):
            view["fields"] = shown
        self._looks(item, view)
        return view

    def _sorts(self, item: Item, key: str) -> Iterator[dict[str, Any]]:
        for one in listed(item, key):
            field = self.names.field_ref(id_of(one, "field_id") or id_of(one, "field"))
            if field is None:
                self.note(item, "a sort by a missing field")
                continue
            yield {"field": field, **({"descending": True} if one.get("order", one.get("order_by")) == "DESC" else {})}

    def _shown(self, item: Item) -> Iterator[dict[str, Any]]:
        seen = set()
        for one in sorted(listed(item, "field_options"), key=lambda o: number(o, "order")):
            field_id = id_of(one, "field_id")
            if field_id not in self.table.fields or field_id in seen or field_id is None:
                continue
            seen.add(field_id)
            shown: dict[str, Any] = {"field": self.table.ref(field_id)}
            if one.get("hidden") is True:
                shown["hidden"] = True
            if 20 <= (width := int(number(one, "width"))) <= 2000:
                shown["width"] = width
            if raw := text(one, "aggregation_raw_type", 60):
                if raw in AGGREGATES:
                    shown["aggregate"] = AGGREGATES[raw]
                else:
                    self.note(item, f"the summary “{raw}” of a column")
            yield shown

    def _looks(self, item: Item, view: dict[str, Any]) -> None:
        for ours, theirs in (("cover_field", "card_cover_image_field_id"), ("cover_field", "card_cover_image_field"),
                             ("stack_field", "single_select_field_id"), ("start_field", "date_field_id"),
                             ("start_field", "start_date_field_id"), ("end_field", "end_date_field_id")):
            if (field := self.names.field_ref(id_of(item, theirs))) is not None:
                view[ours] = field
        if (height := HEIGHTS.get(text(item, "row_height_size", 40))) is not None:
            view["row_height"] = height
        if item.get("row_identifier_type") in ("id", "count"):
            view["row_number"] = "seq" if item["row_identifier_type"] == "id" else "count"
        if colours := list(self._colours(item)):
            view["colours"] = colours[:50]

    def _colours(self, item: Item) -> Iterator[dict[str, Any]]:
        for one in listed(item, "decorations"):
            place = {"left_border_color": "left_border", "background_color": "background"}.get(str(one.get("type")))
            conf = one["value_provider_conf"] if isinstance(one.get("value_provider_conf"), dict) else {}
            kind = one.get("value_provider_type")
            if place is None or kind not in ("single_select_color", "conditional_color"):
                self.note(item, f"the colouring “{str(one.get('type'))[:60]}” by “{str(kind)[:60]}”")
            elif kind == "single_select_color":
                if (field := self.names.field_ref(id_of(conf, "field_id"))) is not None:
                    yield {"place": place, "field": field}
            else:
                yield from self._conditional(item, place, conf)

    def _conditional(self, item: Item, place: str, conf: Item) -> Iterator[dict[str, Any]]:
        for colour in listed(conf, "colors"):
            made: dict[str, Any] = {"place": place, "colour": _hex(text(colour, "color", 40))}
            found = [c for one in listed(colour, "filters")
                     if (c := condition(one, self.names, lambda what: self.note(item, f"in a colour: {what}"))) is not None]
            if found:
                made["when"] = {"any" if colour.get("operator") == "OR" else "all": found[:50]}
            elif listed(colour, "filters"):
                continue
            yield made

    def _form(self, item: Item) -> dict[str, Any]:
        form: dict[str, Any] = {}
        for ours, theirs, longest in (("title", "title", 200), ("description", "description", 5000), ("button", "submit_text", 60)):
            if value := text(item, theirs, longest):
                form[ours] = value
        for ours, theirs in (("cover", "cover_image"), ("logo", "logo_image")):
            if isinstance(item.get(theirs), dict) and (file := self.put_file(item[theirs])) is not None:
                form[ours] = file
        done = {"url": text(item, "submit_action_redirect_url", 2000)} if item.get("submit_action") == "REDIRECT" else {
            "message": text(item, "submit_action_message", 5000)}
        form["done"] = {name: value for name, value in done.items() if value}
        shown = sorted(listed(item, "field_options"), key=lambda o: number(o, "order"))
        form["fields"] = [made for one in shown if one.get("enabled") is True and (made := self._form_field(item, one)) is not None]
        return form

    def _form_field(self, item: Item, one: Item) -> dict[str, Any] | None:
        field_id = id_of(one, "field_id")
        if field_id is None or field_id not in self.table.fields:
            return None
        made: dict[str, Any] = {"field": self.table.ref(field_id)}
        for ours, theirs, longest in (("label", "name", 200), ("help", "description", 2000)):
            if value := text(one, theirs, longest):
                made[ours] = value
        if one.get("required") is True:
            made["required"] = True
        if one.get("show_when_matching_conditions") is True:
            found = [c for given in items(one.get("conditions"))
                     if (c := condition(given, self.names, lambda what: self.note(item, f"in the form: {what}"))) is not None]
            if found:
                made["show_if"] = {"any" if one.get("condition_type") == "OR" else "all": found[:50]}
        return made


def _hex(name: str) -> str:
    if name.startswith("#") and len(name) >= 7:
        return name[:7].lower() if all(c in "0123456789abcdefABCDEF" for c in name[1:7]) else NEW_COLOUR
    return next((colour for word, colour in COLOURS.items() if word in name), NEW_COLOUR)
