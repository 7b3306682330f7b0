"""Folding on PostgreSQL in a fraction of the time: it gives what it gave, and looks characters up among those that a text may have.

Revision ID: worksheets_0009
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

from plugins.worksheets.records.keys import folding

revision = "worksheets_0009"
down_revision = "worksheets_0008"
branch_labels = None
depends_on = None

PARTS = (0xFF, 0x24F, 0x52F)
"""Where parts of Unicode end whose texts look only through what has another case in them: Western Europe, Latin, Greek and Cyrillic."""
NEAR = 64
"""Characters this close are one range: a class of some thirty ranges is looked through sooner than one of hundreds."""


def upgrade() -> None:
    """Replace the function."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(_made(_quick())))


def downgrade() -> None:
    """Bring the former one back, which gives the same."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(_made(_translated("$1", dict(folding())))))


def _made(otherwise: str) -> str:
    lowered = 'lower($1 COLLATE "C")'
    return (f"CREATE OR REPLACE FUNCTION appkeep_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $fold$ "
            f"SELECT CASE WHEN octet_length($1) = char_length($1) THEN {lowered} ELSE {otherwise} END $fold$")


def _quick() -> str:
    """Return the expression that folds a text with characters beyond ASCII."""
    beyond = {code: folded for code, folded in folding().items() if code > 127}
    lowered, cases = 'lower($1 COLLATE "C")', []
    for last in PARTS:
        others = _class(code for code in beyond if code > last)
        within = {code: folded for code, folded in beyond.items() if code <= last}
        cases.append(f"WHEN $1 !~ '[{others}]' COLLATE \"C\" THEN {_translated(lowered, within)}")
    return f"CASE {' '.join(cases)} ELSE {_translated(lowered, beyond)} END"


def _translated(text: str, pairs: dict[int, int]) -> str:
    upper, lower = ("".join(map(chr, codes)) for codes in (pairs, pairs.values()))
    return f"translate({text}, '{upper}', '{lower}')"


def _class(codes: Iterable[int]) -> str:
    """Return ranges that hold all the characters, and some between them, as a regular expression writes them."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and code - ranges[-1][1] <= NEAR:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in ranges)
