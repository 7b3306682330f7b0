"""Formula text as steps for a stack, checked against the table of functions. Nothing here recurses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from plugins.worksheets.formula.brought import brought, missing
from plugins.worksheets.formula.function import Function
from plugins.worksheets.formula.functions import FUNCTIONS
from plugins.worksheets.formula.lexer import Token, refuse, tokens

# Operators are functions under another spelling. Those of a higher rank bind stronger; like ranks from the left.
_BINARY = {
    "||": (1, "or"), "&&": (2, "and"),
    "=": (3, "equal"), "==": (3, "equal"), "!=": (3, "not_equal"), "<>": (3, "not_equal"),
    "<": (4, "less_than"), "<=": (4, "less_than_or_equal"),
    ">": (4, "greater_than"), ">=": (4, "greater_than_or_equal"),
    "&": (5, "concat"), "+": (6, "add"), "-": (6, "minus"),
    "*": (7, "multiply"), "/": (7, "divide"), "%": (7, "mod"),
}
_PREFIX = {"!": (8, "not"), "-": (8, "negate"), "+": (8, "tonumber")}


@dataclass(frozen=True, slots=True)
class Literal:
    """Put a value on the stack."""

    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """Put a field of the record on the stack, or, with two keys, that of the records which a field points to."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """Take `count` values off the stack and put a function's answer on it."""

    function: Function
    count: int


Step = Literal | Field | Call


@lru_cache(maxsize=256)
def parse(expression: str, *, strict: bool = True) -> tuple[Step, ...]:
    """Return the steps of a formula; unless *strict*, a function that nothing here brings stands for no value.

    Raises:
        InvalidDocument: with what is wrong and where: syntax, an unknown function, a wrong number of arguments.
    """
    parser = _Parser(strict)
    found = tokens(expression)
    for place, token in enumerate(found[:-1]):
        parser.read(token, found[place + 1])
    return parser.finished(found[-1])


@dataclass(slots=True)
class _Waiting:
    """An operator that waits for its right side, or (rank 0) an open parenthesis, of a function or of none."""

    rank: int
    token: Token
    function: Function | None = None
    count: int = 1


class _Parser:
    """The shunting yard: operands go straight to the steps, operators wait until what binds stronger has gone.

    Source: E. W. Dijkstra, MR 34/61 (1961).
    """

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.steps: list[Step] = []
        self.waiting: list[_Waiting] = []
        self.wants_value = True
        self.named: Token | None = None

    def read(self, token: Token, following: Token) -> None:
        if self.wants_value:
            self._read_value(token, following)
        else:
            self._read_operator(token)

    def finished(self, end: Token) -> tuple[Step, ...]:
        if self.wants_value:
            raise refuse("A value is missing", end.position)
        self._release(0)
        if self.waiting:
            raise refuse("This “(” is never closed", self.waiting[-1].token.position)
        return tuple(self.steps)

    def _read_value(self, token: Token, following: Token) -> None:
        opens = following.sort == "operator" and following.text == "("
        if token.sort == "name" and opens:
            self.named = token
        elif token.sort == "operator":
            self._read_sign(token, following)
        else:
            self.steps.append(_operand(token))
            self.wants_value = False

    def _read_sign(self, token: Token, following: Token) -> None:
        if token.text == "(":
            self._open(token, following)
        elif token.text == ")" and self.waiting and self.waiting[-1].count == 0:
            self._close(token)
        elif token.text in _PREFIX:
            rank, name = _PREFIX[token.text]
            self.waiting.append(_Waiting(rank, token, FUNCTIONS[name]))
        else:
            raise refuse(f"A value is missing before “{token.text}”", token.position)

    def _open(self, token: Token, following: Token) -> None:
        if self.named is None:
            self.waiting.append(_Waiting(0, token))
            return
        name = self.named.text.lower()
        function = FUNCTIONS.get(name) or brought(name)
        if function is None and self.strict:
            raise refuse(f"Unknown function “{self.named.text}”", self.named.position)
        function = function or missing(name)
        empty = following.sort == "operator" and following.text == ")"
        self.waiting.append(_Waiting(0, self.named, function, 0 if empty else 1))
        self.named = None

    def _read_operator(self, token: Token) -> None:
        if token.sort == "operator" and token.text in _BINARY:
            rank, name = _BINARY[token.text]
            self._release(rank)
            self.waiting.append(_Waiting(rank, token, FUNCTIONS[name], 2))
            self.wants_value = True
        elif token.sort == "operator" and token.text == ",":
            self._next_argument(token)
        elif token.sort == "operator" and token.text == ")":
            self._close(token)
        else:
            raise refuse(f"“{token.text[:40]}” is not expected", token.position)

    def _next_argument(self, token: Token) -> None:
        self._release(1)
        if not self.waiting or self.waiting[-1].function is None:
            raise refuse("“,” stands outside of a function", token.position)
        self.waiting[-1].count += 1
        self.wants_value = True

    def _close(self, token: Token) -> None:
        self._release(1)
        if not self.waiting:
            raise refuse("“)” closes nothing", token.position)
        opened = self.waiting.pop()
        self.wants_value = False
        if opened.function is not None:
            _check_count(opened.function, opened)
            self.steps.append(Call(opened.function, opened.count))

    def _release(self, rank: int) -> None:
        """Apply the waiting operators that bind at least as strongly as *rank*, back to the last parenthesis."""
        while self.waiting and self.waiting[-1].rank >= max(rank, 1):
            operator = self.waiting.pop()
            if operator.function is not None:
                self.steps.append(Call(operator.function, operator.count))


def _operand(token: Token) -> Step:
    if token.sort == "number":
        return Literal(Decimal(token.text))
    if token.sort == "string":
        return Literal(token.text)
    if token.sort == "field":
        return Field(tuple(token.text.split(".")))
    if token.text.lower() in ("true", "false"):
        return Literal(token.text.lower() == "true")
    raise refuse(f"Unknown name “{token.text}”. Did you mean the field {{{token.text}}}?", token.position)


def _check_count(function: Function, opened: _Waiting) -> None:
    if function.least <= opened.count <= function.most:
        return
    raise refuse(f"{function.usage}: there are {opened.count} arguments", opened.token.position)
