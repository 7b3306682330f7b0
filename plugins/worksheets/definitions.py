"""Whether a worksheet's fields make sense: known types, options of their form, a title field that is there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from core.api import Definition, Document, FieldType, InvalidDocument, InvalidInput, field_type, server


def check_worksheet(document: Document) -> None:
    """Refuse a worksheet whose body follows the schema but makes no sense.

    Raises:
        InvalidDocument: with the field and what is wrong.
    """
    for definition in document.body.get("fields", ()):
        check_options(definition)
    _check_own_parts(document)


def check_types(before: Document | None, after: Document) -> None:
    """Refuse fields that nobody may make by hand, unless they have stood there before: of types, or with functions, of no plugin here.

    Raises:
        InvalidDocument: with the field.
    """
    stood = {d["key"]: d for d in before.body.get("fields", ())} if before is not None else {}
    fields = after.body.get("fields", ())
    for definition in fields if isinstance(fields, list | tuple) else ():
        if isinstance(definition, Mapping) and definition != (old := stood.get(definition.get("key"))):
            if old is None or definition.get("type") != old["type"]:
                _check_type(definition)
            _check_new(definition)


def check_field(definition: Definition) -> None:
    """Refuse a field that its type does not accept.

    Raises:
        InvalidDocument: with the field's name and what is wrong.
    """
    _check_type(definition)
    check_options(definition)
    field_type(definition.get("type")).check_new(definition)


def check_options(definition: Definition) -> None:
    """Refuse options that a field's type does not accept; of a type that is not here all are.

    Raises:
        InvalidDocument: with the field's name and what is wrong.
    """
    kind = field_type(definition.get("type"))
    wrong = best_match(_validator(kind).iter_errors(definition.get("options", {})))
    if wrong is not None:
        place = "/".join(str(step) for step in wrong.absolute_path)
        raise InvalidDocument(f"{_where(definition)}, options{'/' + place if place else ''}: {wrong.message[:300]}")
    kind.check_definition(definition)


def _check_type(definition: Definition) -> None:
    try:
        server().registry.check_field_type(definition.get("type"))
    except InvalidInput as error:
        raise InvalidDocument(f"{_where(definition)}: {error.message}") from error


def _check_new(definition: Definition) -> None:
    kind = field_type(definition.get("type"))
    if _validator(kind).is_valid(definition.get("options", {})) and isinstance(definition.get("name"), str):  # else the schema says so
        kind.check_new(definition)


def _where(definition: Definition) -> str:
    return f"Field “{str(definition.get('name', definition.get('key')))[:100]}”"


def _check_own_parts(document: Document) -> None:
    """Refuse pointers to parts of this worksheet that do not exist, which only a mistake can bring."""
    title = document.body.get("title_field")
    if title is not None and title.get("ref") not in {
            f"{document.address}/field/{d['key']}" for d in document.body.get("fields", ())}:
        raise InvalidDocument(f"{document.address}: the title field is not one of its fields.")


@lru_cache(maxsize=256)
def _validator(kind: FieldType) -> Draft202012Validator:
    return Draft202012Validator(kind.options)


