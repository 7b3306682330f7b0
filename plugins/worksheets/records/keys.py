"""Keys: text that sorts as values do, the same on both engines and in Python. Pure.

The rules: text goes by its folded first characters, each character folded by itself; numbers by value, exactly; moments
by time; checkboxes unticked first. An empty value has the empty key.
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from functools import cache
from typing import Any

TEXT, NUMBER, MOMENT, CHECK, CHOICE = "text", "number", "moment", "check", "choice"
KINDS = (TEXT, NUMBER, MOMENT, CHECK, CHOICE)
MAX_KEY = 100
"""How many characters of a text decide where it is sorted; equal ones go by the records' numbers."""
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?\Z")
_CASED = 0x1F000
"""No character from here on has another case."""
_NINES = str.maketrans("0123456789", "9876543210")


@cache
def folding() -> dict[int, int]:
    """Return each character's folded one, where both are one character, so that folding keeps lengths and prefixes."""
    found = {}
    for code in range(_CASED):
        char = chr(code)
        folded = char.casefold()
        if len(folded) != 1:
            folded = char.lower()
        if len(folded) == 1 and folded != char:
            found[code] = ord(folded)
    return found


def cased_as(part: str) -> list[str]:
    """Return the characters beyond ASCII that fold to one of an ASCII text's, such as the sign for Kelvin."""
    return [chr(code) for code, folded in folding().items() if code > 127 and chr(folded) in part]


def fold(text: str) -> str:
    """Return a text as it is compared where upper and lower case do not matter."""
    return text.lower() if text.isascii() else text.translate(folding())


def key_of(kind: str, value: Any) -> str:
    """Return the key of a stored value; empty for none, and for one that is not of the kind."""
    if kind == CHECK:
        return "1" if value is True else "0"
    if value is None or value is False or value is True:
        return ""
    if kind == NUMBER:
        number = decimal_of(value)
        return "" if number is None else number_key(number)
    if not isinstance(value, str):
        return ""
    if kind == TEXT:
        return fold(value[:MAX_KEY])
    return value.removesuffix("Z")[:MAX_KEY] if kind == MOMENT else value[:MAX_KEY]


def decimal_of(value: Any) -> Decimal | None:
    """Return a stored number, None for what is none."""
    if type(value) is int:
        return Decimal(value)
    return Decimal(value) if isinstance(value, str) and _DECIMAL.match(value) else None


def number_key(number: Decimal) -> str:
    """Return a text that sorts as the number does: sign, place of the first digit, digits; mirrored where negative."""
    if number.is_zero():
        return "o"
    with localcontext() as context:
        context.prec = 100
        number = number.normalize()
    _, digits, exponent = number.as_tuple()
    text = f"{len(digits) + int(exponent) + 50:02d}{''.join(map(str, digits))}"
    return f"p{text}" if number > 0 else f"n{text.translate(_NINES)}~"
