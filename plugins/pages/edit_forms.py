"""Forms of the editor: the pieces of a page as forms ask for them: templates as texts with tokens, sources by their names. Pure.

A block is asked only for what makes sense for its type; all else that it holds stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.api import ICONS, Input, InvalidInput, server, walk
from plugins.pages.schema import PAGE, TEMPLATE
from plugins.pages.tokens import Tokens

Schema = Mapping[str, Any]
MARK = "x-template"
AS_IS = "x-as-is"
"""A piece that another plugin brings: neither tokens nor sources are in it."""
SHORT = ("label", "placeholder", "alt", "title", "show_if", "when", "record", "search")
COMMON = ("name", "visibility", "roles", "show_if")
FIELD = ("label", "default", "required")
ASKED: Mapping[str, tuple[str, ...]] = {
    "heading": ("text", "level", "align"), "text": ("text", "format", "align"), "image": ("image", "alt", "align"),
    "link": ("text", "page", "parameters", "url", "new_tab", "look", "align"),
    "button": ("text", "page", "parameters", "url", "new_tab", "events", "align"), "menu": ("items", "orientation"),
    "columns": ("columns",), "container": (), "form": ("label", "events"),
    "input": (*FIELD, "placeholder", "validation", "rows"), "choice": (*FIELD, "placeholder", "options", "options_source", "multiple"),
    "date_input": (*FIELD, "include_time"), "checkbox": FIELD, "file_input": ("label",), "rating": (*FIELD, "text"),
    "record_select": (*FIELD, "source", "multiple"), "sign_in": ("label",), "table": ("source", "table_columns", "items_per_page"),
    "view": ("worksheet", "view", "items_per_page"), "chart": ("worksheet", "view", "source", "chart"),
    "list": ("source", "items_per_page", "columns", "orientation"), "record": ("source",), "embed": ("url",), "html": ("html",),
    "header": ("share", "shared_pages"), "footer": ("share", "shared_pages"), "divider": (),
}
"""Which properties the form of a block asks for, by its type."""
TITLES = {"name": "Name (shown in the editor)", "show_if": "Show only if this has a value", "column": "Column, counted from 0",
          "text": "Text", "html": "HTML", "level": "Level, 1 (largest) to 6", "options_source": "Choices from",
          "table_columns": "Columns", "url": "Address", "alt": "Alternative text", "rows": "Lines", "roles": "Roles",
          "shared_pages": "Pages", "include_time": "Include time"}


PAGE_TITLES = {"path": "Path, for links inside the app", "shared": "Provides the header and footer of other pages",
               "visibility": "Who can see it", "parameters": "URL parameters",
               "sources": "Record sources"}
OPERATORS = {
    "is": "is", "is_not": "is not", "contains": "contains", "contains_not": "does not contain", "starts_with": "starts with",
    "ends_with": "ends with", "is_empty": "is empty", "is_filled": "is not empty", "greater": "is greater than",
    "greater_or_equal": "is at least", "less": "is less than", "less_or_equal": "is at most", "before": "is before",
    "after": "is after", "on_or_before": "is on or before", "on_or_after": "is on or after", "is_today": "is today",
    "is_any_of": "is one of", "is_none_of": "is none of", "has": "has", "has_not": "does not have",
}
OFFERED: Mapping[str, Mapping[str, str]] = {"operator": OPERATORS, "icon": {name: name.capitalize() for name in ICONS}}
"""Texts that are chosen rather than typed, by their property."""


@dataclass(frozen=True, slots=True)
class Form:
    """A schema and root for one form of a page; see `core.api.Editing`."""

    root: Schema
    schema: Schema


def block_form(page: Mapping[str, Any], block: Mapping[str, Any], in_columns: bool) -> Form:
    """Return the form of a block."""
    root = _root(page)
    if block["type"] == "plugin":
        return _brought_form(root, block, in_columns)
    names = [*ASKED[block["type"]], *(("column",) if in_columns else ()), *COMMON]
    if "source" in names and "worksheet" in names and not page.get("sources"):
        names.remove("source")  # nothing to choose from: a worksheet is the one way
    needed = ["worksheet"] if "worksheet" in names and "source" not in names else []
    properties = {name: _titled(name, root["$defs"]["block"]["properties"][name]) for name in names}
    return Form(root, {"type": "object", "properties": properties, "required": needed, "additionalProperties": False})


def _brought_form(root: Schema, block: Mapping[str, Any], in_columns: bool) -> Form:
    """Return the form of a block that another plugin brings: its settings too, as long as the plugin is here."""
    known = server().registry.block_types.get(block.get("plugin_type", ""))
    properties: dict[str, Any] = {"settings": {**known.schema, "title": "Settings", AS_IS: True}} if known and known.settings else {}
    properties |= {name: _titled(name, root["$defs"]["block"]["properties"][name])
                   for name in (*(("column",) if in_columns else ()), *COMMON)}
    return Form(root, {"type": "object", "properties": properties, "required": [*({"settings"} & properties.keys())],
                       "additionalProperties": False})


def check_whole(form: Form, value: Mapping[str, Any]) -> None:
    """Refuse a chart that has neither a worksheet nor a source.

    Raises:
        InvalidInput: it would show nothing.
    """
    if {"worksheet", "source"} <= form.schema["properties"].keys() and not {"worksheet", "source"} & value.keys():
        raise InvalidInput("Choose a worksheet or a source.")


def page_form(page: Mapping[str, Any]) -> Form:
    """Return the form of a page's settings: all but its blocks."""
    root = _root(page)
    properties = {name: {**one, "title": PAGE_TITLES[name]} if name in PAGE_TITLES else one
                  for name, one in root["properties"].items() if name != "blocks"}
    return Form(root, {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False})


