"""The form of one field: what is asked of every field, and the options of its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from core.api import (
    AbsentFieldType,
    App,
    AppkeepError,
    Definition,
    Document,
    Editing,
    FieldType,
    Input,
    Target,
    Targets,
    current_app_row,
    new_key,
    schemas,
    visit,
    walk,
)
from plugins.worksheets.schema import FIELD_SCHEMA
from plugins.worksheets.structure import service

TYPED_DEFAULTS = frozenset({
    "text", "long_text", "email", "phone", "url", "number", "currency", "percent", "rating", "date", "datetime", "time", "duration"})
COLOURS = ("gray", "red", "orange", "brown", "yellow", "lime", "green", "teal", "cyan", "blue", "indigo", "purple", "magenta", "pink")
UNASKED = {"formula": ("uses",), "text_combination": ("uses",), "relationship": ("mirrors",),
           "single_select": ("default",), "multiple_select": ("default",), "number": ("separator", "negative"), "date": ("format",),
           "datetime": ("format", "time_format", "time_zone", "show_zone"), "time": ("format",), "duration": ("format",),
           "rating": ("symbol",), "created_time": ("format",), "modified_time": ("format",)}
"""Options that are made by themselves, that their own pages do not ask for, or that an import brings and nothing here shows: they keep
their values."""
HELP = {"required": "A record cannot be saved without it.", "unique": "No two records may have the same value.",
        "indexed": "Speeds up sorting and filtering in a large worksheet.", "default": "Initial value for new records.",
        "description": "Shown next to the field when a record is edited."}
BLANK_CHOICES = 3
LABELS = {
    "decimals": ("Decimal places", "2 keeps 8.50; 0 keeps whole numbers only."),
    "max_size": ("Largest file, in bytes", "10000000 is 10 MB."),
    "max_length": ("Longest text, in characters", ""), "max": ("Number of stars", "1 to 10; 5 unless you say otherwise."),
    "types": ("Kinds of files", "Such as image/* or application/pdf. Without any, all are taken."),
    "unit": ("Unit after the number", "Such as kg."), "unit_before": ("Unit before the number", "Such as No."),
    "multiple": ("Several values", ""),
    "digits": ("Digits at least", "4 shows 7 as 0007."), "prefix": ("Text before the number", "Such as INV-."),
    "levels": ("Number of levels", "3: country, state, city."), "height": ("Height, in pixels", ""), "of": ("Shows the field", ""),
    "record": ("Shows the address of the record", ""), "through": ("Link field", ""),
    "currency": ("Currency", "Three letters, such as EUR or USD."),
}
"""What the form of a field calls the options of its type, with a line of help."""


@dataclass
class FieldForm:
    """A field of a type in the making: `before` is the field as it stands, empty for a new one."""

    sheet: Document
    kind: FieldType
    before: Definition
    app: App = field(default_factory=current_app_row)
    about: Editing = field(init=False)
    options: Editing = field(init=False)

    def __post_init__(self) -> None:
        self.key = str(self.before.get("key") or new_key("f"))
        kept = {name: value for name, value in self.before.items() if name not in ("key", "type", "options")}
        targets = Targets(self.app, visit().person, own=self.sheet.address)
        schema = about_schema(self.kind, kept)
        self.about = Editing(self.app, schema, kept, targets=targets, without=kept.keys() - schema["properties"].keys())
        absent = isinstance(self.kind, AbsentFieldType)  # nobody knows what may stand in its options: they stay as they are
        schema, shown = (schemas.closed({}), {}) if absent else (dict(self.kind.options), self._options_shown())
        self.options = Editing(self.app, schema, shown, targets=targets, prefix="o",
                               without=UNASKED.get(self.kind.name, ()), narrow=self._narrow)

    @property
    def is_new(self) -> bool:
        """Whether the field is being made."""
        return not self.before

    @property
    def changes_type(self) -> bool:
        """Whether a field that stands gets another type."""
        return not self.is_new and self.before["type"] != self.kind.name

    @property
    def has_files(self) -> bool:
        """Whether the form can bring files."""
        return self.about.has_files or self.options.has_files

    @property
    def may_be_two_way(self) -> bool:
        """Whether a field that follows by itself can be made in the worksheet that this one points to."""
        return self.is_new and self.kind.name == "relationship"

    def _options_shown(self) -> dict[str, Any]:
        options = self.before.get("options", {})
        if self.is_new:
            options = starting_options(self.kind)
        elif self.changes_type:
            options = carried(self.kind, options)
        return service.as_written(self.app, self.sheet, self.kind.name, options)

    def receive(self, form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> bool:
        """Take what was sent and say whether it is to be saved."""
        wanted = [one.receive(form, files) for one in (self.about, self.options)]
        return all(wanted)

    def field(self) -> dict[str, Any]:
        """Return the field as the form says.

        Raises:
            InvalidDocument: a formula has a mistake.
        """
        before = {} if self.changes_type else self.before.get("options", {})
        options = dict(before) if isinstance(self.kind, AbsentFieldType) else service.as_stored(
            self.app, self.sheet, self.kind.name, without_blank(self.options.value), before)
        about = self.about.value
        if not self.kind.stored or not self.kind.writable:
            about = {name: value for name, value in about.items() if name not in ("required", "unique", "default", "indexed")}
        return {**about, "key": self.key, "type": self.kind.name, "options": options}

    def refuse(self, error: AppkeepError) -> None:
        """Show a refusal beside the option or property that it is about."""
        path = error.details.get("path") or [""]
        of_options = path[0] in self.kind.options.get("properties", {}) and path[0] not in ("name", "default")
        (self.options if of_options else self.about).refuse(error)

    @property
    def status(self) -> int:
        """What the page answers with."""
        return max(self.about.status, self.options.status)

    def _narrow(self, tree: Input) -> None:
        """Offer of fields only those that make sense, and colours by name."""
        chosen = {node.path: node.value for node in walk(tree) if node.asks in ("ref", "org")}
        links = {f"{self.sheet.address}/field/{d['key']}": str(d["options"].get("target", {}).get("ref", ""))
                 for d in self.sheet.body.get("fields", ()) if d["type"] in service.LINKING}
        for node in walk(tree):
            first, last = node.path.partition(".")[0], node.path.rpartition(".")[2]
            if node.asks == "ref":
                keep = self._keeping(first, links, chosen)
                if keep is not None:
                    node.targets = narrowed(node, keep)
                node.reloads = first in ("through", "target") and not node.is_row
            elif node.asks == "text" and last == "colour":
                node.asks, node.options = "swatches", palette(node.value)
            elif node.path in ("expression", "template"):
                node.long = True
            if node.path in LABELS:
                node.title, node.help = LABELS[node.path][0], LABELS[node.path][1] or node.help
            if node.path == "option_set":
                node.help = "Use the choices of an option set, shared by several fields, instead of its own."

    def _keeping(self, name: str, links: Mapping[str, str], chosen: Mapping[str, Any]) -> Callable[[Target], bool] | None:
        """Return which targets one option may point to; None for all."""
        if name == "through":
            return lambda target: target.address in links
        if name == "target" and "through" in self.kind.options.get("properties", {}):
            through = str(chosen.get("through"))
            sheets = {links[through]} if through in links else set(links.values())
            return lambda target: target.address.split("/field/")[0] in sheets
        if name in ("of", "uses"):
            return lambda target: target.address.startswith(f"{self.sheet.address}/")
        if name in ("view", "parent_field", "fields") and chosen.get("target"):
            return lambda target: target.address.startswith(f"{chosen['target']}/")
        return None


def about_schema(kind: FieldType, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of what is asked of every field of a type, in order, its flags off when absent."""
    names = ["name", "description"]
    if kind.stored and kind.writable:
        names += [name for name in ("required", "unique", "indexed") if name in FIELD_SCHEMA["properties"]]
        names += ["default"] if kind.name in TYPED_DEFAULTS and isinstance(kept.get("default", ""), str) else []
    found = {}
    for name in names:
        schema = dict(FIELD_SCHEMA["properties"][name])
        if name == "default":
            schema = schemas.text(10_000 if kind.name in ("long_text", "text") else 200)
        if schema.get("type") == "boolean":
            schema["default"] = False
        found[name] = {**schema, "description": HELP[name]} if name in HELP else schema
    return schemas.closed(found, ["name"])


