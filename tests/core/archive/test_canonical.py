"""Canonical JSON: RFC 8785's own vectors, I-JSON's limits, and the fast way equal to the slow one."""

from __future__ import annotations

import json
import struct
from types import MappingProxyType

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.archive.canonical import NotCanonical, canonical, number_text, parse, parse_canonical

# RFC 8785, appendix B: IEEE 754 bits in hexadecimal and the text they are written as.
NUMBERS = """
0000000000000000 0
8000000000000000 0
0000000000000001 5e-324
8000000000000001 -5e-324
7fefffffffffffff 1.7976931348623157e+308
ffefffffffffffff -1.7976931348623157e+308
4340000000000000 9007199254740992
c340000000000000 -9007199254740992
4430000000000000 295147905179352830000
44b52d02c7e14af5 9.999999999999997e+22
44b52d02c7e14af6 1e+23
44b52d02c7e14af7 1.0000000000000001e+23
444b1ae4d6e2ef4e 999999999999999700000
444b1ae4d6e2ef4f 999999999999999900000
444b1ae4d6e2ef50 1e+21
3eb0c6f7a0b5ed8c 9.999999999999997e-7
3eb0c6f7a0b5ed8d 0.000001
41b3de4355555553 333333333.3333332
41b3de4355555554 333333333.33333325
41b3de4355555555 333333333.3333333
41b3de4355555556 333333333.3333334
41b3de4355555557 333333333.33333343
becbf647612f3696 -0.0000033333333333333333
43143ff3c1cb0959 1424953923781206.2
"""

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
                      max_leaves=30)


@pytest.mark.parametrize("line", NUMBERS.split("\n")[1:-1])
def test_numbers_are_written_as_the_rfc_writes_them(line: str) -> None:
    """Every row of RFC 8785's table."""
    bits, wanted = line.split(" ")
    assert wanted == number_text(struct.unpack(">d", bytes.fromhex(bits))[0])


def test_the_rfcs_example_comes_out_as_printed() -> None:
    """RFC 8785, 3.2.2 to 3.2.4: literals, escapes and the order of names."""
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
             "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f", "literals": [None, True, False]}
    wanted = ('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
              '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}')
    assert wanted.encode() == canonical(value)


def test_names_are_ordered_by_utf16_units() -> None:
    """RFC 8785, 3.2.3: the order of its example, which differs from that of code points."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(names, 1))))
    assert ordered == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@given(values)
def test_any_value_is_written_as_an_independent_writer_does(value: object) -> None:
    """The fast way, the slow way and another implementation agree."""
    assert rfc8785.dumps(value) == canonical(value)  # type: ignore[arg-type]


@given(values)
def test_what_was_written_is_read_back_and_accepted_as_canonical(value: object) -> None:
    """Writing and reading are inverse."""
    text = canonical(value)
    assert value == parse_canonical(text) == parse(text, max_bytes=10**6)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_keeps_its_value(value: float) -> None:
    """A number that is written reads back as itself, or is refused because it would not."""
    try:
        text = canonical(value)
    except NotCanonical:
        assert value.is_integer() and 2**53 <= abs(value) < 1e21
    else:
        assert value == float(text) and rfc8785.dumps(value) == text


@pytest.mark.parametrize("value", [
    2**53, -(2**53), float("nan"), float("inf"), 1e17, "a\0", {"\0": 1}, {1: 2}, "\ud800", {"\udc00": 1}, {1, 2}, b"x",
    2**64, 10**30,
])
def test_what_json_cannot_keep_is_refused(value: object) -> None:
    """Numbers that others read differently, half characters, and things that are not JSON."""
    with pytest.raises(NotCanonical):
        canonical(value)


def test_depth_is_bounded_on_both_ways_without_a_recursion_error() -> None:
    """HOSTILE 24: nesting costs an error, not the stack."""
    deep: list[object] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(NotCanonical):
        canonical(deep)
    for count in (70, 5_000, 1_000_000):
        for read in (parse_canonical, lambda data: parse(data, max_bytes=10**7)):
            with pytest.raises(NotCanonical):
                read(b"[" * count + b"]" * count)


@pytest.mark.parametrize("text", [
    b"", b" 1", b"1 ", b"1\n", b"-0", b"1.0", b"1e2", b"1E400", b"NaN", b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a": 1}',
    b'"\\u0041"', b'"\\/"', b'"\\u0000"', b'"\\ud800"', b'"\xff"', b"\xef\xbb\xbf1", b"9007199254740992",
    b"12345678901234567890", b"01", b"[1,]", b"nul", b'"\x01"', b'"a',
])
def test_only_the_canonical_text_is_accepted(text: bytes) -> None:
    """HOSTILE 24, 38 and 42: one value has one text."""
    with pytest.raises(NotCanonical):
        parse_canonical(text)


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b"NaN", b"Infinity", b"9007199254740992", b"1" * 5000, b'"\\u0000"',
                                  b'"\xff"', b'"\\ud800"', b"[1,]", b"", b"1e400", b"\xef\xbb\xbf1"])
def test_reading_from_outside_refuses_what_would_change_by_being_stored(text: bytes) -> None:
    """Duplicates, large numbers, half characters: refused, not mended."""
    with pytest.raises(NotCanonical):
        parse(text, max_bytes=10**6)


def test_reading_from_outside_takes_other_spellings_of_good_values() -> None:
    """An editor's JSON need not be canonical."""
    assert parse(b' { "a" : [ 1 , "\\u0041", 1.50 ] } ', max_bytes=100) == {"a": [1, "A", 1.5]}


