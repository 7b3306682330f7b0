"""What each function gives, by example."""

from datetime import UTC, date, datetime

import pytest

from plugins.worksheets.formula import FUNCTIONS
from plugins.worksheets.formula.values import Choice, File, Link, Several, Span
from tests.plugins.worksheets.formula.bench import calculated, d, fails

PICTURE = File("0" * 64, "a.png", 12, "image/png")
FIELDS = {
    "blank": None, "empty": "", "day": date(2024, 1, 31), "at": datetime(2024, 2, 29, 23, 5, 9, tzinfo=UTC),
    "choice": Choice("o_1", "High"), "tags": Several((Choice("o_1", "Red"), Choice("o_2", "Blue"))),
    "files": Several((PICTURE,)), "hours": Span(0, d(5400)),
    "l_n": (d(1), None, d(4)), "l_t": ("b", "a", "b"), "l_ok": (True, False, True), "l_none": (),
}

EXAMPLES = [
    ("if", "if({f_blank}, 1, 2)", d(2)), ("if", "if(1 / 0 > 1, 1, 2)", d(2)),
    ("if", "if({f_l.f_ok}, {f_l.f_t}, '-')", ("b", "-", "b")),
    ("switch", "switch({f_choice}, 'Low', 1, 'High', 2, 3)", d(2)), ("switch", "switch(9, 1, 2, 3)", d(3)),
    ("and", "and(true, 1, 'x')", True), ("and", "and(true, 0)", False), ("or", "or(false, '', 0)", False),
    ("or", "or(false, 'x')", True), ("xor", "xor(true, true)", False), ("not", "not(false)", True),
    ("equal", "equal({f_choice}, 'High')", True), ("equal", "{f_blank} = 0", True), ("equal", "{f_blank} = ''", True),
    ("equal", "'2.50' = 2.5", True), ("equal", "{f_day} = '2024-01-31'", True), ("equal", "1 = 'x'", False),
    ("not_equal", "{f_blank} != 'x'", True), ("greater_than", "greater_than(2, 1)", True),
    ("greater_than", "'b' > 'a'", True), ("greater_than_or_equal", "2 >= 2", True),
    ("less_than", "{f_day} < today()", True), ("less_than", "{f_blank} < today()", False),
    ("less_than_or_equal", "3 <= 2", False), ("isblank", "isblank({f_empty})", True),
    ("isblank", "isblank({f_l.f_none})", True), ("isblank", "isblank(0)", False),
    ("is_null", "is_null({f_empty})", False), ("when_empty", "when_empty({f_blank}, 5)", d(5)),
    ("when_empty", "when_empty({f_l.f_none}, 'none')", "none"), ("coalesce", "coalesce({f_blank}, '', 3)", d(3)),
    ("is_error", "is_error(tonumber('x'))", True), ("is_error", "is_error(1)", False),
    ("if_error", "if_error(tonumber('x'), 0)", d(0)), ("if_error", "if_error(1 / 0, 0)", d(0)),
    ("error_to_null", "error_to_null(tonumber('x'))", None), ("error_to_nan", "is_nan(error_to_nan(tonumber('x')))", True),
    ("is_nan", "is_nan(1 / 0)", True), ("is_nan", "is_nan(1)", False), ("when_nan", "when_nan(1 / 0, 3)", d(3)),
    ("any", "any({f_l.f_ok})", True), ("every", "every({f_l.f_ok})", False), ("every", "every({f_l.f_t} = 'b')", False),
    ("concat", "concat('a', 1.50, true, {f_choice}, {f_blank}, {f_day})", "a1.50trueHigh2024-01-31"),
    ("concat", "concat({f_tags}, '!')", "Red, Blue!"), ("concat", "concat({f_l.f_t}, '!')", ("b!", "a!", "b!")),
    ("upper", "upper('aß')", "ASS"), ("lower", "lower('ÄB')", "äb"), ("trim", "trim('  a b ')", "a b"),
    ("left", "left('abc', 2)", "ab"), ("right", "right('abc', 2)", "bc"), ("right", "right('abc', 0)", ""),
    ("mid", "mid('abcdef', 2, 3)", "bcd"), ("length", "length('äöü')", d(3)),
    ("replace", "replace('a.b.c', '.', '')", "abc"),
    ("regex_replace", "regex_replace('GB123456789', '(GB)?([0-9]{9})', 'valid')", "valid"),
    ("regex_replace", "regex_replace('hello world', '(\\\\w+) (\\\\w+)', '\\\\2 \\\\1')", "world hello"),
    ("regex_match", "regex_match('abc', '^a.c$')", True), ("search", "search('1.5', '.5')", d(2)),
    ("search", "search('abc', 'x')", d(0)), ("contains", "contains('abc', 'b')", True),
    ("starts_with", "starts_with('abc', 'ab')", True), ("ends_with", "ends_with('abc', 'ab')", False),
    ("split_part", "split_part('a/b/c', '/', 2)", "b"), ("split_part", "split_part('a/b/c', '/', -1)", "c"),
    ("reverse", "reverse('abc')", "cba"), ("repeat", "repeat('ab', 3)", "ababab"), ("lpad", "lpad(7, 3, '0')", "007"),
    ("rpad", "rpad('a', 4, 'xy')", "axyx"), ("encode_uri", "encode_uri('http://a/ä b')", "http://a/%C3%A4%20b"),
    ("encode_uri_component", "encode_uri_component('a&b/c')", "a%26b%2Fc"),
    ("decode_uri_component", "decode_uri_component('a%26b')", "a&b"), ("totext", "totext(1 / 4)", "0.25"),
    ("totext", "totext({f_l.f_n})", ("1", "", "4")), ("tostring", "tostring(true)", "true"), ("t", "t(1)", ""),
    ("t", "t('a')", "a"), ("get_single_select_value", "get_single_select_value({f_choice})", "High"),
    ("add", "'a' + 1", "a1"), ("add", "{f_day} + date_interval('1 month')", date(2024, 2, 29)),
    ("add", "{f_day} + 1", date(2024, 2, 1)), ("add", "{f_hours} + date_interval('1 h')", Span(0, d(9000))),
    ("add", "{f_blank} + 1", d(1)), ("minus", "{f_at} - {f_day}", Span(0, d(2588709))),
    ("minus", "{f_day} - date_interval('1.5 days')", datetime(2024, 1, 29, 12, tzinfo=UTC)),
    ("multiply", "{f_hours} * 2", Span(0, d(10800))), ("divide", "{f_hours} / 2", Span(0, d(2700))),
    ("divide", "7 / 2", d("3.5")), ("negate", "-{f_hours}", Span(0, d(-5400))), ("mod", "-7 % 3", d(-1)),
    ("abs", "abs(-2.5)", d("2.5")), ("ceil", "ceil(1.2)", d(2)), ("floor", "floor(-1.2)", d(-2)),
    ("int", "int(-1.8)", d(-1)), ("trunc", "trunc(1.8)", d(1)), ("round", "round(2.345, 2)", d("2.35")),
    ("round", "round(1234, -2)", d(1200)), ("round", "round(2.5)", d(3)), ("power", "power(2, 10)", d(1024)),
    ("power", "power(4, 0.5)", d(2)), ("sqrt", "sqrt(2.25)", d("1.5")), ("exp", "round(exp(1), 4)", d("2.7183")),
    ("ln", "ln(1)", d(0)), ("log", "log(1000)", d(3)), ("log", "log(8, 2)", d(3)), ("sign", "sign(-3)", d(-1)),
    ("even", "even(4)", True), ("odd", "odd(4)", False), ("greatest", "greatest(1, 3, 2)", d(3)),
    ("least", "least({f_blank}, 3, 2)", d(2)), ("tonumber", "tonumber(' 1.5 ')", d("1.5")),
    ("number_format", "number_format(-1234567.891, 2)", "-1,234,567.89"),
    ("number_format", "number_format(1234.5, 1, '.', ',')", "1.234,5"),
    ("today", "today()", date(2024, 2, 29)), ("now", "now()", datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)),
    ("year", "year({f_day})", d(2024)), ("quarter", "quarter({f_day})", d(1)), ("month", "month('2024-05-01')", d(5)),
    ("week", "week({f_day})", d(5)), ("day", "day({f_day})", d(31)),
    ("weekday", "weekday({f_day})", d(3)), ("hour", "hour({f_at})", d(23)), ("minute", "minute({f_at})", d(5)),
    ("second", "second({f_at})", d(9)), ("datetime_format", "tonumber(datetime_format({f_day}, 'IW'))", d(5)),
    ("datetime_format", "datetime_format({f_at}, 'DD/MM/YY HH12:MI:SS PM, Day Mon \"at\"')",
     "29/02/24 11:05:09 PM, Thursday Feb at"),
    ("datetime_format_tz", "datetime_format_tz({f_at}, 'YYYY-MM-DD HH24', 'Asia/Tokyo')", "2024-03-01 08"),
    ("todate", "todate('2024-02' + '-01', 'YYYY-MM-DD')", date(2024, 2, 1)),
    ("todate", "todate('1 March 24', 'DD Month YY')", date(2024, 3, 1)),
    ("todate_tz", "todate_tz({f_at}, 'YYYY', 'Asia/Tokyo')", date(2024, 3, 1)),
    ("todatetime", "todatetime('2024-01-02 3:04 pm', 'YYYY-MM-DD HH12:MI am')", datetime(2024, 1, 2, 15, 4, tzinfo=UTC)),
    ("todatetime", "todatetime('2024-01-02T03:04:05+01:00')", datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)),
    ("date_diff", "date_diff('day', {f_day}, {f_at})", d(29)), ("date_diff", "date_diff('months', {f_day}, {f_at})", d(1)),
    ("date_add", "date_add({f_day}, 1, 'month')", date(2024, 2, 29)),
    ("date_interval", "date_interval('1 year 2 months 1.5 h')", Span(14, d(5400))),
    ("date_interval", "date_interval('1:30:00')", Span(0, d(5400))),
    ("date_interval", "date_interval(concat(4 / 8 + 1, ' days'))", Span(0, d(129600))),
    ("toseconds", "toseconds({f_hours})", d(5400)), ("toduration", "toduration(60)", Span(0, d(60))),
    ("count", "count({f_l.f_n})", d(3)), ("count", "count({f_tags})", d(2)),
    ("count_filled", "count_filled({f_l.f_n})", d(2)), ("sum", "sum({f_l.f_n})", d(5)),
    ("sum", "sum(filter({f_l.f_n}, {f_l.f_t} = 'b'))", d(5)), ("sum", "sum(7)", d(7)), ("avg", "avg({f_l.f_n})", d("2.5")),
    ("min", "min({f_l.f_t})", "a"), ("max", "max({f_l.f_n})", d(4)),
    ("variance_pop", "variance_pop({f_l.f_n})", d("2.25")), ("variance_sample", "variance_sample({f_l.f_n})", d("4.5")),
    ("stddev_pop", "stddev_pop({f_l.f_n})", d("1.5")), ("stddev_sample", "round(stddev_sample({f_l.f_n}), 2)", d("2.12")),
    ("join", "join({f_l.f_t}, '-')", "b-a-b"), ("filter", "filter({f_l.f_t}, {f_l.f_ok})", ("b", "b")),
    ("filter", "count(filter({f_l.f_t}, and({f_l.f_t} != 'b', {f_l.f_t} != 'c')))", d(1)),
    ("array_unique", "array_unique({f_l.f_t})", ("b", "a")), ("array_sort", "array_sort({f_l.f_t})", ("a", "b", "b")),
    ("array_slice", "array_slice({f_l.f_t}, 1)", ("a", "b")), ("first", "first({f_l.f_n})", d(1)),
    ("last", "last({f_l.f_n})", d(4)), ("index", "index({f_l.f_t}, 1)", "a"),
    ("has_option", "has_option({f_tags}, 'Blue')", True), ("link", "link('https://a.b', 'A')", Link("https://a.b", "A")),
    ("button", "button('https://a.b', 'A')", Link("https://a.b", "A", True)),
    ("get_link_url", "get_link_url(link('https://a.b', 'A'))", "https://a.b"),
    ("get_link_label", "get_link_label(link('https://a.b', 'A'))", "A"),
    ("get_file_visible_name", "get_file_visible_name(index({f_files}, 0))", "a.png"),
    ("get_file_size", "get_file_size({f_files})", d(12)),
    ("get_file_mime_type", "get_file_mime_type({f_files})", "image/png"),
    ("get_file_count", "get_file_count({f_files})", d(1)), ("is_image", "is_image(index({f_files}, 0))", True),
    ("is_image", "is_image(index({f_l.f_none}, 0))", False), ("row_id", "concat('T-', row_id())", "T-7"),
]


