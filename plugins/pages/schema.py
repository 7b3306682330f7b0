"""The schema of pages: where they are, who sees them, what data they show, and the tree of their blocks."""

from __future__ import annotations

from core.api import Kind
from core.api import schemas as s

FIELD = s.part_ref("worksheet", "field")
VIEW = s.part_ref("worksheet", "view")
BLOCK_TYPES = (
    "heading", "text", "image", "link", "button", "menu", "columns", "container", "form", "input", "choice", "date_input",
    "checkbox", "file_input", "rating", "record_select", "sign_in", "table", "view", "chart", "list", "record", "embed", "html",
    "header", "footer", "divider", "plugin",
)
# A value that follows what happens: fixed text with holes "{0}", "{1}" …, each filled by one of the uses.
USE = {"anyOf": [
    s.closed({"field": FIELD, "source": s.key("d")}, ["field"]),
    s.closed({"parameter": s.NAME}, ["parameter"]),
    s.closed({"input": s.key("b")}, ["input"]),
    s.closed({"user": s.one_of("id", "email", "name", "role", "is_signed_in")}, ["user"]),
    s.closed({"source": s.key("d"), "path": s.text(500)}, ["source", "path"]),
    s.closed({"result": s.text(500)}, ["result"]),
]}
TEMPLATE = s.closed({"template": s.text(20_000), "uses": s.listed(USE, 100)}, ["template"])
CONDITION = {"anyOf": [
    s.closed({"all": s.listed({"$ref": "#/$defs/condition"}, 50)}, ["all"]),
    s.closed({"any": s.listed({"$ref": "#/$defs/condition"}, 50)}, ["any"]),
    s.closed({"field": FIELD, "operator": s.text(40), "value": {"anyOf": [TEMPLATE, s.SCALAR]}}, ["field", "operator"]),
]}
CONDITION_REF = {"$ref": "#/$defs/condition"}
SORT = s.closed({"field": FIELD, "descending": s.FLAG}, ["field"])
VISIBILITY = s.one_of("everyone", "signed_in", "signed_out", "roles", "except_roles")
ROLES = s.listed(s.ref("role", "portal_role"), 100)
STYLE = {"type": "object", "maxProperties": 60, "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}" + s.END},
         "additionalProperties": s.SCALAR}