def test_text_longer_than_allowed_is_refused_before_it_is_read() -> None:
    """The bound comes first."""
    with pytest.raises(NotCanonical, match="longer"):
        parse(b"[" * 100, max_bytes=99)


def nested(levels: int, inner: object) -> object:
    """Return *inner* in so many arrays."""
    for _ in range(levels):
        inner = [inner]
    return inner


@pytest.mark.parametrize(("inner", "levels"), [(1, 64), ([], 63), ({}, 63), ({"é": 1.5}, 63)], ids=repr)
def test_sixty_four_levels_are_the_most_for_writer_and_readers(inner: object, levels: int) -> None:
    """Arrays and objects are counted, whatever is in the innermost."""
    deepest = canonical(nested(levels, inner))
    assert parse_canonical(deepest) == parse(deepest, max_bytes=1000)
    for act in (lambda: canonical(nested(levels + 1, inner)), lambda: parse_canonical(b"[" + deepest + b"]"),
                lambda: parse(b"[" + deepest + b"]", max_bytes=1000)):
        with pytest.raises(NotCanonical, match="64 levels"):
            act()


def test_a_read_only_mapping_is_written_as_an_object() -> None:
    """At any depth, and counted as a level like a dict."""
    inner = MappingProxyType({"b": 1, "a": MappingProxyType({})})
    assert canonical([inner]) == b'[{"a":{},"b":1}]'
    with pytest.raises(NotCanonical, match="64 levels"):
        canonical(nested(63, MappingProxyType({"a": []})))
    with pytest.raises(NotCanonical, match="whole number"):
        canonical(MappingProxyType({"a": 2**53}))


def test_every_control_character_is_escaped_as_the_rfc_says() -> None:
    """Two-letter escapes where there are, else four lower-case digits; DEL and above stand as they are."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    for code in range(1, 32):
        assert canonical(chr(code)).decode() == '"' + short.get(code, "\\u" + format(code, "04x")) + '"'
    assert canonical("\x7f\u2028/").decode() == '"\x7f\u2028/"'


@given(st.binary(max_size=20) | st.text(' {}[]",:0123456789.eE+-\\utrfalsn"', max_size=20).map(str.encode))
def test_whatever_is_accepted_is_its_own_canonical_form(data: bytes) -> None:
    """HOSTILE 24: nothing but NotCanonical is raised, and no bytes are read that would be written otherwise."""
    try:
        value = parse_canonical(data)
    except NotCanonical:
        return
    assert canonical(value) == data == rfc8785.dumps(value)


@pytest.mark.parametrize("text", [
    b"-0.0", b"1e400", b"-1e400", b"1e21", b"9007199254740993.0", b"18446744073709551616", b"1" * 5000, b".5", b"0.10",
    b'"\\n"x', b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\0"', b'{"\\u0000":1}', b"1,2", b"{}{}",
    b'{"a":[{"b":1,"b":1}]}', b"'a'", b"// x\n1", b'{"a":' * 5000 + b"1" + b"}" * 5000,
], ids=lambda text: repr(text[:24]))
def test_no_second_text_of_a_value_is_accepted(text: bytes) -> None:
    """HOSTILE 41 and 42: zeros, exponents, long numbers, escapes and broken UTF-8."""
    with pytest.raises(NotCanonical):
        parse_canonical(text)
