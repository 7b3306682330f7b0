"""Formula text cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.api import InvalidDocument

MAX_EXPRESSION = 20_000

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<number>\d{1,40}(?:\.\d{1,40})?|\.\d{1,40})
      | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | \{\s*(?P<field>f_[0-9A-Za-z_]{1,40}(?:\.f_[0-9A-Za-z_]{1,40})?)\s*\}
      | (?P<name>[A-Za-z_][A-Za-z0-9_]{0,60})
      | (?P<operator>==|!=|<>|<=|>=|&&|\|\||[-+*/%=<>!&(),])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a formula: its sort, its text and where it starts (from 0).

    The sorts are number, string (text without quotes, escapes resolved), field (the path between the braces),
    name, operator (text as written) and end.
    """

    sort: str
    text: str
    position: int


def refuse(message: str, position: int) -> InvalidDocument:
    """Return the error for a mistake at *position* (from 0); people count from 1."""
    return InvalidDocument(f"{message} (at character {position + 1})", position=position)


def tokens(expression: str) -> list[Token]:
    """Return the tokens of a formula; the last one has the sort "end".

    Raises:
        InvalidDocument: a character that no token starts with, or text too long.
    """
    if len(expression) > MAX_EXPRESSION:
        raise refuse(f"The formula is longer than {MAX_EXPRESSION} characters", MAX_EXPRESSION)
    found, position = [], 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise refuse(_complaint(expression[position]), position)
        sort = str(match.lastgroup)
        if sort != "space":
            found.append(Token(sort, _text(sort, match[sort]), position))
        position = match.end()
    found.append(Token("end", "", position))
    return found


def _text(sort: str, text: str) -> str:
    if sort != "string":
        return text
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1], flags=re.DOTALL)


def _complaint(character: str) -> str:
    if character in "'\"":
        return "The text that begins here has no closing quote"
    if character == "{":
        return "A field is written {f_…} or {f_….f_…}"
    return f"A formula cannot hold “{character}” here"
