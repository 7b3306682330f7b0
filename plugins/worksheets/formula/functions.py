"""The one table of all functions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from plugins.worksheets.formula.function import Function
from plugins.worksheets.formula.functions_links import LINKS
from plugins.worksheets.formula.functions_lists import LISTS
from plugins.worksheets.formula.functions_logic import LOGIC
from plugins.worksheets.formula.functions_numbers import NUMBERS
from plugins.worksheets.formula.functions_text import TEXTS
from plugins.worksheets.formula.functions_times import TIMES

GROUPS: Mapping[str, tuple[Function, ...]] = MappingProxyType({
    "Logic": LOGIC, "Text": TEXTS, "Numbers": NUMBERS, "Dates and times": TIMES, "Lists": LISTS,
    "Links, files, the record": LINKS,
})
"""Every function, by the heading under which the documentation lists it."""

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for group in GROUPS.values() for function in group})
"""Every function by its name in small letters."""
