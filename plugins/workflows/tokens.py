"""Tokens: how forms write the values of a workflow: "Hello {Name}, step 2 found {step 2.count}". Pure.

A token is what stands in braces and is known; braces around anything that is not like a token stay braces, so that JSON can be typed.
What a step or a call gives can be followed by a path: "{step 4.body.id}".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import InvalidInput, canonical
from plugins.workflows.schema import VALUE
from plugins.workflows.step_edits import sheet_of

_HOLE = re.compile(r"\{(\d{1,3})\}")
_NAMED = re.compile(r"\{f_(\d{1,3})\}")
_TOKEN = re.compile(r"\{([^{}\"\n]{1,300})\}")
_LIKE = re.compile(r"[^\W\d_]")
"""How something in braces begins that is meant as a token."""
RESULTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "create_record": (("record", "record"),), "update_record": (("record", "record"),), "delete_record": (("record", "record"),),
    "find_records": (("count", "count"), ("records", "records"), ("first", "records.0")),
    "webhook": (("status", "status"), ("answer", "body")), "approval": (("approved", "approved"), ("comment", "comment"), ("by", "by")),
    "loop": (("item", "item"), ("number", "number"), ("count", "count")), "run_workflow": (("run", "run"),),
    "send_email": (("count", "count"),), "notify": (("count", "count"),), "condition": (("branch", "branch"),),
}
"""What each type of step gives, as (word, path)."""
OPEN_ENDED = ("answer", "item")
ABOUT = {"today": "today", "now": "now", "person": "person", "person.email": "person_email", "record.number": "record_number",
         "record.title": "record_title", "record.address": "record_address", "run.number": "run_number", "run.address": "run_address"}
Body = Mapping[str, Any]
Use = Mapping[str, Any]


@dataclass
class Tokens:
    """The values that can be used at a point of a workflow, by token, in groups; and the tokens by value."""

    uses: dict[str, Use] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    names: dict[bytes, str] = field(default_factory=dict)

    def add(self, group: str, token: str, use: Use) -> None:
        """Give a value its token; the first of a name has it."""
        token = re.sub(r"[{}\"\s]+", " ", token).strip()
        if token and token not in self.uses and canonical(use) not in self.names and _LIKE.match(token):
            self.uses[token] = use
            self.names[canonical(use)] = token
            self.groups.setdefault(group, []).append(token)

    def written(self, value: Any) -> str:
        """Return a value as a form shows it."""
        if not isinstance(value, Mapping):
            return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        uses = value.get("uses", ())
        if "formula" in value:
            return "= " + _NAMED.sub(lambda hole: self._token(uses[int(hole[1])], int(hole[1])) if int(hole[1]) < len(uses) else hole[0],
                                     str(value["formula"]))
        return _HOLE.sub(lambda hole: self._token(uses[int(hole[1])], int(hole[1])) if int(hole[1]) < len(uses) else hole[0],
                         str(value.get("template", "")))

    def read(self, text: str, old: Any = None) -> Any:
        """Return the value that a form's text means; one without tokens is the text itself, one that begins with "=" a formula.

        Args:
            text: What was typed.
            old: The value that stood there, whose values without a token may be kept ("{#2}").

        Raises:
            InvalidInput: something in braces looks like a token and is none that can be used here.
        """
        kept: Sequence[Use] = old.get("uses", ()) if isinstance(old, Mapping) else ()
        uses: list[Use] = []

        def hole(found: re.Match[str]) -> str:
            word = found[1].strip()
            use = self._use(word, kept)
            if use is None:
                if _LIKE.match(word) or word.startswith("#"):
                    raise InvalidInput(f"Unknown value {{{word[:60]}}}. Choose one from the list below the form.")
                return found[0]
            if use not in uses:
                uses.append(use)
            return f"{{f_{uses.index(use)}}}" if formula else f"{{{uses.index(use)}}}"

        formula = text.lstrip().startswith("=")
        if formula:
            return {"formula": _TOKEN.sub(hole, text.lstrip()[1:]).strip(), "uses": uses}
        template = _TOKEN.sub(hole, text)
        if not uses:
            if isinstance(old, int | bool) and text == self.written(old):
                return old
            return text if len(text) <= 10_000 else {"template": text, "uses": []}
        return {"template": template, "uses": uses}

    def _token(self, use: Use, number: int) -> str:
        found = self.names.get(canonical(use))
        if found is None:
            for path in ("trigger", "path"):  # a path into what is known by a shorter one
                head, _, rest = str(use.get(path, "")).partition(".")
                known = self.names.get(canonical({**use, path: head})) if path in use and rest else None
                found = f"{known}.{rest}" if known else found
        return f"{{{found or f'#{number + 1}'}}}"

    def _use(self, word: str, kept: Sequence[Use]) -> Use | None:
        if word in self.uses:
            return self.uses[word]
        if word.startswith("#") and word[1:].isdecimal():
            place = int(word[1:4]) - 1
            return kept[place] if 0 <= place < len(kept) else None
        for known, use in self.uses.items():
            if word.startswith(f"{known}.") and (known == "call" or known.rpartition(".")[2] in OPEN_ENDED):
                name = "trigger" if "trigger" in use else "path"
                return {**use, name: f"{use[name]}.{word[len(known) + 1:]}"}
        return None


def tokens_of(body: Body, before: str | None, fields: Callable[[str], Sequence[tuple[str, str]]], numbers: Mapping[str, str]) -> Tokens:
    """Return what can be used in a workflow's step, or in its trigger.

    Args:
        body: The workflow's.
        before: The key of the step in which it is used; None for the trigger.
        fields: Gives (key, name) of the fields of a worksheet's address.
        numbers: What the steps are called, by key.
    """
    found, trigger = Tokens(), body["trigger"]
    sheet = sheet_of(trigger)
    for key, name in fields(sheet):
        found.add("Record", name, {"field": {"ref": f"{sheet}/field/{key}"}})
    if trigger["type"] == "record_updated":
        for key, name in fields(sheet):
            found.add("Record before the change", f"before.{name}", {"field": {"ref": f"{sheet}/field/{key}"}, "before": True})
    if trigger["type"] == "webhook" and before is not None:
        found.add("Call", "call", {"trigger": "body"})
    variables: list[str] = []
    for step in _before(body["steps"], before) if before is not None else ():
        label = f"step {numbers.get(step['key'], '?')}"
        title = f"{label[:1].upper()}{label[1:]}" + (f": {step['name']}" if step.get("name") else "")
        if step["type"] == "set_variable" and step.get("variable"):
            variables.append(str(step["variable"]))
        for word, path in RESULTS.get(step["type"], ()):
            found.add(title, f"{label}.{word}", {"step": step["key"], "path": path})
        of = _sheet_of(step, body)
        for key, name in fields(of) if of else ():
            found.add(title, f"{label}.{name}", {"field": {"ref": f"{of}/field/{key}"}, "step": step["key"]})
    for name in variables:
        found.add("Variables", f"variable.{name}", {"variable": name})
    for token, about in ABOUT.items():
        if sheet or not token.startswith("record."):
            found.add("About the run", token, {"about": about})
    return found


def _sheet_of(step: Body, body: Body) -> str:
    """Return the worksheet of the record that a step stands for; "" for none."""
    if step["type"] in ("create_record", "update_record", "find_records"):
        return str(step.get("worksheet", {}).get("ref", ""))
    if step["type"] == "loop":
        over = step.get("over")
        uses = over.get("uses", ()) if isinstance(over, Mapping) else ()
        of = uses[0].get("step") if uses else None
        found = next((one for one in _all(body["steps"]) if one["key"] == of), None)
        return _sheet_of(found, body) if found is not None and found["type"] == "find_records" else ""
    return ""


def _before(steps: Sequence[Body], key: str) -> list[Body]:
    """Return the steps that are done before one, those that it stands in among them."""
    for place, step in enumerate(steps):
        if step["key"] == key:
            return list(steps[:place])
        inner = [step.get("steps", ()), *(one["steps"] for one in step.get("branches", ()))]
        for listed in inner:
            if any(one["key"] == key for one in _all(listed)):
                return [*steps[:place], step, *_before(listed, key)]
    return list(steps)


def _all(steps: Sequence[Body]) -> Iterator[Body]:
    for step in steps:
        yield step
        yield from _all(step.get("steps", ()))
        for branch in step.get("branches", ()):
            yield from _all(branch["steps"])


def asked(schema: Any) -> Any:
    """Return a schema as forms have it: values are texts with tokens."""
    if is_value(schema):
        return {**{name: one for name, one in schema.items() if name in ("title", "description")}, "type": "string", "maxLength": 20_000}
    if isinstance(schema, Mapping):
        return {key: asked(one) for key, one in schema.items()}
    return [asked(one) for one in schema] if isinstance(schema, list) else schema


def is_value(schema: Any) -> bool:
    """Say whether a schema is that of a value."""
    return isinstance(schema, Mapping) and schema.get("anyOf") == VALUE["anyOf"]


def each(value: Any, schema: Any, root: Body, change: Callable[[Any, Any], Any], old: Any = None) -> Any:
    """Return a piece of a workflow with every value in it changed by *change*, which gets what stood in its place in *old*, too."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if is_value(schema):
        return change(value, old)
    for one in schema.get("anyOf", ()):
        if is_value(one) and (not isinstance(value, Mapping) or value.keys() <= {"template", "formula", "uses"}):
            return change(value, old)
        if isinstance(value, Mapping) and set(one.get("required", ())) <= value.keys() <= one.get("properties", {}).keys():
            return each(value, one, root, change, old)
    if isinstance(value, Mapping) and "properties" in schema:
        before = old if isinstance(old, Mapping) else {}
        return {name: each(one, schema["properties"].get(name, {}), root, change, before.get(name)) for name, one in value.items()}
    if isinstance(value, list):
        listed = old if isinstance(old, list) and len(old) == len(value) else [None] * len(value)
        return [each(one, schema.get("items", {}), root, change, was) for one, was in zip(value, listed, strict=True)]
    return value
