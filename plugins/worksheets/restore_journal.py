"""What a restore changes of records, as its journal keeps it: pairs of rows, before and after."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from core.api import App, Journal, journal_of
from plugins.worksheets.history_log import BulkNote, Pair
from plugins.worksheets.records import Row, read_lines, row_of

RECORDS = "records/"


def note_changes(app: App, worksheet: str, batches: Iterable[list[Pair]], history: BulkNote) -> Iterator[list[Pair]]:
    """Yield batches of (row before, row after), ascending, once the history and the journal of the restore that goes on have them."""
    journal = journal_of(app)
    stage = None if journal is None else journal.stage(RECORDS + worksheet)
    for pairs in batches:
        if stage is not None:
            stage.add(pairs)
        history.add(pairs)
        yield pairs
    history.end()


def _numbered(entries: Iterable[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Yield (number, row before, row after) of a stage; a whole segment of lines is of records that were not there."""
    for entry in entries:
        if isinstance(entry, bytes):
            yield from ((line.seq, None, row_of(line)) for line in read_lines(entry))
        else:
            before, after = entry
            yield after[0], before, after


def read_pairs(journal: Journal, worksheet: str) -> Iterator[Pair]:
    """Yield (row before the restore, row as it left it) of each record that it changed, ascending."""
    stages = [_numbered(stage) for stage in journal.stages(RECORDS + worksheet)]
    for _, changes in groupby(heapq.merge(*stages, key=lambda one: one[0]), key=lambda one: one[0]):
        first, *more = changes
        last = more[-1] if more else first
        yield None if first[1] is None else Row(*first[1]), Row(*last[2])