def narrowing(page: Mapping[str, Any]) -> Callable[[Input], None]:
    """Return what lets the controls of a page's forms ask in words, and offer of fields and views only those of the chosen worksheet."""
    names = source_names(page)
    behind = {names[one["key"]]: str(one.get("worksheet", {}).get("ref", "")) for one in page.get("sources", ())}

    def narrow(tree: Input) -> None:
        nodes = walk(tree)
        _in_words(nodes)
        chosen = {one.path: str(one.value) for one in nodes if one.path.rpartition(".")[2] == "worksheet" and one.value}
        chosen |= {one.path: behind.get(str(one.value), "") for one in nodes if one.path.rpartition(".")[2] == "source" and one.value}
        asking = {one.path for one in nodes if one.path.rpartition(".")[2] in OF_WORKSHEET}
        for node in nodes:
            above, _, last = node.path.rpartition(".")
            if last in OF_WORKSHEET:
                node.reloads = node.asks in ("ref", "enum")
            elif node.asks == "ref" and all("/" in one.address.partition("/")[2].partition("/")[2] for one in node.targets):
                _offer_of(node, _worksheet_for(above, chosen), _near(above, asking))

    return narrow


OF_WORKSHEET = ("worksheet", "source")
"""The properties that say whose fields and views are meant."""


def _worksheet_for(path: str, chosen: Mapping[str, str]) -> str:
    """Return the worksheet that is chosen beside a control or beside what it stands in, the nearest first; "" where none is."""
    while True:
        for name in OF_WORKSHEET:
            if found := chosen.get(f"{path}.{name}" if path else name):
                return found
        if not path:
            return ""
        path = path.rpartition(".")[0]


def _near(path: str, asking: Collection[str]) -> bool:
    """Say whether a worksheet is asked for beside a control or beside what it stands in."""
    above = [path[:n] for n, char in enumerate(path) if char == "."] + [path, ""]
    return any((f"{one}.{name}" if one else name) in asking for one in above for name in OF_WORKSHEET)


def _offer_of(node: Input, worksheet: str, asked: bool) -> None:
    """Offer the fields or views of a worksheet; none, as long as it is asked for and nobody has said which; and what stands there."""
    if worksheet or asked:
        node.targets = [one for one in node.targets
                        if (worksheet and one.address.startswith(f"{worksheet}/")) or one.address == node.value]
    if asked and not worksheet:
        node.help = "Choose a worksheet first."
    elif node.value and worksheet and not str(node.value).startswith(f"{worksheet}/"):
        node.help = "This belongs to another worksheet. Choose again."


