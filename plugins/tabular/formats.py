"""Formats: what Excel's number formats say of the numbers in cells. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

BUILT_IN = {9: "0%", 10: "0.00%", **dict.fromkeys((14, 15, 16, 17), "yyyy-mm-dd"), **dict.fromkeys((18, 19, 20, 21), "hh:mm"),
            22: "yyyy-mm-dd hh:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 5: "¤0", 6: "¤0", 7: "¤0.00", 8: "¤0.00", 42: "¤0",
            44: "¤0.00", **dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"), **dict.fromkeys((32, 33, 34, 35), "hh:mm")}
"""The formats that files need not name, as far as they are no plain numbers; those of money name no currency."""
CURRENCIES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY",
              "zł": "PLN", "Kč": "CZK", "R$": "BRL", "CHF": "CHF", "₪": "ILS", "₫": "VND", "₴": "UAH", "฿": "THB", "kr": "", "¤": ""}
_BRACKETS = re.compile(r"\[(?![hms]+\])[^\]]*\]")
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ZEROS = re.compile(r"0[0 ()/-]*0\Z")
_DECIMALS = re.compile(r"\.([0#?]+)")
MAX_SERIAL = 2_958_466
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Format:
    """What a format makes of a number: "moment", "clock", "length", "zeros", "percent", "currency" or "" for a plain number."""

    kind: str = ""
    pattern: str = ""
    currency: str = ""
    decimals: int = 0


class Measured(float):
    """A number that a sheet shows as a share of a hundred or as money."""

    unit: Format


def format_of(code: str) -> Format:
    """Return what a format's code says."""
    first = code.partition(";")[0]
    money = next((symbol for symbol in (*_CURRENCY.findall(first), *(c for c in CURRENCIES if c and c in _BRACKETS.sub("", first)))
                  if symbol), None)
    bare = _BRACKETS.sub("", _QUOTED.sub("", first)).lower()
    if re.search(r"\[[hms]+\]", bare):
        return Format("length")
    has_date = bool(re.search(r"[yd]", bare)) or ("m" in bare and not re.search(r"[hs]", bare))
    if has_date and "general" not in bare:
        return Format("moment")
    if re.search(r"[hs]", bare) and "general" not in bare:
        return Format("clock")
    found = _DECIMALS.search(bare)
    decimals = len(found[1]) if found else 0
    if "%" in bare:
        return Format("percent", decimals=decimals)
    pattern = re.sub(r"\\(.)|\"([^\"]*)\"", lambda m: m[1] or m[2] or "", first)
    if money is None and _ZEROS.match(pattern):
        return Format("zeros", pattern)
    if money is not None and re.search(r"[0#]", bare):
        known = CURRENCIES.get(money.strip(), money.strip())
        return Format("currency", currency=known if re.fullmatch(r"[A-Z]{3}", known) else "", decimals=decimals)
    return Format()


def shaped(text: str, given: Format, *, since_1904: bool) -> Any:
    """Return what a cell's number is by its format; a number that cannot be so stays one."""
    number = number_of(text)
    if not given.kind:
        return number
    if given.kind in ("percent", "currency"):
        found = Measured(number)
        found.unit = given
        return found
    if given.kind == "zeros":
        return _padded(number, given.pattern) if isinstance(number, int) and number >= 0 else number
    return _moment(number, given.kind, since_1904=since_1904)


def number_of(text: str) -> int | float:
    """Return a number with the fifteen digits that Excel keeps and shows."""
    try:
        return int(text)
    except ValueError:
        pass
    found = float(f"{float(text):.15g}")
    return int(found) if found.is_integer() and abs(found) < 1e15 else found


def _padded(number: int, pattern: str) -> str:
    digits = str(number).zfill(pattern.count("0"))
    extra = len(digits) - pattern.count("0")
    rest = iter(digits[extra:])
    return digits[:extra] + "".join(next(rest) if char == "0" else char for char in pattern)


def _moment(number: float, kind: str, *, since_1904: bool) -> Any:
    if kind == "length":
        return timedelta(milliseconds=round(number * DAY_MS)) if abs(number) < MAX_SERIAL else number
    if not 0 <= number < MAX_SERIAL or (kind == "moment" and number < 1 and not since_1904):
        return number if number or kind == "moment" else time()
    if kind == "clock" and number < 1:
        passed = timedelta(milliseconds=round(number * DAY_MS))
        return (datetime(1900, 1, 1) + passed).time() if passed < timedelta(days=1) else number
    start = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 31) if number < 60 else datetime(1899, 12, 30)
    try:
        return start + timedelta(milliseconds=round(number * DAY_MS))
    except OverflowError:
        return number