@pytest.mark.parametrize(("name", "expression", "value"), EXAMPLES)
def test_a_function_gives_what_its_description_says(name, expression, value):
    """Each function is pinned by an example of its use."""
    assert calculated(expression, **FIELDS) == value


@pytest.mark.parametrize("expression", [
    "day({f_blank})", "todate('', 'YYYY')", "avg({f_l.f_none})", "index({f_l.f_t}, 9)", "error_to_null(tonumber('x'))",
    "first({f_l.f_none})", "{f_blank} + date_interval('1 day')", "if(false, 1)",
])
def test_what_has_nothing_to_work_on_is_blank(expression):
    """Blank in, blank out: no error, and no zero out of nothing."""
    assert calculated(expression, **FIELDS) in (None, Span(0, d(86400)))


def test_every_function_has_an_example():
    """A new function comes with an example."""
    assert sorted(set(FUNCTIONS) - {name for name, *_ in EXAMPLES}) == []


@pytest.mark.parametrize("expression", [
    "tonumber('x')", "tonumber('1_000')", "tonumber('Infinity')", "tonumber('nan')", "link('javascript:alert(1)')",
    "button(' JavaScript:alert(1)', 'x')", "todate('x', 'YYYY-MM-DD')", "todate('2024-02-30', 'YYYY-MM-DD')",
    "todatetime('soon')", "date_interval('soon')", "datetime_format_tz(now(), 'HH24', '../etc/passwd')",
    "split_part('a', '/', 0)", "filter({f_l.f_t}, {f_m.f_x})", "if(tonumber('x') > 1, 1, 2)",
    "regex_match('a', '(?=a)')", "regex_match('a', '*')", "toseconds(date_interval('1 month'))",
])
def test_what_makes_no_sense_fails(expression):
    """A failure is a failure, not a guess."""
    assert fails(expression, m_x=(True,), **FIELDS)


def test_failures_pass_through_all_that_is_built_on_them():
    """One failed part makes the whole fail unless somebody asks what happened."""
    assert fails("concat('a', upper(tonumber('x')))")
    assert calculated("if(is_error(tonumber('x')), 'bad', 'good')") == "bad"


def test_if_ignores_a_failure_in_the_branch_not_taken():
    """A guard against an error is one."""
    assert calculated("if(true, 1, tonumber('x'))") == d(1)


def test_a_text_that_becomes_too_long_by_joining_fails():
    """The bound holds for texts put together from small ones too."""
    assert fails("join({f_l.f_long}, '')", l_long=("x" * 60_000, "y" * 60_000))