EVENT = s.closed({
    "on": s.one_of("click", "submit", "sign_in", "change", "load"),
    "do": s.one_of("open_page", "open_url", "create_record", "update_record", "delete_record", "notify", "refresh", "sign_out",
                   "run_workflow"),
    "page": s.ref("page"),
    "parameters": s.listed(s.closed({"name": s.NAME, "value": TEMPLATE}, ["name", "value"]), 50),
    "worksheet": s.ref("worksheet"),
    "workflow": s.ref("workflow"),
    "record": TEMPLATE,
    "values": s.listed(s.closed({"field": FIELD, "value": TEMPLATE}, ["field", "value"]), 200),
    "source": s.key("d"),
    "url": TEMPLATE,
    "new_tab": s.FLAG,
    "title": TEMPLATE,
    "message": TEMPLATE,
    "when": TEMPLATE,
}, ["on", "do"])
COLUMN = s.closed({
    "name": s.text(200), "type": s.one_of("text", "link", "image", "button", "boolean", "tags", "rating", "date"),
    "value": TEMPLATE, "url": TEMPLATE, "page": s.ref("page"), "key": s.key("b"), "new_tab": s.FLAG,
    "parameters": s.listed(s.closed({"name": s.NAME, "value": TEMPLATE}, ["name", "value"]), 50),
    "events": s.listed(EVENT, 20), "style": STYLE,
}, ["name", "type"])
BLOCK = s.closed({
    "key": s.key("b"),
    "type": s.one_of(*BLOCK_TYPES),
    "name": s.text(200),
    "text": TEMPLATE,
    "level": s.whole(1, 6),
    "format": s.one_of("plain", "markdown", "html"),
    "image": {"anyOf": [s.FILE, TEMPLATE]},
    "alt": TEMPLATE,
    "url": TEMPLATE,
    "page": s.ref("page"),
    "parameters": s.listed(s.closed({"name": s.NAME, "value": TEMPLATE}, ["name", "value"]), 50),
    "new_tab": s.FLAG,
    "look": s.text(40),
    "align": s.one_of("left", "centre", "right", "justify"),
    "columns": s.whole(1, 12),
    "column": s.whole(0, 11),
    "table_columns": s.listed(COLUMN, 100),
    "source": s.key("d"),
    "items_per_page": s.whole(1, 1000),
    "orientation": s.one_of("vertical", "horizontal"),
    "label": TEMPLATE,
    "placeholder": TEMPLATE,
    "default": TEMPLATE,
    "required": s.FLAG,
    "multiple": s.FLAG,
    "rows": s.whole(1, 100),
    "validation": s.one_of("any", "email", "integer", "number", "password", "url", "phone"),
    "options": s.listed(s.closed({"name": s.text(500), "value": s.text(500)}, ["name", "value"]), 1000),
    "options_source": TEMPLATE,
    "include_time": s.FLAG,
    "date_format": s.text(40),
    "field": FIELD,
    "worksheet": s.ref("worksheet"),
    "view": VIEW,
    "chart": s.closed({
        "type": s.one_of("bar", "line", "pie", "doughnut", "number"), "group_by": FIELD,
        "value": FIELD, "function": s.one_of("count", "sum", "average", "min", "max"), "stacked": s.FLAG}, ["type"]),
    "html": s.text(50_000),
    "plugin_type": s.text(40),
    "settings": s.SETTINGS,
    "share": s.one_of("all", "only", "except"),
    "shared_pages": s.listed(s.ref("page"), 500),
    "items": s.listed({"$ref": "#/$defs/menu_item"}, 100),
    "visibility": VISIBILITY,
    "roles": ROLES,
    "show_if": TEMPLATE,
    "style": STYLE,
    "events": s.listed(EVENT, 50),
    "blocks": s.listed({"$ref": "#/$defs/block"}, 1000),
}, ["key", "type"])
MENU_ITEM = s.closed({
    "label": s.text(200), "type": s.one_of("link", "button", "separator", "spacer"), "page": s.ref("page"), "url": TEMPLATE,
    "parameters": s.listed(s.closed({"name": s.NAME, "value": TEMPLATE}, ["name", "value"]), 50), "new_tab": s.FLAG,
    "look": s.text(40), "key": s.key("b"), "events": s.listed(EVENT, 20), "items": s.listed({"$ref": "#/$defs/menu_item"}, 100),
}, ["label", "type"])
SOURCE = s.closed({
    "key": s.key("d"),
    "name": s.NAME,
    "kind": s.one_of("list", "record"),
    "worksheet": s.ref("worksheet"),
    "view": VIEW,
    "filter": CONDITION_REF,
    "sorts": s.listed(SORT, 20),
    "search": TEMPLATE,
    "record": TEMPLATE,
    "limit": s.whole(1, 10_000),
}, ["key", "name", "kind"])

PAGE = Kind(name="page", title="Page", letter="p", schema={
    **s.closed({
        "name": s.NAME,
        "path": s.text(255),
        "icon": s.text(60),
        "description": s.text(5000),
        "shared": s.FLAG,
        "visibility": VISIBILITY,
        "roles": ROLES,
        "parameters": s.listed(s.closed({"name": s.NAME, "type": s.one_of("text", "number"), "in": s.one_of("path", "query")},
                                        ["name", "type"]), 50),
        "sources": s.listed(SOURCE, 200),
        "blocks": s.listed({"$ref": "#/$defs/block"}, 2000),
    }, ["name", "blocks"]),
    "$defs": {"block": BLOCK, "condition": CONDITION, "menu_item": MENU_ITEM},
})
