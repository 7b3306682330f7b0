"""Entering many records at once, as an import does: values are checked by column, and by cell where a column takes a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from core.api import AbsentFieldType
from plugins.worksheets.fields import Field, entered_values
from plugins.worksheets.fieldtypes.whole_columns import all_stored

ByColumn = Mapping[str, Sequence[Any]]
"""Values of some records by field, each as long as there are records; None where one has none."""


def by_column(rows: Sequence[Mapping[str, Any]]) -> ByColumn:
    """Return values that are given by record."""
    return {key: [row.get(key) for row in rows] for key in dict.fromkeys(chain.from_iterable(rows))}


def entered_columns(fields: Mapping[str, Field], columns: ByColumn, where: Callable[[int], str]) -> dict[str, Sequence[Any]]:
    """Return what `entered_values` does, for many records; *where* says of the n-th which it is.

    Raises:
        InvalidValue: see `entered_values`.
    """
    return {key: _entered(fields, key, column, where) for key, column in columns.items()}


def _entered(fields: Mapping[str, Field], key: str, column: Sequence[Any], where: Callable[[int], str]) -> Sequence[Any]:
    field, held = fields.get(key), column if None not in column else [value for value in column if value is not None]
    if field is None:
        named = next((n for n, value in enumerate(column) if value is not None), 0)
        entered_values(fields, {key: None}, where(named))  # which refuses it
    elif held and not isinstance(field.type, AbsentFieldType) and all_stored(field.type, held, field.definition):
        return column
    return [entered_values(fields, {key: value}, where(n))[key] for n, value in enumerate(column)]
