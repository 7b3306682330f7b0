"""Functions of numbers. Bounded: exponents and digits have limits, so nothing grows without end."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from plugins.worksheets.formula.arithmetic import ROUGH, add, compare, divide, minus, multiply, trimmed
from plugins.worksheets.formula.function import MANY, Function
from plugins.worksheets.formula.values import EXACT, NAN, CalculationFailed, Span, number, plain, text, whole


def rounded(value: Decimal, digits: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """Return a number with so many digits after the point; negative *digits* round to tens, hundreds, …"""
    if value.is_nan():
        return value
    unit = Decimal(1).scaleb(-digits)
    context = EXACT.copy()
    context.prec = 2 * EXACT.prec
    found = value.quantize(unit, rounding=rounding, context=context)
    return found if digits >= 0 else found.quantize(Decimal(1), context=context)


def _round(value: Any, digits: Any = None) -> Decimal:
    return trimmed(rounded(number(value), whole(digits, -50, 50)))


def _rounding(how: str) -> Any:
    return lambda value: rounded(number(value), 0, how)


def _negate(value: Any) -> Any:
    if isinstance(value, Span):
        return Span(-value.months, -value.seconds)
    return EXACT.minus(number(value))


def _mod(left: Any, right: Any) -> Decimal:
    by = number(right)
    return NAN if by == 0 else EXACT.remainder(number(left), by)


def _power(left: Any, right: Any) -> Decimal:
    base, exponent = number(left), number(right)
    if exponent.is_nan() or abs(exponent) > 1_000:
        raise CalculationFailed("the exponent is too large")
    if base == 0:
        return Decimal(1) if exponent == 0 else NAN if exponent < 0 else Decimal(0)
    if base < 0 and exponent != exponent.to_integral_value():
        return NAN
    return trimmed(ROUGH.power(base, exponent))


def _sqrt(value: Any) -> Decimal:
    found = number(value)
    return NAN if found < 0 else trimmed(ROUGH.sqrt(found))


def _exp(value: Any) -> Decimal:
    found = number(value)
    if abs(found) > 150:
        raise CalculationFailed("the exponent is too large")
    return trimmed(ROUGH.exp(found))


def _ln(value: Any) -> Decimal:
    found = number(value)
    return trimmed(ROUGH.ln(found)) if found > 0 else NAN


def _log(value: Any, base: Any = Decimal(10)) -> Decimal:
    found, of = number(value), number(base)
    if found <= 0 or of <= 0 or of == 1:
        return NAN
    if of == 10:
        return trimmed(ROUGH.log10(found))
    quotient = ROUGH.divide(ROUGH.ln(found), ROUGH.ln(of))
    return trimmed(rounded(quotient, 25))


def _sign(value: Any) -> Decimal:
    found = number(value)
    return Decimal((found > 0) - (found < 0))


def _is_even(value: Any) -> bool:
    found = number(value)
    return found == found.to_integral_value() and found % 2 == 0


def _is_odd(value: Any) -> bool:
    found = number(value)
    return found == found.to_integral_value() and found % 2 != 0


def _greatest(*values: Any) -> Any:
    return _furthest(values, 1)


def _least(*values: Any) -> Any:
    return _furthest(values, -1)


def _furthest(values: tuple[Any, ...], direction: int) -> Any:
    best = None
    for value in values:
        if value is not None and (best is None or compare(value, best) == direction):
            best = value
    return best


def _number_format(value: Any, digits: Any, group: Any = ",", point: Any = ".") -> str:
    shown = plain(rounded(number(value), whole(digits, 0, 20)))
    sign, shown = ("-", shown[1:]) if shown.startswith("-") else ("", shown)
    ones, _, rest = shown.partition(".")
    groups = f"{int(ones):,}".replace(",", text(group)[:1]) if ones.isdigit() else ones
    return sign + groups + (text(point)[:1] + rest if rest else "")


NUMBERS = (
    Function("add", add, 2, 2, "add(a, b)", "`a + b`; joins texts, moves dates."),
    Function("minus", minus, 2, 2, "minus(a, b)", "`a - b`; between dates a length of time."),
    Function("multiply", multiply, 2, 2, "multiply(a, b)", "`a * b`."),
    Function("divide", divide, 2, 2, "divide(a, b)", "`a / b`; not a number when `b` is 0."),
    Function("negate", _negate, 1, 1, "negate(a)", "`-a`."),
    Function("mod", _mod, 2, 2, "mod(a, b)", "What is left of `a` when divided by `b`; `a % b`."),
    Function("abs", lambda value: EXACT.abs(number(value)), 1, 1, "abs(a)", "Without its sign."),
    Function("ceil", _rounding(ROUND_CEILING), 1, 1, "ceil(a)", "The next greater whole number."),
    Function("floor", _rounding(ROUND_FLOOR), 1, 1, "floor(a)", "The next smaller whole number."),
    Function("int", _rounding(ROUND_DOWN), 1, 1, "int(a)", "Without its fraction."),
    Function("trunc", _rounding(ROUND_DOWN), 1, 1, "trunc(a)", "Without its fraction."),
    Function("round", _round, 1, 2, "round(a, digits)", "To so many digits; halves away from zero."),
    Function("power", _power, 2, 2, "power(a, b)", "`a` to the power `b` (at most 1000)."),
    Function("sqrt", _sqrt, 1, 1, "sqrt(a)", "The square root."),
    Function("exp", _exp, 1, 1, "exp(a)", "e to the power `a`."),
    Function("ln", _ln, 1, 1, "ln(a)", "The natural logarithm."),
    Function("log", _log, 1, 2, "log(a, base)", "The logarithm, to base 10 unless told."),
    Function("sign", _sign, 1, 1, "sign(a)", "1, 0 or -1."),
    Function("even", _is_even, 1, 1, "even(a)", "Whether it is an even number."),
    Function("odd", _is_odd, 1, 1, "odd(a)", "Whether it is an odd number."),
    Function("greatest", _greatest, 1, MANY, "greatest(a, b, …)", "The greatest of several."),
    Function("least", _least, 1, MANY, "least(a, b, …)", "The least of several."),
    Function("tonumber", number, 1, 1, "tonumber(text)", "A text of digits as a number."),
    Function("number_format", _number_format, 2, 4, "number_format(a, digits, group, point)",
             "As text with groups of three digits."),
)
