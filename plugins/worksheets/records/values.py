"""Values in SQL: expressions over a record's `vals` that mean the same on SQLite and PostgreSQL.

Both engines have the function `appkeep_fold`; SQLite, where numbers of any size cannot be compared, `appkeep_number`
too. Fields' keys and all that is compared with are bound, never written into a statement.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.api import driver
from plugins.worksheets.models import Record
from plugins.worksheets.records.keys import CHECK, MAX_KEY, MOMENT, NUMBER, TEXT, cased_as, decimal_of, fold, key_of, number_key

vals = Record.__table__.c.vals
Expression = ColumnElement[Any]
_ASCII = re.compile(r"[\x00-\x7f]+")
_NUMERIC = r"^-?[0-9]{1,40}([.][0-9]{1,40})?$"


class Values:
    """Expressions that are NULL where a value is empty."""

    def held(self, *path: str | int) -> Expression:
        """Return what stands at a place in the values, as text: a field's key, then keys and places inside its value."""
        raise NotImplementedError

    def number(self, *path: str | int) -> Expression:
        """Return a number as something that can be compared with `bound`."""
        raise NotImplementedError

    def bound_number(self, number: Decimal) -> Expression:
        """Return a number to compare with."""
        raise NotImplementedError

    def items(self, field: str, *, inner: str | None) -> tuple[Any, Expression]:
        """Return the table of a list's items and each one's text, or that of its part *inner*."""
        raise NotImplementedError

    def joined(self, field: str, inner: str | None) -> Expression:
        """Return the items of a list as one text."""
        raise NotImplementedError

    def json(self, field: str) -> Expression:
        """Return a field's value as JSON text."""
        raise NotImplementedError

    def truth(self, field: str) -> Expression:
        """Return whether a checkbox is ticked: never NULL."""
        raise NotImplementedError

    def fold(self, text: Expression) -> Expression:
        """Return a text as it is compared where case does not matter."""
        return func.appkeep_fold(text, type_=Text)

    def whole(self, text: Expression) -> Expression:
        """Sort a text by its characters' codes."""
        return text

    def contains(self, text: Expression, part: str) -> Expression:
        """Return whether a text has another in it."""
        raise NotImplementedError

    def among(self, number: Expression, wanted: Sequence[int]) -> Expression:
        """Return whether a whole number is one of many, sent as one value."""
        raise NotImplementedError

    def mentions(self, text: Expression, part: str) -> Expression:
        """Return whether a text may have a folded part in it, whatever its case; never no where it has.

        An engine's own way to lower ASCII is many times faster than `appkeep_fold`; of other texts what is ASCII in them goes first.
        """
        plain = max(_ASCII.findall(part), key=len, default="")
        found = or_(self.contains(self.lowered(text), plain), *(self.contains(text, char) for char in cased_as(plain)))
        if plain == part:
            return found
        folded = self.contains(self.fold(text), part)
        return and_(found, folded) if plain else folded

    def lowered(self, text: Expression) -> Expression:
        """Return a text with the letters of ASCII in lower case."""
        raise NotImplementedError

    def key(self, kind: str, *path: str | int) -> Expression:
        """Return what a value is compared and sorted by; see `keys`."""
        if kind == NUMBER:
            return self.number(*path)
        if kind == CHECK:
            return case((self.truth(str(path[0])), "1"), else_="0")
        text = self.held(*path)
        if kind == TEXT:
            return self.whole(self.fold(func.substr(text, 1, MAX_KEY)))
        return self.whole(func.rtrim(text, "Z") if kind == MOMENT else text)

    def bound(self, kind: str, value: Any) -> Expression:
        """Return a value to compare a `key` with."""
        if kind == NUMBER:
            return self.bound_number(decimal_of(value) or Decimal(0))
        return literal(key_of(kind, value), Text)

    def has(self, field: str, wanted: Sequence[str], *, inner: str | None = None) -> Expression:
        """Return whether a list holds one of *wanted*."""
        if not wanted:
            return false()
        table, item = self.items(field, inner=inner)
        return select(literal(1)).select_from(table).where(item.in_(list(wanted))).exists()

    def rank(self, key: Expression, keys: Sequence[str]) -> Expression:
        """Return which of *keys* it is, counted from 0; as many as there are for others."""
        place = self.place(key, "\n".join(["", *keys, ""]))
        # All keys of choices are equally long, so their place in one text says which it is.
        width = len(keys[0]) + 1 if keys else 1
        return case((key.is_(None), None), (place == 0, len(keys)), else_=(place - 1) // width)

    def padded(self, text: Expression, digits: int) -> Expression:
        """Return a whole number's text with at least so many digits."""
        return case((func.length(text) >= digits, text),
                    else_=func.substr(literal("0" * digits, Text) + text, func.length(text) + 1))

    def place(self, part: Expression, text: str) -> Expression:
        """Return where in a text a line is, from 1; 0 for nowhere."""
        raise NotImplementedError

    def begins(self, field: str, head: str, *, inner: str | None = None) -> Expression:
        """Return whether an item of a list begins like this."""
        table, item = self.items(field, inner=inner)
        return select(literal(1)).select_from(table).where(func.substr(item, 1, len(head)) == head).exists()


class SQLiteValues(Values):
    """See `Values`."""

    def __init__(self, connection: Connection) -> None:
        if "appkeep_functions" not in connection.info:
            lent: sqlite3.Connection = driver(connection)
            lent.create_function("appkeep_fold", 1, _folded, deterministic=True)
            lent.create_function("appkeep_number", 1, _number, deterministic=True)
            connection.info["appkeep_functions"] = True

    def held(self, *path: str | int) -> Expression:
        return cast(func.json_extract(vals, _path(path)), Text)

    def number(self, *path: str | int) -> Expression:
        return func.appkeep_number(func.json_extract(vals, _path(path)), type_=Text)

    def bound_number(self, number: Decimal) -> Expression:
        return literal(number_key(number), Text)

    def items(self, field: str, *, inner: str | None) -> tuple[Any, Expression]:
        table = func.json_each(vals, _path((field,))).table_valued("value")
        item = table.c.value if inner is None else func.json_extract(table.c.value, _path((inner,)))
        return table, cast(item, Text)

    def joined(self, field: str, inner: str | None) -> Expression:
        table, item = self.items(field, inner=inner)
        return select(func.group_concat(item, ", ")).select_from(table).scalar_subquery()

    def json(self, field: str) -> Expression:
        return vals.op("->")(_path((field,)))

    def truth(self, field: str) -> Expression:
        return func.coalesce(func.json_type(vals, _path((field,))) == "true", literal(False))

    def contains(self, text: Expression, part: str) -> Expression:
        return func.instr(text, part) > 0

    def among(self, number: Expression, wanted: Sequence[int]) -> Expression:
        table = func.json_each(json.dumps(list(wanted))).table_valued("value")
        return number.in_(select(table.c.value))

    def lowered(self, text: Expression) -> Expression:
        return func.lower(text)

    def place(self, part: Expression, text: str) -> Expression:
        return func.instr(literal(text, Text), literal("\n", Text) + part + literal("\n", Text), type_=Integer)


class PostgreSQLValues(Values):
    """See `Values`."""

    def held(self, *path: str | int) -> Expression:
        return func.jsonb_extract_path_text(cast(vals, JSONB), *map(str, path), type_=Text)

    def number(self, *path: str | int) -> Expression:
        text = self.held(*path)
        return case((text.regexp_match(_NUMERIC), cast(text, Numeric)))

    def bound_number(self, number: Decimal) -> Expression:
        return cast(literal(format(number, "f"), Text), Numeric)

    def items(self, field: str, *, inner: str | None) -> tuple[Any, Expression]:
        found = func.jsonb_extract_path(cast(vals, JSONB), field)
        array = case((func.jsonb_typeof(found) == "array", found))
        if inner is None:
            table = func.jsonb_array_elements_text(array).table_valued("value", with_ordinality="n", name="item").render_derived()
            return table, table.c.value
        table = func.jsonb_array_elements(array).table_valued("value", with_ordinality="n", name="item").render_derived()
        return table, func.jsonb_extract_path_text(table.c.value, inner, type_=Text)

    def joined(self, field: str, inner: str | None) -> Expression:
        from sqlalchemy.dialects.postgresql import aggregate_order_by

        table, item = self.items(field, inner=inner)
        ordered: Any = aggregate_order_by(literal(", ", Text), table.c.n)
        return select(func.string_agg(item, ordered)).select_from(table).scalar_subquery()

    def json(self, field: str) -> Expression:
        return cast(func.jsonb_extract_path(cast(vals, JSONB), field), Text)

    def truth(self, field: str) -> Expression:
        return func.coalesce(self.held(field) == "true", literal(False))

    def among(self, number: Expression, wanted: Sequence[int]) -> Expression:
        return number == func.any(cast(list(wanted), ARRAY(BigInteger)))

    def whole(self, text: Expression) -> Expression:
        return text.collate("C")

    def contains(self, text: Expression, part: str) -> Expression:
        return func.strpos(text, part) > 0

    def lowered(self, text: Expression) -> Expression:
        return func.lower(text.collate("C"))

    def place(self, part: Expression, text: str) -> Expression:
        return func.strpos(literal(text, Text), literal("\n", Text) + part + literal("\n", Text), type_=Integer)


def values_of(connection: Connection) -> Values:
    """Return the expressions of a connection's engine."""
    return SQLiteValues(connection) if connection.dialect.name == "sqlite" else PostgreSQLValues()


def _path(path: Sequence[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}" for step in path)


def _folded(text: Any) -> str | None:
    return None if text is None else fold(str(text))


def _number(value: Any) -> str | None:
    return key_of(NUMBER, value) or None


__all__ = ["Expression", "Values", "and_", "or_", "values_of"]
