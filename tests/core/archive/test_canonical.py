"""Canonical JSON: RFC 8785's own examples, what is refused, and that the fast way equals the slow one."""

from __future__ import annotations

import json
import struct
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archive.canonical import MAX_SAFE, NotCanonical, _write, canonical, number_text, parse, parse_canonical

# RFC 8785, appendix B, without those that are no JSON numbers or too large whole numbers for I-JSON.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324", "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef50": "1e+21", "3eb0c6f7a0b5ed8d": "0.000001", "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343", "becbf647612f3696": "-0.0000033333333333333333",
}
LARGE = {"444b1ae4d6e2ef4e": "999999999999999700000", "444b1ae4d6e2ef4f": "999999999999999900000",
         "4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992",
         "4430000000000000": "295147905179352830000", "43143ff3c1cb0959": "1424953923781206.2"}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
whole = st.integers(-MAX_SAFE, MAX_SAFE)
values = st.recursive(
    st.none() | st.booleans() | whole | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12)


def number(bits: str) -> float:
    return float(struct.unpack(">d", bytes.fromhex(bits))[0])


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_rfc_shows(bits: str, text: str) -> None:
    """Appendix B of RFC 8785 is met to the digit."""
    assert number_text(number(bits)) == text


@pytest.mark.parametrize(("bits", "text"), LARGE.items())
def test_large_whole_numbers_would_be_written_as_the_rfc_shows(bits: str, text: str) -> None:
    """The writer itself follows appendix B; which of these are stored is another rule."""
    assert number_text(number(bits)) == text


def test_the_structure_of_the_rfc_is_met() -> None:
    """Section 3.2.2: numbers, escapes and literals."""
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
             "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    expected = ('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
                '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}')
    assert canonical(value).decode() == expected


def test_names_are_sorted_by_utf16() -> None:
    """Section 3.2.3: names beyond the basic plane come before some inside it."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    expected = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(names)))) == expected


def test_every_control_character_is_escaped_as_the_rfc_says() -> None:
    """Two-letter escapes where there are, else four lower-case digits; DEL and above stand as they are."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    for code in range(1, 32):
        assert canonical(chr(code)).decode() == '"' + short.get(code, "\\u" + format(code, "04x")) + '"'
    assert canonical("\x7f\u2028/").decode() == '"\x7f\u2028/"'


@given(values)
def test_the_fast_way_equals_the_slow_one(value: Any) -> None:
    """C code and the long way write the same bytes."""
    assert canonical(value) == _write(value).encode()


@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    """Canonical text is read as the same value by both readers."""
    text = canonical(value)
    assert parse_canonical(text) == value == parse(text, max_bytes=len(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_is_stored_reads_back_as_the_same_number(value: float) -> None:
    """The fewest digits still name the number."""
    assert float(number_text(value)) == value


@given(st.binary(max_size=20) | st.text(' {}[]",:0123456789.eE+-\\utrfalsn"', max_size=20).map(str.encode))
def test_whatever_is_accepted_is_its_own_canonical_form(data: bytes) -> None:
    """No bytes are read as canonical that would be written otherwise, and nothing but NotCanonical is raised."""
    try:
        value = parse_canonical(data)
    except NotCanonical:
        return
    assert canonical(value) == data


@pytest.mark.parametrize("value", [
    float("nan"), float("inf"), -float("inf"), 2**53, -2**53, 10**400, 2.0**53, -(2.0**53), 1e20,
    "\0", {"\0": 1}, {"a": ["\0"]},
    "\ud800", {"\udfff": 1}, ["\ud800", 1.5], {1: 2}, {None: 1}, {1.5, 2}, b"x", object(),
    MappingProxyType({"a": 2**53}), [{"é": 1, 2: 3}],
], ids=repr)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    """HOSTILE 41, 42: no number, text or name that another program would read otherwise."""
    with pytest.raises(NotCanonical):
        canonical(value)


def nested(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


@pytest.mark.parametrize("inner", [1, [], {}], ids=repr)
def test_sixty_four_levels_are_the_most(inner: Any) -> None:
    """An array or object may lie in 63 others, whatever is in it."""
    levels = 64 if inner == 1 else 63
    deepest = canonical(nested(levels, inner))
    assert parse_canonical(deepest) == parse(deepest, max_bytes=1000)
    with pytest.raises(NotCanonical, match="64 levels"):
        canonical(nested(levels + 1, inner))


def test_a_mapping_is_written_as_an_object() -> None:
    """Read-only mappings are as good as dicts, at any depth."""
    assert canonical([MappingProxyType({"b": 1, "a": MappingProxyType({})})]) == b'[{"a":{},"b":1}]'
    with pytest.raises(NotCanonical, match="64 levels"):
        canonical(nested(63, MappingProxyType({"a": []})))


@pytest.mark.parametrize("text", [
    b"", b" 1", b"1 ", b"1\n", b"\xef\xbb\xbf1", b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"b":1,"a":2}',
    b"-0", b"-0.0", b"1.0", b"1e2", b"1E400",
    b"1e400", b"-1e400", b"1e21", b"9007199254740992", b"-9007199254740992", b"18446744073709551616",
    b"9007199254740993.0",
    b"1" * 5000, b"01", b"+1", b".5", b"1.", b"0.10", b"NaN", b"Infinity", b"nul", b'"\\u0041"', b'"\\/"',
    b'"\\u000A"', b'"\\n', b'"\n"',
    b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\x80"', b'"\\u0000"', b'"\0"',
    b"[1,]", b"[1, 2]", b'{"a" :1}', b"1,2", b"{}{}",
    b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"'a'", b"// x\n1",
], ids=lambda text: repr(text[:24]))
def test_no_other_form_of_a_value_is_read(text: bytes) -> None:
    """HOSTILE 24, 38, 41, 42: blanks, escapes, order, doubles, numbers and depth, each in one form or not at all."""
    with pytest.raises(NotCanonical):
        parse_canonical(text)


@pytest.mark.parametrize("text", [
    b"", b"\xef\xbb\xbf1", b'{"a":1,"a":1}', b'[{"a":{"b":1,"b":2}}]', b"NaN", b"-Infinity", b"1e400",
    b"9007199254740992", b"1" * 5000,
    b"9007199254740993.0", b'"\\ud800"', b'{"\\uDC00":1}', b'"\\u0000"', b'"\xff"', b"1 2", b"[" * 100_000,
    b"[" * 65 + b"]" * 65,
], ids=lambda text: repr(text[:24]))
def test_json_from_outside_is_refused_where_storing_would_change_it(text: bytes) -> None:
    """The lenient reader takes blanks and order as they come, but no value that cannot be stored."""
    with pytest.raises(NotCanonical):
        parse(text, max_bytes=10**6)


def test_json_from_outside_may_be_written_freely() -> None:
    """Blanks, order and escapes are the writer's choice."""
    assert parse(b' { "b" : "\\u00e9\\ud83d\\ude00" ,\r\n "a":1.0 }', max_bytes=100) == {"a": 1.0, "b": "é😀"}


def test_long_texts_are_refused_before_they_are_read() -> None:
    """One byte above the bound is too much."""
    assert parse(b'"aa"', max_bytes=4) == "aa"
    with pytest.raises(NotCanonical, match="longer than 3 bytes"):
        parse(b'"aa"', max_bytes=3)
