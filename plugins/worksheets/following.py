"""Telling plugins that records changed or are gone for good, inside the transaction. Restores and undo tell nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

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


def made(app: App, worksheet: str, seqs: Sequence[int], columns: Mapping[str, Sequence[Any]], person: str) -> None:
    """Tell of records that were made at once, with values by field, None where one has none."""
    if is_followed():
        server().registry.hook.record_changed(app=app, worksheet=worksheet, changes=_Made(seqs, columns), person=person)


class _Made(Sequence[RecordChange]):
    """Each record that was made, put together when somebody looks at it: most makings nobody listens to."""

    def __init__(self, seqs: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        self.seqs, self.columns = seqs, columns

    def __len__(self) -> int:
        return len(self.seqs)

    @overload
    def __getitem__(self, n: int) -> RecordChange: ...

    @overload
    def __getitem__(self, n: slice) -> Sequence[RecordChange]: ...

    def __getitem__(self, n: int | slice) -> RecordChange | Sequence[RecordChange]:
        if isinstance(n, slice):
            return [self[one] for one in range(len(self))[n]]
        after = {key: column[n] for key, column in self.columns.items() if column[n] is not None}
        return RecordChange(seq=self.seqs[n], before=None, after=after)


def purged(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    """Tell of records that are gone for good; None is all of a worksheet's."""
    server().registry.hook.record_purged(app=app, worksheet=worksheet, seqs=seqs)
