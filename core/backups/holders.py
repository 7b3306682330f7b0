"""Which backups of an app hold what of its data: for whoever looks for something that was deleted.

Only the newest backups are looked into, and of them only the segments that could hold it; backups share most of these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from core.apps.change_log import SEGMENT_ROWS
from core.archive.manifest import IndexLine, own_lines
from core.backups.models import Backup
from core.backups.reader import BackupReader
from core.base.db import db
from core.base.errors import AppkeepError
from core.tenancy.models import App

MOST_SEGMENTS = 200
MOST_BYTES = 32 * 1024 * 1024
"""So much is unpacked for one answer."""
Numbers = Callable[[bytes], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Holder:
    """A backup that holds something."""

    id: str
    name: str
    created_at: int


@dataclass
class Holders:
    """By number the backups that hold it, newest first. Where not `whole`, not all that was asked for was looked into."""

    found: dict[int, list[Holder]] = field(default_factory=dict)
    whole: bool = True


def backups_holding(app: App, component: str, section: str, numbers: Collection[int], numbers_of: Numbers, most: int) -> Holders:
    """Return which of an app's newest backups with data hold rows of a section, by their numbers.

    Args:
        app: The app. Whether somebody may know of its backups is for the caller to ask.
        component: Whose data it is.
        section: The section in which the rows are, such as "records/w_…".
        numbers: Their numbers.
        numbers_of: Gives the numbers of the rows in a segment, from its lines.
        most: So many backups are looked into.
    """
    segments = {number // SEGMENT_ROWS for number in numbers}
    look = _Look(numbers_of, {n: {number for number in numbers if number // SEGMENT_ROWS == n} for n in segments})
    for backup in _newest(app, most) if numbers else ():
        holder = Holder(backup.id, backup.name, backup.created_at)
        try:
            for number in sorted(look.held(BackupReader(backup), component, section)):
                look.answer.found.setdefault(number, []).append(holder)
        except AppkeepError:  # what cannot be read holds nothing that could be brought back
            look.answer.whole = False
    return look.answer


def _newest(app: App, most: int) -> list[Backup]:
    query = select(Backup).where(Backup.app_id == app.id, Backup.deleted_at.is_(None), Backup.part != "config", Backup.origin == "here",
                                 Backup.check_error.is_(None)).order_by(Backup.created_at.desc(), Backup.id).limit(most)
    return list(db.session.scalars(query))


@dataclass
class _Look:
    """A look into several backups: what one has read of a segment, the next need not."""

    numbers_of: Numbers
    wanted: dict[int, set[int]]
    answer: Holders = field(default_factory=Holders)
    segments: dict[str, set[int]] = field(default_factory=dict)
    indexes: dict[str, list[IndexLine]] = field(default_factory=dict)
    size: int = 0

    def held(self, saved: BackupReader, component: str, section: str) -> Iterator[int]:
        """Yield those of the numbers that a backup holds."""
        for line in self._lines(saved, component, section):
            if line.content not in self.segments and not self._read(saved, component, section, line):
                continue
            yield from self.segments[line.content] & self.wanted[line.n]

    def _lines(self, saved: BackupReader, component: str, section: str) -> list[IndexLine]:
        index = next((entry.index for name, part, entry in saved.content.entries() if (name, part) == (component, "data")), None)
        if index is None:
            return []
        if index not in self.indexes:
            self.indexes[index] = [line for line in own_lines(saved.read(index)) if line.section == section and line.n in self.wanted]
        return self.indexes[index]

    def _read(self, saved: BackupReader, component: str, section: str, line: IndexLine) -> bool:
        if len(self.segments) >= MOST_SEGMENTS or self.size + line.raw > MOST_BYTES:
            self.answer.whole = False
            return False
        self.size += line.raw
        self.segments[line.content] = set(self.numbers_of(saved.lifted(component, section, saved.read(line.content))))
        return True
