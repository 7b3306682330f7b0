"""What a record's page shows of workflows: those that one can start for it, and what they did with it."""

from __future__ import annotations

from collections.abc import Iterable

from core.api import App, RecordPanel


def of_record(app: App, person: str, worksheet: str, seq: int) -> Iterable[RecordPanel]:
    """Return the panel of a record; none where there is nothing to show."""
    return ()
