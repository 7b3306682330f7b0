"""Entering many records at once, as an import does: values are checked by column, and by cell where a column takes a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from core.api import AbsentFieldType
from plugins.worksheets.fields import Field, entered_values
from plugins.worksheets.fieldtypes.whole_columns import all_stored


def entered_rows(fields: Mapping[str, Field], rows: Sequence[Mapping[str, Any]], where: Callable[[int], str]) -> list[dict[str, Any]]:
    """Return what `entered_values` does for many records, without empty values; *where* says of the n-th which it is.

    Raises:
        InvalidValue: see `entered_values`.
    """
    found: list[dict[str, Any]] = [{} for _ in rows]
    for key in dict.fromkeys(chain.from_iterable(rows)):
        field, column = fields.get(key), [row.get(key) for row in rows]
        held = [value for value in column if value is not None]
        if field is None or isinstance(field.type, AbsentFieldType) or not (held and all_stored(field.type, held, field.definition)):
            checked = (entered_values(fields, {key: row[key]}, where(n)).get(key) if key in row else None for n, row in enumerate(rows))
            column = list(checked)
        for values, value in zip(found, column, strict=True):
            if value is not None:
                values[key] = value
    return found
