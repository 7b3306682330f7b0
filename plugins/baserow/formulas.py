"""Baserow's formulas in the language of worksheets: only how fields are named differs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from plugins.baserow.names import Names, Table
from plugins.baserow.read import id_of

_TOKEN = re.compile(r"""
    (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<call>\b(?:field|lookup)\s*\()
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<other>.)
""", re.VERBOSE | re.DOTALL | re.IGNORECASE)
_ARGUMENTS = re.compile(r"""\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*(?:,\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*)?\)""")


class Untranslatable(Exception):
    """The formula names something that is not there."""


def translate(formula: str, table: Table, names: Names) -> tuple[str, list[dict[str, str]]]:
    """Return (expression, uses): the formula with fields named by key, and a pointer to each field it reads.

    Raises:
        Untranslatable: with what is missing.
    """
    uses: dict[str, None] = {}
    found = "".join(_pieces(formula, table, names, uses))
    return found, [{"ref": address} for address in uses]


def _pieces(formula: str, table: Table, names: Names, uses: dict[str, None]) -> Iterator[str]:
    place = 0
    while place < len(formula):
        token = _TOKEN.match(formula, place)
        if token is None:
            raise Untranslatable("it cannot be read")
        place = token.end()
        if token.lastgroup == "comment":
            yield " "
        elif token.lastgroup != "call":
            yield token.group()
        else:
            arguments = _ARGUMENTS.match(formula, place)
            if arguments is None:
                raise Untranslatable("it names a field by a computed value")
            place = arguments.end()
            yield _named([_unquoted(a) for a in arguments.groups() if a], table, names, uses)


def _named(path: list[str], table: Table, names: Names, uses: dict[str, None]) -> str:
    first = table.by_name.get(path[0])
    if first is None:
        raise Untranslatable(f"the field “{path[0][:60]}” is missing")
    uses[table.ref(first)["ref"]] = None
    if len(path) == 1:
        return f"{{{table.fields[first]}}}"
    target = names.tables.get(id_of(table.items[first], "link_row_table_id") or -1)
    second = target.by_name.get(path[1]) if target else None
    if target is None or second is None:
        raise Untranslatable(f"the field “{path[1][:60]}” of “{path[0][:60]}” is missing")
    uses[target.ref(second)["ref"]] = None
    return f"{{{table.fields[first]}.{target.fields[second]}}}"


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
