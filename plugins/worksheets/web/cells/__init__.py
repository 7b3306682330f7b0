"""How values look and how they are edited: one table, type of field -> renderer, editor, reader of forms."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from core.api import FieldInput, InvalidValue, canonical, is_passing, server
from plugins.worksheets.fields import Field
from plugins.worksheets.web.cells.cell import EMPTY, Around, Cell, Choice, Given, Linked, form_of
from plugins.worksheets.web.cells.choices import CHOICES
from plugins.worksheets.web.cells.derived import DERIVED
from plugins.worksheets.web.cells.files import FILES
from plugins.worksheets.web.cells.numbers import NUMBERS
from plugins.worksheets.web.cells.pointers import POINTERS
from plugins.worksheets.web.cells.text import WORDS
from plugins.worksheets.web.cells.times import TIMES

log = logging.getLogger(__name__)
CELLS: Mapping[str, Cell] = {**WORDS, **NUMBERS, **TIMES, **CHOICES, **POINTERS, **FILES, **DERIVED}


def _show_stranger(value: Any, field: Field, around: Around, whole: bool) -> Markup:
    return escape(field.type.text(value, field.definition))


def _read_stranger(field: Field, given: Given) -> Any:
    """Read the JSON of a value; what is no JSON is a text."""
    text = given.text(field).strip()
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


STRANGER = Cell(_show_stranger, _read_stranger, "area", text=lambda value, zone: "" if value is None else canonical(value).decode())
"""A type of field that another plugin brings: its text, edited as JSON."""
COMPUTED = Cell(_show_stranger)


def cell_of(field: Field) -> Cell:
    """Return the cell of a field's type."""
    known = CELLS.get(field.type.name)
    if known is not None:
        return known
    if not field.stored or not field.type.writable:
        return COMPUTED
    own = server().registry.field_inputs.get(field.type.name)
    if own is not None:
        return Cell(partial(_show_own, own), partial(_read_own, own), "own")
    if field.acts_as in CELLS:
        return replace(CELLS[field.acts_as], show=_show_stranger)
    return STRANGER


def _show_own(own: FieldInput, value: Any, field: Field, around: Around, whole: bool) -> Markup:
    return _show_stranger(value, field, around, whole) if own.show is None else escape(own.show(value, field.definition))


def _read_own(own: FieldInput, field: Field, given: Given) -> Any:
    """Read what a plugin's control sent."""
    try:
        return own.read(given.texts(field), field.definition)
    except InvalidValue:
        raise
    except Exception as error:
        # A stranger's code may raise anything.
        if is_passing(error):
            raise
        log.exception("The control of the type %s cannot read what was entered", field.type.name)
        raise InvalidValue("it cannot be read.") from error


def align_of(field: Field) -> str:
    """Return how a column of a field's values is aligned: "number" at the right, "middle", or nothing."""
    return "number" if form_of(field) in ("number", "duration") else cell_of(field).align


def show(value: Any, field: Field, around: Around, whole: bool = False) -> Markup:
    """Return a value as people see it; nothing for an empty one."""
    if value is None:
        return EMPTY
    try:
        return cell_of(field).show(value, field, around, whole)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        # A value may be of another form than its field's type where a plugin changed; it is shown as it is.
        return escape(str(value)[:200])
    except Exception as error:
        # A stranger's type may raise anything.
        if is_passing(error) or field.type.name in CELLS:
            raise
        log.exception("The type %s cannot show a value", field.type.name)
        return escape(str(value)[:200])


def read(field: Field, given: Given) -> Any:
    """Return what a form says as the field stores it, None for empty.

    A value that stands as it was is not judged anew: it may be from before the field's options, or from a file or a restore, and a
    record is changed without it.

    Raises:
        InvalidValue: it does not fit the field.
    """
    reader = cell_of(field).read
    if reader is None:
        raise InvalidValue("it cannot be entered.")
    found = reader(field, given)
    return given.old if found == given.old else field.canonical(found)


__all__ = ["CELLS", "Around", "Cell", "Choice", "Given", "Linked", "align_of", "cell_of", "form_of", "read", "show"]
