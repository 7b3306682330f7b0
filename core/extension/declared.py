"""What a stranger's plugin brings, compared with what its class says of it: a rank that is a text breaks no page of anybody else.

Attributes are judged by the annotations of Appkeep's own classes; what a plugin's class has besides is its own affair.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.base.errors import PluginFailed
from core.extension.channel import Channel
from core.extension.component import Component, FirstStep, Kind
from core.extension.field_input import FieldInput
from core.extension.field_type import LIKE_TYPES, FieldType
from core.extension.formula_function import FormulaFunction
from core.extension.hook_results import fits
from core.extension.importer import Importer
from core.extension.run_kind import RunKind
from core.extension.settable import Settable
from core.extension.store_kind import StoreKind

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,39}")
WORK = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
OWN_SCHEMES = ("file", "s3")
WHAT: Mapping[type, str] = {
    Component: "component", Kind: "kind", FirstStep: "first step", FieldType: "field type", FieldInput: "control", Importer: "importer",
    FormulaFunction: "function of formulas", RunKind: "kind of run", StoreKind: "kind of store", Settable: "type", Channel: "channel"}
_NO_SCHEMA = ("enum", "const", "default", "examples")
"""What of a schema is a value, in which nothing is a schema."""


def check_declared(thing: Any) -> None:
    """Refuse a thing that a plugin brings where an attribute is none that its class allows.

    Raises:
        PluginFailed: with the thing, the attribute and what it should be.
    """
    what = next(said for kind, said in WHAT.items() if isinstance(thing, kind))
    where = f"The {what} “{getattr(thing, 'name', '')}”"
    for name, form in _annotations(type(thing)):
        if not hasattr(thing, name):
            raise PluginFailed(f"{where} has no “{name}”.")
        if not fits(form, getattr(thing, name)):
            raise PluginFailed(f"{where} has the “{name}” {getattr(thing, name)!r:.60}, which should be {form}.")
    if wrong := next(_wrong(thing), ""):
        raise PluginFailed(f"{where} {wrong}.")
    for part in (*getattr(thing, "kinds", ()), *filter(None, [getattr(thing, "first_step", None)])):
        check_declared(part)


def _annotations(kind: type) -> Iterator[tuple[str, str]]:
    """Give the attributes that Appkeep's own classes of a thing have, each with its form."""
    for one in kind.__mro__:
        if one.__module__.startswith("core."):
            for name, form in inspect.get_annotations(one).items():
                yield name, str(form).removeprefix("ClassVar[").removesuffix("]") if str(form).startswith("ClassVar[") else str(form)


def _wrong(thing: Any) -> Iterator[str]:
    """Give what is wrong with a thing all of whose attributes have the right forms."""
    name = getattr(thing, "name", None)
    if isinstance(thing, StoreKind):
        if not SCHEME.fullmatch(thing.name) or thing.name in OWN_SCHEMES:
            yield f"needs the scheme of its URLs as a name, in small letters, and none of {', '.join(OWN_SCHEMES)}"
    elif name is not None and not NAME.fullmatch(name):
        yield "needs a name of small letters, digits and _, at most 40"
    if getattr(thing, "title", "a title") == "":
        yield "needs a title"
    if isinstance(thing, Kind):
        yield from _wrong_schema(thing.schema)
        if lacking := sorted(set(thing.parts.values()) - set(thing.schema.get("properties", {}))):
            yield f"has parts in the property “{lacking[0]}”, which its schema lacks"
    if isinstance(thing, FieldType):
        yield from _wrong_schema(thing.options)
        if thing.like not in ("", *LIKE_TYPES):
            yield f"is like “{thing.like}”, which is none of {', '.join(LIKE_TYPES)}"
    if isinstance(thing, FormulaFunction) and not 0 <= thing.least <= thing.most:
        yield f"takes {thing.least} to {thing.most} arguments"
    if isinstance(thing, RunKind) and not all(WORK.fullmatch(one) for one in (thing.work, *filter(None, [thing.ended]))):
        yield "names its functions as “package.module:function”"
    if isinstance(thing, Settable):
        yield from _wrong_settings(thing)


def _wrong_settings(thing: Settable) -> Iterator[str]:
    yield from _wrong_schema(thing.schema)
    if lacking := sorted(set(thing.needed) - set(thing.settings)):
        yield f"needs the setting “{lacking[0]}”, which its settings lack"
    if trouble := thing.trouble(thing.starts, whole=False):
        yield f"starts with settings that do not fit: {trouble}"


def _wrong_schema(schema: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator  # loaded where something has a schema to be judged
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"has a schema that is none: {error.message}"
        return
    for target in _refs(schema):
        if not _leads(schema, target):
            yield f"has a schema that points to “{target[:100]}”: what is pointed to lies in the schema itself, as in #/$defs/block"


def _refs(schema: Any) -> Iterator[str]:
    """Give what a schema points to, at any depth."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            for word in ("$ref", "$dynamicRef"):
                if isinstance(one.get(word), str):
                    yield one[word]
            waiting += [value for word, value in one.items() if word not in _NO_SCHEMA]
        elif isinstance(one, list | tuple):
            waiting += one


def _leads(schema: Any, target: str) -> bool:
    """Say whether a pointer ("#/$defs/block") leads to something in a schema."""
    head, *steps = target.split("/")
    if head != "#":
        return target == "#"
    for step in steps:
        word = step.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list | tuple) and word.isdigit() and int(word) < len(schema):
            schema = schema[int(word)]
        elif isinstance(schema, Mapping) and word in schema:
            schema = schema[word]
        else:
            return False
    return True
