"""Pages of Baserow's builder as pages: elements become blocks, data sources sources, actions events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.api import ImportContext, new_key
from plugins.baserow.filters import OPERATORS
from plugins.baserow.names import Names, in_order
from plugins.baserow.read import Item, id_of, items, listed, name_of, number, text, whole
from plugins.baserow.texts import NoTemplate, Template, fixed, template
from plugins.baserow.views import PutFile

BLOCKS = {
    "heading": "heading", "text": "text", "image": "image", "link": "link", "button": "button", "menu": "menu", "column": "columns",
    "simple_container": "container", "form_container": "form", "input_text": "input", "choice": "choice",
    "datetime_picker": "date_input", "checkbox": "checkbox", "input_file": "file_input", "rating_input": "rating", "rating": "rating",
    "record_selector": "record_select", "auth_form": "sign_in", "table": "table", "repeat": "list", "iframe": "embed",
    "header": "header", "footer": "footer",
}
VISIBILITY = {"all": "everyone", "logged-in": "signed_in", "not-logged": "signed_out"}
ROLE_TYPES = {"disallow_all_except": "roles", "allow_all_except": "except_roles"}
EVENTS = {"click": "click", "submit": "submit", "after_login": "sign_in", "change": "change"}
COLUMNS = {"text": "text", "link": "link", "image": "image", "button": "button", "boolean": "boolean", "tags": "tags", "rating": "rating"}
ALIGN = {"left": "left", "center": "centre", "right": "right", "justify": "justify"}
MAX_STYLES = 60
MAX_STYLE = 10**6
MAX_COLUMNS = 12


@dataclass
class Pages:
    """Makes the pages of one builder."""

    builder: Item
    names: Names
    context: ImportContext
    put_file: PutFile
    page: Item = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (key, body) of each page in order."""
        for page in in_order(listed(self.builder, "pages")):
            page_id = id_of(page)
            if page_id is not None:
                self.page = page
                yield self.names.pages[page_id], self._page(page)

    def note(self, what: str, reason: str) -> None:
        """Say that something of the page has no counterpart."""
        self.context.unsupported(what, f"{name_of(self.builder, 'Application')}: {name_of(self.page, 'Page')}", reason)

    def _page(self, page: Item) -> dict[str, Any]:
        self.events = self._all_events(page)
        body: dict[str, Any] = {"name": name_of(page, "Page"), "blocks": self._tree(page)}
        if path := text(page, "path", 255):
            body["path"] = path
        if page.get("shared") is True:
            body["shared"] = True
        parameters = [*self._parameters(page, "path_params", "path"), *self._parameters(page, "query_params", "query")]
        if parameters:
            body["parameters"] = parameters[:50]
        if sources := [made for one in in_order(listed(page, "data_sources")) if (made := self._source(one)) is not None]:
            body["sources"] = sources[:200]
        return {**body, **self._visibility(page)}

    def _parameters(self, page: Item, key: str, where: str) -> Iterator[dict[str, Any]]:
        for one in listed(page, key):
            kind = "number" if one.get("type") == "numeric" else "text"
            yield {"name": name_of(one, "parameter"), "type": kind, "in": where}

    def _visibility(self, item: Item) -> dict[str, Any]:
        given = item["roles"] if isinstance(item.get("roles"), list) else []
        roles = [{"ref": f"portal_role/{self.names.roles[r]}"} for r in given if isinstance(r, str) and r in self.names.roles]
        kind = ROLE_TYPES.get(str(item.get("role_type")))
        if kind is not None and item.get("visibility") == "logged-in":
            return {"visibility": kind, "roles": roles[:100]}
        found = VISIBILITY.get(str(item.get("visibility")), "everyone")
        return {} if found == "everyone" else {"visibility": found}

    # What the page shows.

    def _source(self, item: Item) -> dict[str, Any] | None:
        source_id = id_of(item)
        service = item["service"] if isinstance(item.get("service"), dict) else {}
        kind = {"local_baserow_list_rows": "list", "local_baserow_get_row": "record"}.get(str(service.get("type")))
        if source_id is None:
            return None
        made: dict[str, Any] = {"key": self.names.sources[source_id], "name": name_of(item, "Source"), "kind": kind or "list"}
        if kind is None:
            self.note("data source", f"“{made['name']}” asks for “{str(service.get('type'))[:60]}”")
            return made
        table = self.names.tables.get(id_of(service, "table_id") or -1)
        if table is not None:
            made["worksheet"] = {"ref": table.address}
        if (view := self.names.view_ref(id_of(service, "view_id"))) is not None:
            made["view"] = view
        for ours, theirs in (("search", "search_query"), ("record", "row_id")):
            if (found := self._template(service.get(theirs), f"the data source “{made['name']}”")) is not None:
                made[ours] = found
        self._narrow(made, service)
        return made

    def _narrow(self, made: dict[str, Any], service: Item) -> None:
        sorts = [{"field": ref, **({"descending": True} if one.get("order_by", one.get("order")) == "DESC" else {})}
                 for one in listed(service, "sortings")
                 if (ref := self.names.field_ref(id_of(one, "field") or id_of(one, "field_id"))) is not None]
        if sorts:
            made["sorts"] = sorts[:20]
        found = []
        for one in listed(service, "filters"):
            field_ref = self.names.field_ref(id_of(one, "field") or id_of(one, "field_id"))
            operator = OPERATORS.get(str(one.get("type")))
            if field_ref is None or operator is None:
                self.note("data source", f"a filter “{str(one.get('type'))[:60]}” of “{made['name']}”")
                continue
            condition: dict[str, Any] = {"field": field_ref, "operator": operator}
            value = one.get("value")
            shown = self._template(value, "a filter") if one.get("value_is_formula") is not False else fixed(str(value or ""))
            if shown is not None:
                condition["value"] = shown
            found.append(condition)
        if found:
            made["filter"] = {"any" if service.get("filter_type") == "OR" else "all": found[:50]}

    def _tree(self, page: Item) -> list[dict[str, Any]]:
        """Return the blocks as a tree; one whose container is not there stands at the top."""
        elements = {eid: e for e in in_order(listed(page, "elements")) if (eid := id_of(e)) is not None}
        below: dict[int | None, list[int]] = {}
        for element_id, element in elements.items():
            parent = id_of(element, "parent_element_id")
            below.setdefault(parent if parent in elements and parent != element_id else None, []).append(element_id)
        made: dict[int, dict[str, Any]] = {}
        waiting = list(below.get(None, []))
        for element_id in waiting:  # it grows: a block is made before those inside it
            made[element_id] = self._block(elements[element_id])
            waiting += below.get(element_id, [])
        for element_id in reversed(waiting):
            if element_id in below:
                made[element_id]["blocks"] = [made[one] for one in below[element_id]][:1000]
        if len(made) < len(elements):
            self.note("element", f"{len(elements) - len(made)} that are inside each other")
        return [made[one] for one in below.get(None, [])][:2000]

    def _block(self, item: Item) -> dict[str, Any]:
        kind = BLOCKS.get(str(item.get("type")))
        block: dict[str, Any] = {"key": self.names.elements[item["id"]], "type": kind or "container"}
        if kind is None:
            self.note("element", f"there is no matching block for “{str(item.get('type'))[:60]}”; what was inside it is kept")
        else:
            fill = FILLS.get(kind)
            if fill is not None:
                fill(self, item, block)
        place = whole(text(item, "place_in_container", 40))
        if place is not None and place < MAX_COLUMNS:
            block["column"] = place
        if style := self._style(item):
            block["style"] = style
        if isinstance(item.get("styles"), dict) and item["styles"]:
            self.note("element", "styles that differ from the theme's")
        if (shown := self._template(item.get("visibility_condition"), "when a block is shown")) is not None:
            block["show_if"] = shown
        if found := self.events.get(str(item["id"])):
            block["events"] = found[:50]
        return {**block, **self._visibility(item)}

    def _style(self, item: Item) -> dict[str, Any]:
        found = {}
        for name, value in item.items():
            if name.startswith("style_") and isinstance(value, str | int | bool) and value not in ("", 0, False, "none", "default") \
                    and (isinstance(value, str) or abs(value) <= MAX_STYLE):
                found[name.removeprefix("style_")[:40]] = value[:1000] if isinstance(value, str) else value
        return dict(list(found.items())[:MAX_STYLES])

    def _template(self, value: Any, where: str) -> Template | None:
        try:
            return template(value, self.names)
        except (NoTemplate, RecursionError) as error:
            self.note("expression", f"{where}: {error}: {str(value)[:200]}")
            return None

    # What happens when somebody uses it.

    def _all_events(self, page: Item) -> dict[str, list[dict[str, Any]]]:
        """Return the events by the id of their element, or by the uid of a column or menu item inside it."""
        found: dict[str, list[dict[str, Any]]] = {}
        for action in in_order(listed(page, "workflow_actions")):
            uid, _, word = str(action.get("event")).rpartition("_")
            on = EVENTS.get(str(action.get("event"))) or EVENTS.get(word)
            made = self._event(action) if on is not None else None
            if made is None or on is None:
                self.note("action", f"“{str(action.get('type'))[:60]}” on “{str(action.get('event'))[:60]}”")
                continue
            owner = uid if "-" in uid else str(action.get("element_id"))
            found.setdefault(owner, []).append({"on": on, **made})
        return found

    def _event(self, action: Item) -> dict[str, Any] | None:
        make = ACTIONS.get(str(action.get("type")))
        return make(self, action) if make is not None else None

    def _where(self, item: Item) -> dict[str, Any]:
        """Return where a link or action leads: a page with its parameters, or an address."""
        made: dict[str, Any] = {}
        if item.get("navigation_type") == "custom":
            if (url := self._template(item.get("navigate_to_url"), "a link")) is not None:
                made["url"] = url
        elif (page := self.names.page_ref(id_of(item, "navigate_to_page_id"))) is not None:
            made["page"] = page
            given = [{"name": name_of(one, "parameter"), "value": value}
                     for key in ("page_parameters", "query_parameters") for one in listed(item, key)
                     if (value := self._template(one.get("value"), "a parameter")) is not None]
            if given:
                made["parameters"] = given[:50]
        if item.get("target") == "blank":
            made["new_tab"] = True
        return made


