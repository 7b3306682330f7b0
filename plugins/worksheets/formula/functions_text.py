"""Functions of text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from plugins.worksheets.formula.function import MANY, Function, Surroundings
from plugins.worksheets.formula.pattern import Pattern
from plugins.worksheets.formula.values import MAX_TEXT, CalculationFailed, Choice, bounded, text, whole

# What JavaScript's encodeURI leaves as it is beside letters, digits and "_.-~".
_OF_URI = ";,/?:@&=+$!*'()#"
_OF_COMPONENT = "!*'()"


def _concat(*values: Any) -> str:
    return bounded("".join(map(text, values)))


def _left(value: Any, count: Any) -> str:
    return text(value)[:whole(count, 0)]


def _right(value: Any, count: Any) -> str:
    length = whole(count, 0)
    return text(value)[-length:] if length else ""


def _middle(value: Any, start: Any, count: Any) -> str:
    begin = whole(start, 1) - 1
    return text(value)[begin:begin + whole(count, 0)]


def _replace(value: Any, old: Any, new: Any) -> str:
    inside, sought, given = text(value), text(old), text(new)
    if not sought:
        return inside
    if inside.count(sought) * len(given) + len(inside) > 2 * MAX_TEXT:
        raise CalculationFailed("a text becomes too long")
    return bounded(inside.replace(sought, given))


def _regex_replace(around: Surroundings, value: Any, pattern: Any, new: Any) -> str:
    return bounded(Pattern.of(text(pattern)).replaced(text(value), text(new), around.spend))


def _regex_match(around: Surroundings, value: Any, pattern: Any) -> bool:
    return Pattern.of(text(pattern)).found(text(value), around.spend)


def _search(value: Any, sought: Any) -> Decimal:
    return Decimal(text(value).find(text(sought)) + 1)


def _split_part(value: Any, delimiter: Any, place: Any) -> str:
    separator, index = text(delimiter), whole(place)
    parts = text(value).split(separator) if separator else [text(value)]
    if index == 0:
        raise CalculationFailed("parts are counted from 1")
    position = index - 1 if index > 0 else len(parts) + index
    return parts[position] if 0 <= position < len(parts) else ""


def _repeat(value: Any, count: Any) -> str:
    times, shown = whole(count, 0), text(value)
    if times * len(shown) > MAX_TEXT:
        raise CalculationFailed("a text becomes too long")
    return shown * times


def _padded(value: Any, length: Any, filling: Any, *, left: bool) -> str:
    shown, filler = text(value), text(filling) or " "
    missing = max(whole(length, 0, MAX_TEXT) - len(shown), 0)
    padding = (filler * (missing // len(filler) + 1))[:missing]
    return padding + shown if left else shown + padding


def _select_value(value: Any) -> str:
    return value.name if isinstance(value, Choice) else text(value)




TEXTS = (
    Function("concat", _concat, 1, MANY, "concat(a, b, …)", "Everything joined as one text; `a & b`."),
    Function("upper", lambda value: bounded(text(value).upper()), 1, 1, "upper(text)", "In capital letters."),
    Function("lower", lambda value: bounded(text(value).lower()), 1, 1, "lower(text)", "In small letters."),
    Function("trim", lambda value: text(value).strip(), 1, 1, "trim(text)", "Without space at both ends."),
    Function("left", _left, 2, 2, "left(text, count)", "The first characters."),
    Function("right", _right, 2, 2, "right(text, count)", "The last characters."),
    Function("mid", _middle, 3, 3, "mid(text, start, count)", "Characters from the middle; the first is 1."),
    Function("length", lambda value: Decimal(len(text(value))), 1, 1, "length(text)", "How many characters."),
    Function("replace", _replace, 3, 3, "replace(text, old, new)", "With every `old` replaced."),
    Function("regex_replace", _regex_replace, 3, 3, "regex_replace(text, pattern, new)",
             "With every match of a pattern replaced; `\\\\1` is its first group.", surrounded=True),
    Function("regex_match", _regex_match, 2, 2, "regex_match(text, pattern)", "Whether a pattern occurs.",
             surrounded=True),
    Function("search", _search, 2, 2, "search(text, sought)", "Where it first occurs, from 1; 0 when nowhere."),
    Function("contains", lambda value, sought: text(sought) in text(value), 2, 2, "contains(text, sought)",
             "Whether it occurs."),
    Function("starts_with", lambda value, sought: text(value).startswith(text(sought)), 2, 2,
             "starts_with(text, sought)", "Whether the text begins so."),
    Function("ends_with", lambda value, sought: text(value).endswith(text(sought)), 2, 2, "ends_with(text, sought)",
             "Whether the text ends so."),
    Function("split_part", _split_part, 3, 3, "split_part(text, separator, place)",
             "One part of a divided text; the first is 1, the last -1."),
    Function("reverse", lambda value: text(value)[::-1], 1, 1, "reverse(text)", "Back to front."),
    Function("repeat", _repeat, 2, 2, "repeat(text, count)", "Several times over."),
    Function("lpad", lambda value, length, filling=" ": _padded(value, length, filling, left=True), 2, 3,
             "lpad(text, length, filling)", "Filled up at its beginning."),
    Function("rpad", lambda value, length, filling=" ": _padded(value, length, filling, left=False), 2, 3,
             "rpad(text, length, filling)", "Filled up at its end."),
    Function("encode_uri", lambda value: bounded(quote(text(value), safe=_OF_URI)), 1, 1, "encode_uri(text)",
             "Made safe as an address."),
    Function("encode_uri_component", lambda value: bounded(quote(text(value), safe=_OF_COMPONENT)), 1, 1,
             "encode_uri_component(text)", "Made safe as a part of an address."),
    Function("decode_uri_component", lambda value: unquote(text(value)), 1, 1, "decode_uri_component(text)",
             "The reverse of `encode_uri_component`."),
    Function("totext", text, 1, 1, "totext(a)", "Any value as text."),
    Function("tostring", text, 1, 1, "tostring(a)", "The same as `totext`."),
    Function("t", lambda value: value if isinstance(value, str) else "", 1, 1, "t(a)",
             "The value if it is text, else empty text."),
    Function("get_single_select_value", _select_value, 1, 1, "get_single_select_value(choice)", "A choice's name."),
)
