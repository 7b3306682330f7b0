"""The fields of a worksheet, as its body says, with their types: what values mean. Pure but for the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.api import LIKE_TYPES, AbsentFieldType, Definition, FieldType, InvalidValue, Reference, field_type
from plugins.worksheets.records.keys import CHECK, CHOICE, MOMENT, NUMBER, TEXT

MAX_RECORD_BYTES = 120_000
KEY_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("text", "long_text", "rich_text", "email", "phone", "url", "identity_number"), TEXT),
    **dict.fromkeys(("number", "currency", "percent", "rating", "autonumber", "duration"), NUMBER),
    **dict.fromkeys(("date", "datetime", "time"), MOMENT), "checkbox": CHECK, "single_select": CHOICE,
}
"""The kind of key by type of field, for types whose values are compared and sorted by one key; see `records.keys`."""


def acts_as(kind: FieldType) -> str:
    """Return the name of the type as which values are entered, filtered, sorted and calculated with: mostly its own."""
    return kind.like if kind.like in LIKE_TYPES else kind.name


@dataclass(frozen=True, slots=True)
class Field:
    """A field's definition and its type."""

    definition: Definition
    type: FieldType

    @property
    def key(self) -> str:
        """The field's key."""
        return str(self.definition["key"])

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.definition.get("name", self.key))

    @property
    def acts_as(self) -> str:
        """See `acts_as`."""
        return acts_as(self.type)

    @property
    def stored(self) -> bool:
        """Whether records hold a value of it."""
        return self.type.stored_for(self.definition)

    @property
    def shape(self) -> dict[str, Any]:
        """What must travel with its values."""
        return self.type.shape(self.definition)

    def canonical(self, value: Any) -> Any:
        """Return a value in stored form, None when it is empty.

        Raises:
            InvalidValue: it does not fit the field.
        """
        return None if value is None else self.type.canonical(value, self.definition)

    def references(self, value: Any) -> Iterator[Reference]:
        """Yield every pointer in a canonical value."""
        yield from self.type.references(value, self.definition)


def field_of(definition: Definition) -> Field:
    """Return the field that a definition describes.

    Raises:
        InvalidInput: no plugin brings its type.
    """
    return Field(definition, field_type(definition.get("type")))


def fields_of(body: Mapping[str, Any], *, stored: bool = True) -> dict[str, Field]:
    """Return the live fields of a worksheet by key; only those that records hold values of, unless told."""
    fields = {str(d["key"]): field_of(d) for d in body.get("fields", ())}
    return {key: field for key, field in fields.items() if field.stored} if stored else fields


def indexed_kinds(fields: Mapping[str, Field]) -> dict[str, str]:
    """Return the kind of key by field of those that are marked as indexed and whose type has one value to go by."""
    return {key: KEY_KINDS[one.acts_as] for key, one in fields.items()
            if one.definition.get("indexed") and one.acts_as in KEY_KINDS}


def shaped(key: str, shape: Mapping[str, Any]) -> Field:
    """Return a field as known from its shape alone, which is what a backup's data carries."""
    return field_of({"key": key, "name": key, **shape})


def canonical_values(fields: Mapping[str, Field], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return checked values by field, empty ones as None.

    Raises:
        InvalidValue: with *where*, the field and what is wrong.
    """
    found = {}
    for key, value in values.items():
        field = fields.get(key)
        if field is None:
            raise InvalidValue(f"{where}: there is no field “{str(key)[:40]}” that holds values.")
        found[key] = _checked(field, value, where)
    return found


def entered_values(fields: Mapping[str, Field], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return checked values that somebody wants to write, by field, empty ones as None.

    Raises:
        InvalidValue: see `canonical_values`; or nothing here knows the field's type, so that its values stay as they are.
    """
    absent = next((one for key, one in fields.items() if isinstance(one.type, AbsentFieldType) and values.get(key) is not None), None)
    if absent is not None:
        raise InvalidValue(f"{where}, field “{absent.name}”: no plugin on this server brings the type “{absent.type.name}”, so that its "
                           "values cannot be entered.")
    return canonical_values(fields, values, where)


def _checked(field: Field, value: Any, where: str) -> Any:
    try:
        return field.canonical(value)
    except InvalidValue as error:
        raise InvalidValue(f"{where}, field “{field.name}”: {error.message}") from error


Exists = Callable[[Field, Reference], bool]


def missing(field: Field, value: Any, exists: Exists) -> list[Reference]:
    """Return the pointers in a canonical value whose target is not there, each once."""
    return [reference for reference in dict.fromkeys(field.references(value)) if not exists(field, reference)]
