"""What may be written in a formula, and what it means."""

import pytest

from core.api import InvalidDocument
from plugins.worksheets.formula import FUNCTIONS, check_expression, check_template
from tests.plugins.worksheets.formula.bench import calculated, d, fails


@pytest.mark.parametrize(("expression", "value"), [
    ("1 + 2 * 3", d(7)),
    ("(1 + 2) * 3", d(9)),
    ("10 - 3 - 2", d(5)),
    ("2 * 3 % 4", d(2)),
    ("-2 * -3", d(6)),
    ("- - 2", d(2)),
    ("1 + 1 = 2 && 3 > 2", True),
    ("false || !false", True),
    ("true && false || true", True),
    ("1 < 2 = true", True),
    ("'a' & 1 + 1 & 'b'", "a2b"),
    ("'it\\'s'", "it's"),
    ('"say \\"hi\\"\\n"', 'say "hi"\n'),
    ("UPPER('a')", "A"),
    ("True", True),
    ("0.1 + 0.2", d("0.3")),
    ("1 // the rest is a remark\n + 1", d(2)),
    ("row_id()", d(7)),
    ("1 <> 2", True),
    ("1 == 1", True),
])
def test_an_expression_has_the_value_that_its_operators_give_it(expression, value):
    """Operators bind as in arithmetic, from the left, and numbers are exact decimals."""
    assert calculated(expression) == value


@pytest.mark.parametrize(("expression", "position"), [
    ("", 0),
    ("1 +", 3),
    ("1 2", 2),
    ("nothing(1)", 0),
    ("1 + foo", 4),
    ("upper()", 0),
    ("1 + upper('a', 'b')", 4),
    ("(1", 0),
    ("1)", 1),
    ("upper('a'", 0),
    ("1, 2", 1),
    ("'open", 0),
    ("{Name}", 0),
    ("1 $ 2", 2),
    ("if(1,,2)", 5),
    ("if(1,2,)", 7),
    ("()", 1),
])
def test_a_mistake_is_refused_with_its_position(expression, position):
    """Whoever writes a formula is told where the mistake is."""
    with pytest.raises(InvalidDocument) as caught:
        check_expression(expression)
    assert caught.value.details == {"position": position}
    assert f"at character {position + 1}" in caught.value.message


def test_the_fields_used_are_told_once_each_in_order():
    """The names come as they stand between the braces, so that pointers can be compared with them."""
    assert check_expression("{f_b} + { f_a.f_c } + {f_b}") == ["f_b", "f_a.f_c"]


def test_the_fields_of_a_template_are_told_and_doubled_braces_are_text():
    """A template is text but for its fields."""
    assert check_template("{{x}} {f_a}: {f_b.f_c} {f_a}") == ["f_a", "f_b.f_c"]


def test_a_brace_of_no_field_is_refused_in_a_template():
    """A half-written field is not printed as text by accident."""
    with pytest.raises(InvalidDocument) as caught:
        check_template("Dear {Name}")
    assert caught.value.details == {"position": 5}


@pytest.mark.parametrize("expression", [
    "(" * 9_000 + "1" + ")" * 9_000,
    "-" * 19_000 + "1",
    "1" + "+1" * 9_000,
    "abs(" * 3_900 + "1" + ")" * 3_900,
    "if(1,2," * 2_000 + "3" + ")" * 2_000,
])
def test_the_deepest_formula_is_read_and_calculated_without_recursion(expression):
    """However deep a formula nests, it cannot bring the program down."""
    check_expression(expression)
    assert not fails(expression)


def test_a_formula_longer_than_allowed_is_refused():
    """The size of the text bounds all further work."""
    with pytest.raises(InvalidDocument):
        check_expression("1" + "+1" * 10_000)


@pytest.mark.parametrize("expression", [
    "power(9, 9e9)", "power(9, 9000000000)", "power(10, 900)", "exp(1000)", "repeat('a', 1000000000)",
    "lpad('a', 1000000000)", "replace(repeat('a', 100000), 'a', repeat('b', 1000))", "round(1, 100000)",
    "date_interval('99999999999 years')", "today() + 99999999999", "tonumber(repeat('9', 90000))",
    "10000000000 * 10000000000 * 10000000000 * 10000000000 * 10000000000 * 10000000000 * 10000000000",
    "regex_match('a', repeat('(', 500))", "regex_replace('a', '((a{1000}){1000}){1000}', '')",
    "regex_match(repeat('a', 90000), '(a*)*b')",
    "&".join(["repeat('a', 90000)"] * 2), "todate('9', repeat('Y', 900))",
])
def test_what_would_grow_without_end_fails_instead(expression):
    """No formula takes more time or room than one may."""
    try:
        assert fails(expression)
    except InvalidDocument:
        assert "9e9" in expression


def test_work_is_bounded_over_the_whole_formula():
    """Many small costs are counted together."""
    assert fails("+".join(["length(repeat('a', 100000))"] * 100))


def test_a_list_in_place_of_a_value_gives_a_list():
    """Functions of single values go through lists, side by side where there are several."""
    assert calculated("{f_a.f_b} * 2 + {f_a.f_c}", a_b=(d(1), d(2)), a_c=(d(10), d(20))) == (d(12), d(24))


def test_lists_of_different_lengths_do_not_fit_together():
    """Values of different links are not paired by accident."""
    assert fails("{f_a.f_b} + {f_c.f_d}", a_b=(d(1), d(2)), c_d=(d(1), d(2), d(3)))


def test_every_function_can_be_called_with_blanks_without_a_crash():
    """Whatever a function is given, it gives a value or a failure."""
    for function in FUNCTIONS.values():
        for given in (None, "x", d(3), (None, "x", d(2)), True, d("NaN")):
            count = max(function.least, 0)
            names = ", ".join(f"{{f_{n}}}" for n in range(count))
            calculated(f"{function.name}({names})", **{str(n): given for n in range(count)})