def starting_options(kind: FieldType) -> dict[str, Any]:
    """Return what the options of a new field start with: what must be there, and room for choices."""
    properties = kind.options.get("properties", {})
    if "choices" in properties:
        return {"choices": [{"key": new_key("o"), "name": "", "colour": COLOURS[n + 1]} for n in range(BLANK_CHOICES)]}
    found = {"decimals": 2} if kind.name in ("number", "currency", "percent") else {}
    return {**found, "currency": "EUR"} if kind.name == "currency" else found


def carried(kind: FieldType, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options that the new type has too."""
    properties = kind.options.get("properties", {})
    found = {name: value for name, value in options.items() if name in properties and name not in ("format", "default")}
    return found or starting_options(kind)


def without_blank(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without the choices whose name was left empty."""
    if "choices" not in options:
        return dict(options)
    kept = [choice for choice in options["choices"] if str(choice.get("name", "")).strip()]
    found = {**options, "choices": kept}
    if not kept and "option_set" in options:
        del found["choices"]
    return found


def narrowed(node: Input, keep: Callable[[Target], bool]) -> list[Target]:
    """Return the targets of a control that are to be kept, and the one that is chosen already."""
    return [target for target in node.targets if keep(target) or target.address == node.value]


def palette(current: str) -> list[tuple[str, str]]:
    """Return the colours to choose from, with the one that stands there though it is none of ours."""
    known: Iterable[str] = COLOURS if not current or current in COLOURS else (*COLOURS, current)
    return [(colour, colour.replace("-", " ").replace("_", " ").capitalize()) for colour in known]
