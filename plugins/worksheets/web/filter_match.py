"""Whether records fit a filter that the worksheet's own rules, buttons and colours have.

All of the app counts for these, and of other apps what the visitor may read there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.worksheets.access import PersonSight
from plugins.worksheets.query import Query
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.records import Row
from plugins.worksheets.web.sheet_context import SheetContext


def fitting(sheet: SheetContext, asked: Mapping[str, Any] | None, rows: Sequence[Row]) -> list[bool]:
    """Return for each row whether it fits; without a filter all do."""
    if not asked or not rows:
        return [True] * len(rows)
    sight = PersonSight(sheet.app, sheet.access.standing, whole_app=True)
    plan = PreparedQuery(sheet.app, Query(worksheet=sheet.key, filter=asked, sight=sight))
    return [plan.predicate.holds(seen) for seen in plan.evaluator.evaluate(rows, plan.needs)]


def fits(sheet: SheetContext, asked: Mapping[str, Any] | None, row: Row) -> bool:
    """Say whether one row fits."""
    return fitting(sheet, asked, [row])[0]
