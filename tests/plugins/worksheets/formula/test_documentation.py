"""The table of functions in the documentation is the table in the code."""

from pathlib import Path

import pytest

from plugins.worksheets.formula import FUNCTIONS

PAGE = Path(__file__).parents[4] / "docs" / "fields.md"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_in_the_documentation(name):
    """People find every function, with its arguments and what it gives."""
    function = FUNCTIONS[name]
    assert f"| `{function.usage}` | {function.says} |" in PAGE.read_text(encoding="utf-8")
