"""Templates of text combinations: text with fields such as {f_…} or {f_….f_…} in it."""

from __future__ import annotations

import re
from functools import lru_cache

from plugins.worksheets.formula.lexer import MAX_EXPRESSION, refuse

_PIECE = re.compile(r"\{\{|\}\}|\{\s*(f_[0-9A-Za-z_]{1,40}(?:\.f_[0-9A-Za-z_]{1,40})?)\s*\}|[{}]")

Piece = str | tuple[str, ...]


@lru_cache(maxsize=256)
def pieces(template: str) -> tuple[Piece, ...]:
    """Return the parts of a template in order: a string is text, a tuple the path of a field.

    Doubled braces stand for one.

    Raises:
        InvalidDocument: a brace that belongs to no field, with its position, or text too long.
    """
    if len(template) > MAX_EXPRESSION:
        raise refuse(f"The template is longer than {MAX_EXPRESSION} characters", MAX_EXPRESSION)
    found: list[Piece] = []
    end = 0
    for match in _PIECE.finditer(template):
        found.append(template[end:match.start()])
        found.append(_piece(match))
        end = match.end()
    return tuple(piece for piece in (*found, template[end:]) if piece)


def _piece(match: re.Match[str]) -> Piece:
    if match[1]:
        return tuple(match[1].split("."))
    if match[0] in ("{{", "}}"):
        return match[0][0]
    raise refuse(f"A single “{match[0]}” belongs to no field; write it twice", match.start())
