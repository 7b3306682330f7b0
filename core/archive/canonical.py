"""Canonical JSON (RFC 8785 over I-JSON): one value, one text; and the strict reading of JSON from outside. Pure.

Fast because C code writes what it writes right by itself (no floats, ASCII names); the rest takes the long way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

MAX_SAFE = 2**53 - 1
MAX_DEPTH = 64
_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()
_TOO_DEEP = f"more than {MAX_DEPTH} levels"
_SCALARS = (str, bool, int, type(None))
_FLAT = frozenset(_SCALARS)


class NotCanonical(ValueError):
    """The value or text is no JSON of the kind that is stored; the message says what is wrong."""


def canonical(value: Any) -> bytes:
    """Return a JSON value as canonical bytes.

    Raises:
        NotCanonical: a number outside ±(2^53−1), NaN, U+0000, a lone surrogate, a name that is no string, more
            than 64 levels, or something that is not JSON.
    """
    if (raw := _flat(value)) is not None:
        return raw
    plain = _check(value)
    try:
        return _encoder.encode(value) if plain else _write(value).encode()
    except UnicodeEncodeError:
        raise NotCanonical("a text holds half of a surrogate pair") from None


def _flat(value: Any) -> bytes | None:
    """Return the bytes of an object that has no value but texts, whole numbers and flags, as records have; None where it takes a look."""
    if type(value) is not dict or not _FLAT.issuperset(map(type, value.values())) or not {str}.issuperset(map(type, value)):
        return None
    whole = [number for number in value.values() if type(number) is int]
    if not "".join(value).isascii() or (whole and not (-MAX_SAFE <= min(whole) and max(whole) <= MAX_SAFE)):
        return None
    try:
        raw = _encoder.encode(value)
    except UnicodeEncodeError:
        return None
    return None if b"\\u0000" in raw else raw


def parse(data: bytes, *, max_bytes: int) -> Any:
    """Return the value of JSON text from outside, refusing all that would change by being stored.

    Raises:
        NotCanonical: too long or deep, not UTF-8, not JSON, a name twice, or a value that `canonical` refuses.
    """
    if len(data) > max_bytes:
        raise NotCanonical(f"the text is longer than {max_bytes} bytes")
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise NotCanonical(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotCanonical(f"not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise NotCanonical(_TOO_DEEP) from None
    canonical(value)  # for what it refuses
    return value


def parse_canonical(data: bytes) -> Any:
    """Return the value of a canonical text.

    Raises:
        NotCanonical: the text is not the canonical form of any value.
    """
    try:
        value = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotCanonical(f"not JSON: {error}") from None
    except RecursionError:
        raise NotCanonical(_TOO_DEEP) from None
    if canonical(value) != data:
        raise NotCanonical("not in canonical form")
    return value


def _check(root: Any, depth: int = 0) -> bool:
    """Refuse what canonical JSON cannot say, and tell whether the fast writer writes the value right."""
    plain = True
    level = [root]
    while level:
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                if "\0" in value:
                    raise NotCanonical("a text holds the character U+0000")
            elif kind is int:
                if not -MAX_SAFE <= value <= MAX_SAFE:
                    raise NotCanonical("a whole number is outside ±(2^53−1): write it as text")
            elif kind is dict:
                if depth >= MAX_DEPTH:
                    raise NotCanonical(_TOO_DEEP)
                for name in value:
                    if type(name) is not str:
                        raise NotCanonical("a name in an object is not text")
                    if "\0" in name:
                        raise NotCanonical("a name holds the character U+0000")
                    plain = plain and name.isascii()
                below += value.values()
            elif kind is list or kind is tuple:
                if depth >= MAX_DEPTH:
                    raise NotCanonical(_TOO_DEEP)
                below += value
            elif kind is float:
                _check_float(value)
                plain = False
            elif isinstance(value, Mapping):
                _check(dict(value), depth)
                plain = False
            elif value is not None and kind is not bool:
                raise NotCanonical(f"{kind.__name__} is not JSON")
        level, depth = below, depth + 1
    return plain


def _check_float(value: float) -> None:
    if not math.isfinite(value):
        raise NotCanonical("a number is not finite")
    # Below 1e21 such a number is written like an integer, and read back as one that is too large.
    if value.is_integer() and MAX_SAFE < abs(value) < 1e21:
        raise NotCanonical("a whole number is outside ±(2^53−1): write it as text")


def _write(value: Any) -> str:
    if type(value) is float:
        return number_text(value)
    if isinstance(value, _SCALARS):
        return _encoder.encode(value).decode()
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{_write(name)}:{_write(value[name])}" for name in names) + "}"
    return "[" + ",".join(map(_write, value)) + "]"


def number_text(value: float) -> str:
    """Return a finite number as ECMAScript writes it."""
    if value == 0:
        return "0"
    digits, exponent = _shortest(abs(value))
    sign = "-" if value < 0 else ""
    point = len(digits) + exponent
    if 0 < point <= 21:
        whole = digits[:point].ljust(point, "0")
        return sign + whole + ("." + digits[point:] if len(digits) > point else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _shortest(value: float) -> tuple[str, int]:
    """Return (digits, e) with value = digits · 10^e, the fewest digits that name it."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) - len(fraction)
    stripped = digits.rstrip("0")
    return stripped, power + len(digits) - len(stripped)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("an object has the same name twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise NotCanonical(f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > 20:  # reading long digits takes time that grows with their square
        raise NotCanonical("a whole number is outside ±(2^53−1): write it as text")
    return int(text)
