"""Templates: fixed text with holes "{0}", "{1}" …, each filled by one of the uses; "{{" and "}}" are braces. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MAX_CHARS = 100_000
_HOLE = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}")
Use = Mapping[str, Any]


def filled(template: Any, value_of: Callable[[Use], str]) -> str:
    """Return a template's text with its holes filled; a hole that no use fills is left out."""
    if not isinstance(template, Mapping):
        return "" if template is None else str(template)
    uses = template.get("uses", ())

    def fill(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return value_of(uses[int(found[1])]) if int(found[1]) < len(uses) else ""

    return _HOLE.sub(fill, template["template"])[:MAX_CHARS]


def only_use(template: Any) -> Use | None:
    """Return the use of a template that is nothing but one hole, None for any other."""
    if isinstance(template, Mapping) and template.get("template", "").strip() == "{0}" and template.get("uses"):
        found: Use = template["uses"][0]
        return found
    return None


def fixed(text: str) -> dict[str, Any]:
    """Return the template of a text without holes."""
    return {"template": text.replace("{", "{{").replace("}", "}}")}


def typed(text: str, old: Any) -> dict[str, Any]:
    """Return the template of what an editor's user typed: holes that the old template had are kept with their uses."""
    uses = old.get("uses", ()) if isinstance(old, Mapping) else ()
    named = {int(found[1]) for found in _HOLE.finditer(text) if found[1] is not None}
    if not uses or any(n >= len(uses) for n in named):
        return fixed(text)
    return {"template": text, "uses": list(uses)}


def is_true(text: str) -> bool:
    """Say whether a filled template means yes."""
    return text.strip().casefold() not in ("", "0", "false", "no", "off", "none")


def uses_in(templates: Iterable[Any]) -> Iterable[Use]:
    """Yield the uses of templates."""
    for template in templates:
        if isinstance(template, Mapping):
            yield from template.get("uses", ())
