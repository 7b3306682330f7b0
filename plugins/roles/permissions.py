"""What a role may do, per worksheet, view, field and page.

Roles of the app and of its portal say it alike, and each plugin keeps its own words, so that either can change by itself.
"""

from __future__ import annotations

from core.api import schemas as s

SCOPE = s.one_of("none", "own", "department", "all")
PERMISSIONS = {
    "worksheets": s.listed(s.closed({
        "worksheet": s.ref("worksheet"),
        "create": s.FLAG,
        "read": SCOPE,
        "update": SCOPE,
        "delete": SCOPE,
        "fields": s.listed(
            s.closed({"field": s.part_ref("worksheet", "field"), "read": s.FLAG, "write": s.FLAG}, ["field"]), 500),
        "views": s.listed(s.closed({"view": s.part_ref("worksheet", "view"), "visible": s.FLAG}, ["view", "visible"]), 500),
        "export": s.FLAG,
    }, ["worksheet", "read"]), 500),
    "pages": s.listed(s.closed({"page": s.ref("page"), "visible": s.FLAG}, ["page", "visible"]), 1000),
}
