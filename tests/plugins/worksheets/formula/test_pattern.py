"""Regular expressions of formulas: the same answers as Python's, in bounded work."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.worksheets.formula.pattern import Pattern
from plugins.worksheets.formula.values import CalculationFailed

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\w", "\\s", "\\b", "^", "$", "a-"])
QUANTIFIERS = st.sampled_from(["", "", "*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "{1,}"])


def _quantified(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(inner, QUANTIFIERS).map("".join)


# What is repeated without end is no group that may be empty: what such a group holds in the end differs
# between implementations.
PATTERNS = st.lists(
    st.one_of(
        _quantified(ATOMS.filter(lambda atom: atom not in ("^", "$", "\\b", "a-"))),
        ATOMS,
        st.tuples(st.just("("), _quantified(st.sampled_from(["a", "b", "."])), st.just("|"), ATOMS, st.just(")"))
        .map("".join),
        st.sampled_from(["(?:ab)*", "(ab)+", "(a|b)+?", "(?:a|ab)(?:c|bcd)?"]),
    ), min_size=1, max_size=5).map("".join)


def replaced_by_python(pattern: str, text: str) -> str:
    """Return *text* with its matches in angles; behind an empty match the search goes on one character later."""
    found, end, start = "", 0, 0
    while start <= len(text) and (match := re.compile(pattern).search(text, start)) is not None:
        found += f"{text[end:match.start()]}<{match[0]}>"
        end = match.end()
        start = end + (match[0] == "")
    return found + text[end:]


def free(amount: int) -> None:
    """Let any work pass."""


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.text(alphabet="ab c-", max_size=12))
def test_replacing_gives_what_python_gives(pattern, text):
    """People's patterns mean here what they mean elsewhere, groups and lazy forms too."""
    assert Pattern.of(pattern).replaced(text, "<\\0>", free) == replaced_by_python(pattern, text)


@pytest.mark.parametrize("pattern", ["(", ")", "[", "[b-a]", "a{3,1}", "*", "(?=a)", "(?P<n>a)", "\\1", "\\p", "a\\",
                                     "[\\D]", "(" * 30 + ")" * 30, "a" * 2_000, "(a{999}){999}"])
def test_a_pattern_that_cannot_be_had_is_refused(pattern):
    """What is wrong or too much is said, never guessed."""
    with pytest.raises(CalculationFailed):
        Pattern.of(pattern)


def test_the_work_of_a_match_grows_with_the_text_and_not_faster():
    """The patterns that take others ages are cheap here."""
    spent = {}
    for length in (200, 400):
        costs = []
        Pattern.of("(a|a)*(a*)*b").found("a" * length, costs.append)
        spent[length] = sum(costs)
    assert spent[400] < 2.2 * spent[200]
