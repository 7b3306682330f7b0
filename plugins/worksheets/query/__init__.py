"""Questions for the records of a worksheet: filters, sorts, search, pages, counts, groups. What a page shows comes from here.

Who may read what is decided before: `plugins.worksheets.access` gives the fields and the scope that an `Ask` has.
"""

from plugins.worksheets.query.ask import EVERYBODY, NOBODY, Ask, Page, Scope, Sight, Sort
from plugins.worksheets.query.counting import count, groups
from plugins.worksheets.query.paging import page
from plugins.worksheets.query.reading import listed_choices, reader, record_views
from plugins.worksheets.query.walking import LOOK_ROWS

__all__ = [
    "EVERYBODY",
    "LOOK_ROWS",
    "NOBODY",
    "Ask",
    "Page",
    "Scope",
    "Sight",
    "Sort",
    "count",
    "groups",
    "listed_choices",
    "page",
    "reader",
    "record_views",
]