def _open_page(pages: Pages, action: Item) -> dict[str, Any]:
    made = pages._where(action)
    return {"do": "open_url" if "url" in made else "open_page", **made}


def _write(do: str) -> Callable[[Pages, Item], dict[str, Any] | None]:
    def make(pages: Pages, action: Item) -> dict[str, Any] | None:
        service = action["service"] if isinstance(action.get("service"), dict) else {}
        table = pages.names.tables.get(id_of(service, "table_id") or -1)
        if table is None:
            return None
        made: dict[str, Any] = {"do": do, "worksheet": {"ref": table.address}}
        if (record := pages._template(service.get("row_id"), "an action")) is not None:
            made["record"] = record
        values = [{"field": ref, "value": value} for one in listed(service, "field_mappings")
                  if one.get("enabled") is not False and (ref := pages.names.field_ref(id_of(one, "field_id"))) is not None
                  and (value := pages._template(one.get("value"), "a value that an action writes")) is not None]
        return {**made, **({"values": values[:200]} if values else {})}

    return make


def _notify(pages: Pages, action: Item) -> dict[str, Any]:
    told = {"title": pages._template(action.get("title"), "a message"),
            "message": pages._template(action.get("description"), "a message")}
    return {"do": "notify", **{name: value for name, value in told.items() if value is not None}}


