"""Rules of addresses: numbers in them that a database can hold, and building an address learnt when the first one is asked for.

Werkzeug compiles two functions for each rule when it is added: for some two hundred rules most of the time that a server takes
to start, and a worker or a clock builds hardly any address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import IntegerConverter, Map, Rule

MAX_NUMBER = 2**63 - 1


class StorableNumber(IntegerConverter):
    """`<int:…>` in an address: a number that the database can hold; an address with another does not exist."""

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int = MAX_NUMBER, signed: bool = False) -> None:
        super().__init__(map, fixed_digits, min, max, signed)


class LateRule(Rule):
    """A rule whose functions are compiled at first use."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: LateRule, /, **values: Any) -> tuple[str, str]:
            made = super(LateRule, rule)._compile_builder(append_unknown).__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", made)
            return made(**values)  # type: ignore[no-any-return]

        return build
