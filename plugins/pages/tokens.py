"""Tokens: how an editor writes what fills the holes of a template: "Good day, {user.name}". Pure.

What has no token of its own (the result of an act, a path into a source) is written as its number, "{#2}", and keeps its
meaning as long as that stands in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.api import canonical
from plugins.pages.text_templates import Use

_HOLE = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]{1,300})\}")
USERS = ("name", "email", "id", "role")


@dataclass
class Tokens:
    """The values that a page can show, by token, and the tokens by value."""

    uses: dict[str, Use] = field(default_factory=dict)
    names: dict[bytes, str] = field(default_factory=dict)

    def add(self, token: str, use: Use) -> None:
        """Give a value its token; the first of a name has it."""
        token = re.sub(r"[{}\s]+", " ", token).strip()
        if token and token not in self.uses and canonical(use) not in self.names:
            self.uses[token] = use
            self.names[canonical(use)] = token

    def written(self, template: Mapping[str, Any]) -> str:
        """Return a template as an editor shows it."""
        uses = template.get("uses", ())

        def token(found: re.Match[str]) -> str:
            if found[1] is None:
                return found[0]
            number = int(found[1])
            if number >= len(uses):
                return ""
            return "{" + self.names.get(canonical(uses[number]), f"#{number + 1}") + "}"

        return _HOLE.sub(token, template["template"])

    def read(self, text: str, old: Any = None) -> tuple[dict[str, Any], list[str]]:
        """Return the template of what an editor's user typed, and the tokens in it that nothing is known of.

        *old* is the template that stood there, whose numbered holes may be kept.
        """
        kept = old.get("uses", ()) if isinstance(old, Mapping) else ()
        uses: list[Use] = []
        unknown: list[str] = []

        def hole(found: re.Match[str]) -> str:
            if found[1] is None:
                return found[0]
            use = self._use(found[1].strip(), kept)
            if use is None:
                unknown.append(found[1])
                return ""
            if use not in uses:
                uses.append(use)
            return f"{{{uses.index(use)}}}"

        template = _TOKEN.sub(hole, text)
        return {"template": template, **({"uses": uses} if uses else {})}, unknown

    def _use(self, token: str, kept: Iterable[Use]) -> Use | None:
        if token.startswith("#") and token[1:].isdecimal():
            numbered = list(kept)
            place = int(token[1:4]) - 1
            return numbered[place] if 0 <= place < len(numbered) else None
        return self.uses.get(token)


def tokens_of(page: Mapping[str, Any], sheets: Mapping[str, Mapping[str, Any]]) -> Tokens:
    """Return the tokens of a page's body; *sheets* are the bodies of the worksheets that it may show, by address."""
    found = Tokens()
    for one in USERS:
        found.add(f"user.{one}", {"user": one})
    for parameter in page.get("parameters", ()):
        found.add(f"parameter.{parameter['name']}", {"parameter": parameter["name"]})
    found.add("record.number", {"result": "record.id"})
    for source in page.get("sources", ()):
        sheet = source.get("worksheet", {}).get("ref", "")
        for key, name in _fields(sheets.get(sheet)):
            ref = {"ref": f"{sheet}/field/{key}"}
            found.add(f"{source['name']}.{name}", {"field": ref, "source": source["key"]})
            found.add(f"record.{name}", {"field": ref})
            found.add(f"record.{sheets[sheet].get('name')}.{name}", {"field": ref})
    for block in walked(page.get("blocks", ())):
        if block["type"] in INPUTS:
            label = block.get("name") or block.get("label", {}).get("template") or block["key"]
            found.add(f"input.{label}", {"input": block["key"]})
            found.add(f"input.{label} {block['key'][-4:]}", {"input": block["key"]})
    return found


INPUTS = ("input", "choice", "date_input", "checkbox", "rating", "record_select")


def _fields(sheet: Mapping[str, Any] | None) -> Iterable[tuple[str, str]]:
    return [(one["key"], one["name"]) for one in (sheet or {}).get("fields", ())]


def walked(blocks: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Yield blocks and all inside them, in their order."""
    waiting = list(blocks)[::-1]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(list(one.get("blocks", ()))[::-1])
