"""Telling plugins that records changed or are gone for good, inside the transaction. Restores and undo tell nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.api import App, RecordChange, server


def is_followed() -> bool:
    """Say whether anybody wants to know: what is told costs a reading of values."""
    return bool(server().registry.hook.record_changed.get_hookimpls())


Values = Mapping[str, Any] | None


def changed(app: App, worksheet: str, changes: Iterable[tuple[int, Values, Values]], person: str) -> None:
    """Tell of records as (number, values before, values after); None where there was none, or is none but in the recycle bin."""
    if is_followed():
        told = [RecordChange(seq=seq, before=before, after=after) for seq, before, after in changes]
        server().registry.hook.record_changed(app=app, worksheet=worksheet, changes=told, person=person)


def purged(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    """Tell of records that are gone for good; None is all of a worksheet's."""
    server().registry.hook.record_purged(app=app, worksheet=worksheet, seqs=seqs)
