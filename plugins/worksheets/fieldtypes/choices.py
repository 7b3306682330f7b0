"""Fields whose values are chosen from a list: single select, multiple select."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidDocument, InvalidValue, Reference, is_key
from core.api import schemas as s

_CHOICE = s.closed({"key": s.key("o"), "name": s.text(200), "colour": s.text(40)}, ["key", "name"])
OPTIONS = {
    "type": "object",
    "properties": {"choices": s.listed(_CHOICE, 2000), "option_set": s.ref("option_set"), "default": s.listed(s.key("o"), 100)},
    "additionalProperties": False,
    "oneOf": [{"required": ["choices"]}, {"required": ["option_set"]}],
}


class SingleSelect(FieldType):
    """One choice, named by its key. A choice that was deleted since stays in the value."""

    name, title = "single_select", "Single select"
    points = True
    options: ClassVar[Any] = OPTIONS

    def check_definition(self, definition: Definition) -> None:
        keys = [choice["key"] for choice in definition["options"].get("choices", ())]
        if len(set(keys)) != len(keys):
            raise InvalidDocument(f"Field “{definition['name']}” has two choices with the same key.")

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A key such as o_…."""
        if value == "":
            return None
        if not is_key(value, "o_"):
            raise InvalidValue("it must be the key of a choice, such as o_….")
        return value

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        yield Reference("choice", value)

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        return None if Reference("choice", value) in gone else value

    def shape(self, definition: Definition) -> dict[str, Any]:
        """Which choices there are does not change what a chosen key is."""
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        """The choice's name."""
        names = {} if source is None else source.choices(definition)
        return "" if value is None else str(names.get(value, value))


class MultipleSelect(SingleSelect):
    """Several choices, each once."""

    name, title = "multiple_select", "Multiple select"

    def canonical(self, value: Any, definition: Definition) -> Any:
        """A list of keys; one key by itself is taken as a list of it."""
        if isinstance(value, str):
            value = [value] if value else []
        if not isinstance(value, list | tuple) or len(value) > 2000 or not all(is_key(key, "o_") for key in value):
            raise InvalidValue("it must be a list of keys of choices, such as o_….")
        if len(set(value)) != len(value):
            raise InvalidValue("it names a choice twice.")
        return list(value) or None

    def references(self, value: Any, definition: Definition) -> Iterable[Reference]:
        return (Reference("choice", key) for key in value)

    def keep(self, value: Any, definition: Definition, gone: frozenset[Reference]) -> Any:
        return [key for key in value if Reference("choice", key) not in gone] or None

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return ", ".join(SingleSelect.text(self, key, definition, source) for key in value or ())


CHOICES = (SingleSelect(), MultipleSelect())