def _refresh(pages: Pages, action: Item) -> dict[str, Any]:
    key = pages.names.sources.get(id_of(action, "data_source_id") or -1)
    return {"do": "refresh", **({"source": key} if key else {})}


ACTIONS: dict[str, Callable[[Pages, Item], dict[str, Any] | None]] = {
    "open_page": _open_page, "create_row": _write("create_record"), "update_row": _write("update_record"),
    "delete_row": _write("delete_record"), "notification": _notify, "refresh_data_source": _refresh,
    "logout": lambda pages, action: {"do": "sign_out"},
}


# How each kind of block is filled.

def _texts(*pairs: tuple[str, str]) -> Callable[[Pages, Item, dict[str, Any]], None]:
    def fill(pages: Pages, item: Item, block: dict[str, Any]) -> None:
        for ours, theirs in pairs:
            if (found := pages._template(item.get(theirs), f"a {block['type']}")) is not None:
                block[ours] = found

    return fill


_value = _texts(("text", "value"))
_input = _texts(("label", "label"), ("placeholder", "placeholder"), ("default", "default_value"))


def _heading(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _value(pages, item, block)
    block["level"] = min(max(int(number(item, "level")), 1), 6)


def _text(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _value(pages, item, block)
    block["format"] = "markdown" if item.get("format") == "markdown" else "plain"


def _image(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    if isinstance(item.get("image_file_id"), dict) and item.get("image_source_type") != "url":
        if (file := pages.put_file(item["image_file_id"])) is not None:
            block["image"] = file
    elif (found := pages._template(item.get("image_url"), "an image")) is not None:
        block["image"] = found
    _texts(("alt", "alt_text"))(pages, item, block)


def _link(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _value(pages, item, block)
    block.update(pages._where(item))
    if look := text(item, "variant", 40):
        block["look"] = look


def _columns(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    block["columns"] = min(max(int(number(item, "column_amount")), 1), MAX_COLUMNS)
    if (align := ALIGN.get(text(item, "alignment", 40))) is not None:
        block["align"] = align


def _sourced(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    key = pages.names.sources.get(id_of(item, "data_source_id") or -1)
    if key is not None:
        block["source"] = key
    if 1 <= (count := int(number(item, "items_per_page"))) <= 1000:
        block["items_per_page"] = count
    orientation = item.get("orientation")
    if isinstance(orientation, dict):
        orientation = orientation.get("desktop")
    if orientation in ("vertical", "horizontal"):
        block["orientation"] = orientation


def _table(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _sourced(pages, item, block)
    columns = []
    for one in listed(item, "fields"):
        kind = COLUMNS.get(str(one.get("type")))
        if kind is None:
            pages.note("element", f"a column of type “{str(one.get('type'))[:60]}” is shown as text")
        column: dict[str, Any] = {"name": text(one, "name", 200), "type": kind or "text"}
        config = one["config"] if isinstance(one.get("config"), dict) else one
        for theirs in ("value", "link_name", "label", "values", "src"):
            if (found := pages._template(config.get(theirs), "a column")) is not None:
                column["value"] = found
                break
        leads = pages._where(config)
        column.update({name: leads[name] for name in ("url", "page", "parameters", "new_tab") if name in leads})
        uid = text(one, "uid", 60)
        if uid in pages.events:
            column.update(key=new_key("b"), events=pages.events[uid][:20])
        columns.append(column)
    block["table_columns"] = columns[:100]


def _list(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _sourced(pages, item, block)
    per_row = item.get("items_per_row")
    if isinstance(per_row, dict) and 1 <= (count := int(number(per_row, "desktop"))) <= 12:
        block["columns"] = count


def _form(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _texts(("label", "submit_button_label"))(pages, item, block)


def _field(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _input(pages, item, block)
    for ours in ("required", "multiple", "include_time"):
        if item.get(ours) is True:
            block[ours] = True
    kind = text(item, "validation_type", 20)
    if kind in ("any", "email", "integer", "number", "password", "url", "phone"):
        block["validation"] = kind
    if item.get("is_multiline") is True:
        block["rows"] = min(max(int(number(item, "rows")), 2), 100)
    if shape := text(item, "date_format", 40):
        block["date_format"] = shape


def _choice(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _field(pages, item, block)
    options = [{"name": text(o, "name", 500), "value": text(o, "value", 500) or text(o, "name", 500)} for o in listed(item, "options")]
    if options:
        block["options"] = options[:1000]
    if (found := pages._template(item.get("formula_value"), "a choice")) is not None:
        block["options_source"] = found


def _record_select(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    _field(pages, item, block)
    _sourced(pages, item, block)


def _shared(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    block["share"] = {"all": "all", "only": "only", "except": "except"}.get(str(item.get("share_type")), "all")
    shared = [ref for one in item.get("pages") or () if (ref := pages.names.page_ref(one)) is not None] \
        if isinstance(item.get("pages"), list) else []
    if shared:
        block["shared_pages"] = shared[:500]


def _menu(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    if item.get("orientation") in ("vertical", "horizontal"):
        block["orientation"] = item["orientation"]
    block["items"] = list(_menu_items(pages, listed(item, "menu_items"), 0))[:100]


def _menu_items(pages: Pages, given: list[Item], depth: int) -> Iterator[dict[str, Any]]:
    for one in sorted(given, key=lambda o: number(o, "menu_item_order")):
        kind = one.get("type") if one.get("type") in ("link", "button", "separator", "spacer") else "link"
        made: dict[str, Any] = {"label": text(one, "name", 200), "type": kind, **pages._where(one)}
        if look := text(one, "variant", 40):
            made["look"] = look
        uid = text(one, "uid", 60)
        if uid in pages.events:
            made.update(key=new_key("b"), events=pages.events[uid][:20])
        if depth < 5 and (inside := list(_menu_items(pages, items(one.get("children")), depth + 1))):
            made["items"] = inside[:100]
        yield made


def _embed(pages: Pages, item: Item, block: dict[str, Any]) -> None:
    if item.get("source_type") == "embed":
        pages.note("element", "an embedded piece of HTML with values in it")
    _texts(("url", "url"), ("text", "embed"))(pages, item, block)


FILLS: dict[str, Callable[[Pages, Item, dict[str, Any]], None]] = {
    "heading": _heading, "text": _text, "image": _image, "link": _link, "button": _value, "menu": _menu, "columns": _columns,
    "form": _form, "input": _field, "choice": _choice, "date_input": _field, "checkbox": _field, "file_input": _field,
    "rating": _field, "record_select": _record_select, "sign_in": _texts(("label", "login_button_label")), "table": _table,
    "list": _list, "embed": _embed, "header": _shared, "footer": _shared,
}
