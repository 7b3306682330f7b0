"""Questions for the records of a worksheet: filters, sorts, search, pages, counts, groups. What a page shows comes from here.

Who may read what is decided before: `plugins.worksheets.access` gives the fields and the scope that an `Query` has.
"""

from plugins.worksheets.query.counting import count, distinct, groups
from plugins.worksheets.query.paging import page
from plugins.worksheets.query.query import EVERYBODY, NOBODY, Page, Query, Scope, Sight, Sort
from plugins.worksheets.query.scan import LOOK_ROWS, is_large
from plugins.worksheets.query.sources import listed_choices, reader, record_views

__all__ = [
    "EVERYBODY",
    "LOOK_ROWS",
    "NOBODY",
    "Page",
    "Query",
    "Scope",
    "Sight",
    "Sort",
    "count",
    "distinct",
    "groups",
    "is_large",
    "listed_choices",
    "page",
    "reader",
    "record_views",
]
