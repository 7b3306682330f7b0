"""The formula language: what a formula may say, and what derived fields compute.

`check_expression` and `check_template` serve whoever declares such fields, `derived` whoever computes them.
"""

from __future__ import annotations

from plugins.worksheets.formula.brought import all_brought
from plugins.worksheets.formula.functions import FUNCTIONS, GROUPS
from plugins.worksheets.formula.parser import Field, parse
from plugins.worksheets.formula.template import pieces

__all__ = ["FUNCTIONS", "GROUPS", "all_brought", "check_expression", "check_template"]


def check_expression(expression: str, *, strict: bool = True) -> list[str]:
    """Return the fields that a formula reads, each once: "f_…", or "f_….f_…" across a link.

    Unless *strict*, functions that nothing here brings are none that are wrong.

    Raises:
        InvalidDocument: with what is wrong, and with the position (from 0) in its details.
    """
    return list(dict.fromkeys(".".join(step.path) for step in parse(expression, strict=strict) if isinstance(step, Field)))


def check_template(template: str) -> list[str]:
    """Return the fields that a text combination reads, each once, in the form of `check_expression`.

    Raises:
        InvalidDocument: with what is wrong, and with the position (from 0) in its details.
    """
    return list(dict.fromkeys(".".join(piece) for piece in pieces(template) if isinstance(piece, tuple)))