def _in_words(nodes: Iterable[Input]) -> None:
    for node in nodes:
        last = node.path.rpartition(".")[2]
        if node.asks == "flag":
            node.plain = True
        elif node.asks == "text" and last in OFFERED:
            known = OFFERED[last]
            own = {} if not node.value or node.value in known else {str(node.value): str(node.value)}
            node.asks, node.options, node.long = "enum", list({**known, **own}.items()), False
        elif last == "path":
            node.long = False


def _titled(name: str, schema: Schema) -> Schema:
    return {**schema, "title": TITLES[name]} if name in TITLES and "$ref" not in schema else schema


def _root(page: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of pages as forms have it."""
    names = source_names(page)
    found: dict[str, Any] = _asked(PAGE.schema, "", list(names.values()))
    return found


def _asked(schema: Any, name: str, sources: list[str]) -> Any:
    if schema is TEMPLATE or schema == TEMPLATE:
        return {"type": "string", "maxLength": 250 if name in SHORT else 20_000, MARK: True}
    if isinstance(schema, list):
        return [_asked(one, name, sources) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    if name == "source" and "pattern" in schema:
        return {"enum": sources or ["No sources yet"]}
    if name == "value" and "anyOf" in schema:
        return _asked(TEMPLATE, name, sources)
    return {key: _asked(one, key, sources) for key, one in schema.items()}


def source_names(page: Mapping[str, Any]) -> dict[str, str]:
    """Return what the page's sources are called, by key, each differently."""
    found: dict[str, str] = {}
    for source in page.get("sources", ()):
        name = source["name"]
        found[source["key"]] = name if name not in found.values() else f"{name} {source['key'][-4:]}"
    return found


def written(value: Any, tokens: Tokens, names: Mapping[str, str], name: str = "") -> Any:
    """Return a piece of a page as its form takes it."""
    if name == "settings":
        return value
    if isinstance(value, Mapping):
        if "template" in value and value.keys() <= {"template", "uses"}:
            return tokens.written(value)
        return {key: written(one, tokens, names, key) for key, one in value.items()}
    if isinstance(value, list):
        return [written(one, tokens, names, name) for one in value]
    if name == "source" and isinstance(value, str):
        return names.get(value, value)
    if name == "value" and not isinstance(value, str):  # a condition's plain value, asked for as text
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return value


def read(value: Any, form: Form, tokens: Tokens, names: Mapping[str, str], old: Any) -> Any:
    """Return what a form says as a piece of a page again.

    Args:
        value: What the form says, in the form's own shape.
        form: Its schema.
        tokens: The page's.
        names: The sources' names by key.
        old: The piece as it stood, whose numbered holes may be kept.

    Raises:
        InvalidInput: a token is not known; the message names it.
    """
    return _read(value, form.schema, form.root, tokens, {name: key for key, name in names.items()}, old)


def _read(value: Any, schema: Schema, root: Schema, tokens: Tokens, keys: Mapping[str, str], old: Any) -> Any:
    schema = _resolved(schema, root)
    if AS_IS in schema:
        return value
    if MARK in schema and isinstance(value, str):
        return _template(value, tokens, old)
    for one in schema.get("anyOf", ()):
        one = _resolved(one, root)
        if isinstance(value, str) and MARK in one:
            return _template(value, tokens, old)
        if isinstance(value, dict) and "properties" in one and set(one["required"]) <= value.keys() <= one["properties"].keys():
            return _read(value, one, root, tokens, keys, old)
    if isinstance(value, dict) and "properties" in schema:
        before = old if isinstance(old, Mapping) else {}
        return {name: keys[one] if name == "source" and isinstance(one, str)
                else _read(one, schema["properties"].get(name, {}), root, tokens, keys, before.get(name))
                for name, one in value.items() if name != "source" or not isinstance(one, str) or one in keys}
    if isinstance(value, list):
        listed = old if isinstance(old, list) and len(old) == len(value) else [None] * len(value)
        return [_read(one, schema.get("items", {}), root, tokens, keys, was) for one, was in zip(value, listed, strict=True)]
    return value


def _resolved(schema: Schema, root: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _template(text: str, tokens: Tokens, old: Any) -> dict[str, Any]:
    found, unknown = tokens.read(text, old)
    if unknown:
        raise InvalidInput(f"Unknown value {{{unknown[0][:60]}}}. Choose one from the list below the form. "
                           "To write a brace, type it twice.")
    return found
