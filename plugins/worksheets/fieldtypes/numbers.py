"""Fields that hold numbers: number, currency, percent, rating, auto-number, checkbox, duration. Never floats."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any, ClassVar

from core.api import Definition, FieldType, InvalidValue
from core.api import schemas as s

MAX_SAFE = 2**53 - 1
MAX_DIGITS = 30
MAX_DECIMALS = 20
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,20})?\Z")
_LOOSE = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?\Z")


def exact(value: Any) -> Decimal:
    """Return a number without rounding.

    Raises:
        InvalidValue: it is no number, or has too many digits.
    """
    if type(value) is int:
        number = Decimal(value) if abs(value) < 10**MAX_DIGITS else None
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, str) and _LOOSE.match(value.strip()):
        number = Decimal(value.strip())
    else:
        raise InvalidValue("it must be a number.")
    if number is None or not number.is_finite() or abs(number) >= 10**MAX_DIGITS:
        raise InvalidValue(f"a number has at most {MAX_DIGITS} digits before the point.")
    return number


def fixed(number: Decimal, decimals: int) -> str:
    """Return a number with exactly so many decimals, as text; "-0" does not exist.

    Raises:
        InvalidValue: it has more decimals than that.
    """
    with localcontext() as context:
        context.prec = 2 * MAX_DIGITS + 20
        try:
            rounded = number.quantize(Decimal(1).scaleb(-decimals))
        except InvalidOperation:
            raise InvalidValue(f"a number has at most {MAX_DIGITS} digits before the point.") from None
        if rounded != number:
            raise InvalidValue(f"it has more than {decimals} decimals.")
        return format(abs(rounded) if rounded.is_zero() else rounded, "f")


class Number(FieldType):
    """A number with as many decimals as its options say: a whole number, or decimal text such as "12.50"."""

    name, title = "number", "Number"
    options: ClassVar[Any] = s.closed({
        "decimals": s.whole(0, MAX_DECIMALS), "unit": s.text(20), "unit_before": s.text(20), "negative": s.FLAG, "separator": s.text(20)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        decimals = definition.get("options", {}).get("decimals", 0)
        if type(value) is int and not decimals:
            return self._whole(value)
        if type(value) is str and decimals and _DECIMAL.match(value) and len(value.partition(".")[2]) == decimals \
                and not value.startswith("-0"):
            return value
        if isinstance(value, bool):
            raise InvalidValue("it must be a number.")
        if value == "":
            return None
        text = fixed(exact(value), decimals)
        return text if decimals else self._whole(int(text))

    def _whole(self, value: int) -> int:
        if not -MAX_SAFE <= value <= MAX_SAFE:
            raise InvalidValue("a whole number must be within ±9,007,199,254,740,991.")
        return value

    def shape(self, definition: Definition) -> dict[str, Any]:
        """The unit does not change what a number is."""
        return {"type": self.name, "options": {"decimals": definition.get("options", {}).get("decimals", 0)}}


class Currency(Number):
    """An amount of money."""

    name, title = "currency", "Currency"
    options: ClassVar[Any] = s.closed({
        "decimals": s.whole(0, MAX_DECIMALS), "currency": {"type": "string", "pattern": "^[A-Z]{3}" + s.END}})

    def shape(self, definition: Definition) -> dict[str, Any]:
        """An amount in another currency is another amount."""
        options = definition.get("options", {})
        kept = {"currency": options["currency"]} if "currency" in options else {}
        return {"type": self.name, "options": {"decimals": options.get("decimals", 0), **kept}}


class Percent(Number):
    """A share of a hundred: 25 is a quarter."""

    name, title = "percent", "Percent"
    options: ClassVar[Any] = s.closed({"decimals": s.whole(0, MAX_DECIMALS)})


class Rating(FieldType):
    """A number of stars, from 1."""

    name, title = "rating", "Rating"
    options: ClassVar[Any] = s.closed({"max": s.whole(1, 10), "colour": s.text(40), "symbol": s.text(40)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """None is empty."""
        most = definition.get("options", {}).get("max", 5)
        if type(value) is not int:
            value = int(fixed(exact(value), 0)) if not isinstance(value, bool) and value != "" else value
        if type(value) is not int or not 0 <= value <= most:
            raise InvalidValue(f"it must be a whole number from 0 to {most}.")
        return value or None

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {"max": definition.get("options", {}).get("max", 5)}}


class AutoNumber(FieldType):
    """A number that the worksheet gives, in order, never twice."""

    name, title = "autonumber", "Auto-number"
    writable = False
    options: ClassVar[Any] = s.closed({"prefix": s.text(20), "digits": s.whole(1, 12), "view": s.part_ref("worksheet", "view")})

    def canonical(self, value: Any, definition: Definition) -> Any:
        if type(value) is not int or not 1 <= value <= MAX_SAFE:
            raise InvalidValue("it must be a whole number from 1.")
        return value

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        """With prefix and leading zeros."""
        options = definition.get("options", {})
        return "" if value is None else f"{options.get('prefix', '')}{value:0{options.get('digits', 1)}d}"


class Checkbox(FieldType):
    """Ticked, or empty."""

    name, title = "checkbox", "Checkbox"
    options: ClassVar[Any] = s.closed({"default": s.FLAG})

    def canonical(self, value: Any, definition: Definition) -> Any:
        """Not ticked is empty."""
        if type(value) is not bool:
            raise InvalidValue("it must be true or false.")
        return value or None

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}

    def text(self, value: Any, definition: Definition, source: Any = None) -> str:
        return "yes" if value else ""


class Duration(FieldType):
    """A length of time in seconds: a whole number, or decimal text where there are parts of a second."""

    name, title = "duration", "Duration"
    options: ClassVar[Any] = s.closed({"format": s.text(20)})

    def canonical(self, value: Any, definition: Definition) -> Any:
        if type(value) is int and -MAX_SAFE <= value <= MAX_SAFE:
            return value
        if isinstance(value, bool):
            raise InvalidValue("it must be a number of seconds.")
        if value == "":
            return None
        number = exact(value)
        if number == number.to_integral_value():
            whole = int(number)
            if not -MAX_SAFE <= whole <= MAX_SAFE:
                raise InvalidValue("it is too long.")
            return whole
        return fixed(number, 6).rstrip("0")

    def shape(self, definition: Definition) -> dict[str, Any]:
        return {"type": self.name, "options": {}}


NUMBERS = (Number(), Currency(), Percent(), Rating(), AutoNumber(), Checkbox(), Duration())
