"""All types of fields that worksheets bring."""

from plugins.worksheets.fieldtypes.choices import CHOICES
from plugins.worksheets.fieldtypes.numbers import NUMBERS
from plugins.worksheets.fieldtypes.places import PLACES
from plugins.worksheets.fieldtypes.pointers import POINTERS
from plugins.worksheets.fieldtypes.shown import DERIVED, LAYOUT
from plugins.worksheets.fieldtypes.text import WORDS
from plugins.worksheets.fieldtypes.times import TIMES

FIELD_TYPES = (*WORDS, *NUMBERS, *TIMES, *CHOICES, *PLACES, *POINTERS, *DERIVED, *LAYOUT)
BUILT_IN = frozenset(one.name for one in FIELD_TYPES)

__all__ = ["BUILT_IN", "FIELD_TYPES"]
