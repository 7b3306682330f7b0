"""The schema of worksheets: fields, views, forms, rules and buttons."""

from __future__ import annotations

from core.api import Kind
from core.api import schemas as s

FIELD = s.part_ref("worksheet", "field")
OPERATORS = (
    "is", "is_not", "contains", "contains_not", "starts_with", "ends_with", "is_empty", "is_filled", "greater", "greater_or_equal",
    "less", "less_or_equal", "before", "after", "on_or_before", "on_or_after", "is_today", "within", "is_any_of", "is_none_of",
    "has", "has_not", "is_even_and_whole", "length_is_lower_than", "user_is", "user_is_not", "file_type_is", "matches",
)
FIELD_SCHEMA = s.closed({
    "key": s.key("f"),
    "type": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}" + s.END},
    "name": s.NAME,
    "description": s.text(2000),
    "required": s.FLAG,
    "unique": s.FLAG,
    "indexed": s.FLAG,
    "default": s.SCALAR,
    "options": {"type": "object"},
}, ["key", "type", "name", "options"])

FILTER = {
    "anyOf": [
        s.closed({"all": {"type": "array", "maxItems": 50, "items": {"$ref": "#/$defs/filter"}}}, ["all"]),
        s.closed({"any": {"type": "array", "maxItems": 50, "items": {"$ref": "#/$defs/filter"}}}, ["any"]),
        s.closed({
            "field": FIELD,
            "operator": s.one_of(*OPERATORS),
            "value": {"anyOf": [s.SCALAR, s.listed(s.SCALAR, 100)]},
            "unit": s.one_of("exact_date", "today", "yesterday", "tomorrow", "days_ago", "days_from_now", "weeks_ago",
                             "weeks_from_now", "months_ago", "months_from_now", "years_ago", "years_from_now",
                             "this_week", "this_month", "this_year"),
        }, ["field", "operator"]),
    ],
}
FILTER_REF = {"$ref": "#/$defs/filter"}
SORT = s.closed({"field": FIELD, "descending": s.FLAG}, ["field"])
SHOWN_FIELD = s.closed({
    "field": FIELD, "hidden": s.FLAG, "width": s.whole(20, 2000), "wrap": s.FLAG,
    "aggregate": s.one_of("count", "filled", "empty", "unique", "sum", "average", "median", "min", "max", "range", "checked",
                          "unchecked", "percent_filled", "percent_empty", "distribution", "std_dev", "variance"),
}, ["field"])
FORM_FIELD = s.closed({
    "field": FIELD, "label": s.text(200), "help": s.text(2000), "required": s.FLAG, "show_if": FILTER_REF,
    "style": s.one_of("default", "radios", "checkboxes", "dropdown", "list"),
}, ["field"])
VIEW = s.closed({
    "key": s.key("v"),
    "type": s.one_of("grid", "kanban", "gallery", "calendar", "timeline", "form"),
    "name": s.NAME,
    "description": s.text(2000),
    "filter": FILTER_REF,
    "sorts": s.listed(SORT, 20),
    "groups": s.listed(SORT, 5),
    "fields": s.listed(SHOWN_FIELD, 500),
    "row_height": s.one_of("small", "medium", "large", "extra_large"),
    "row_number": s.one_of("count", "seq"),
    "colours": s.listed(s.closed({
        "when": FILTER_REF, "field": FIELD, "colour": s.COLOUR, "place": s.one_of("left_border", "background")}, ["place"]), 50),
    "stack_field": FIELD,
    "cover_field": FIELD,
    "start_field": FIELD,
    "end_field": FIELD,
    "scale": s.one_of("day", "week", "month", "quarter", "year"),
    "public": s.FLAG,
    "form": s.closed({
        "title": s.text(200), "description": s.text(5000), "button": s.text(60),
        "cover": s.FILE, "logo": s.FILE,
        "fields": s.listed(FORM_FIELD, 500),
        "done": s.closed({"message": s.text(5000), "url": s.text(2000)}),
    }),
}, ["key", "type", "name"])
FORM = s.closed({
    "key": s.key("l"),
    "name": s.NAME,
    "sections": s.listed(s.closed({
        "title": s.text(200), "columns": s.whole(1, 4), "collapsed": s.FLAG, "fields": s.listed(FIELD, 500)}, ["fields"]), 50),
}, ["key", "name", "sections"])
RULE = s.closed({
    "key": s.key("k"),
    "name": s.NAME,
    "enabled": s.FLAG,
    "when": FILTER_REF,
    "then": {"title": "Actions", **s.listed(s.closed({
        "do": {"title": "Action", **s.one_of("show", "hide", "require", "read_only", "set", "refuse")}, "field": FIELD, "value": s.SCALAR,
        "message": s.text(500)}, ["do"]), 50)},
}, ["key", "name", "then"])
BUTTON = s.closed({
    "key": s.key("b"),
    "name": s.NAME,
    "colour": s.COLOUR,
    "confirm": {"title": "Confirmation question", **s.text(500)},
    "show_if": FILTER_REF,
    "do": {"title": "Action", **s.one_of("set_fields", "open_url", "open_page", "create_record", "run_workflow")},
    "values": s.listed(s.closed({"field": FIELD, "value": s.SCALAR}, ["field"]), 100),
    "target": s.ref("worksheet", "page", "workflow"),
    "url": s.text(2000),
}, ["key", "name", "do"])

WORKSHEET = Kind(
    name="worksheet", title="Worksheet", letter="w",
    parts={"field": "fields", "view": "views", "form": "forms", "rule": "rules", "button": "buttons"},
    schema={
        **s.closed({
            "name": s.NAME,
            "icon": s.text(60),
            "description": s.text(5000),
            "title_field": FIELD,
            "fields": s.listed(FIELD_SCHEMA, 500),
            "views": s.listed(VIEW, 500),
            "forms": s.listed(FORM, 50),
            "rules": s.listed(RULE, 200),
            "buttons": s.listed(BUTTON, 100),
        }, ["name", "fields"]),
        "$defs": {"filter": FILTER},
    },
)

__all__ = ["OPERATORS", "WORKSHEET"]
