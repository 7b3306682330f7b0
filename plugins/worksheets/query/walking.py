"""Walking: the rows that SQL lets through, in a plan's order, from a spot on. Here the index of values is used."""

from __future__ import annotations

from sqlalchemy import func, select

from plugins.worksheets.models import Record
from plugins.worksheets.query.orders import Spot
from plugins.worksheets.query.plan import Plan
from plugins.worksheets.records import Row


def walk(plan: Plan, spot: Spot | None, back: bool, limit: int) -> list[Row]:
    """Return at most *limit* rows after a spot, or before it, nearest first, where *back*."""
    query = plan.rows().order_by(*plan.order.by(plan.values, back=back)).limit(limit)
    if spot is not None:
        query = query.where(plan.order.beyond(plan.values, spot, back=back))
    return plan.door.fetch(query)


def counted(plan: Plan, most: int) -> int:
    """Return how many rows SQL lets through, counting no further than *most*."""
    inner = plan.rows().with_only_columns(Record.__table__.c.seq).limit(most).subquery()
    return int(plan.door.connection.execute(select(func.count()).select_from(inner)).scalar_one())
