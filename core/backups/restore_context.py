"""What components work with when a backup meets an app."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from core.apps.permissions import standing
from core.apps.snapshot import Snapshot
from core.archive.manifest import IndexLine
from core.backups.reader import BackupReader
from core.backups.selection import Selection
from core.backups.state import Description, describe
from core.base.ids import SYSTEM
from core.extension.component import Component, Document
from core.objects.index import known_descriptors, picked
from core.objects.packs import StoredDescriptor
from core.objects.reader import object_reader
from core.server import server
from core.tenancy.models import App

AHEAD_SEGMENTS, AHEAD_BYTES, KNOWN_AT_ONCE = 96, 8 * 1024 * 1024, 2000
"""How much is unpacked ahead of the merge: bounds memory whatever the size of the backup."""
READING_THREADS = 2


_NONE: Mapping[int, str] = {}


class _Digests(Mapping[tuple[str, int], str]):
    """(section, n) -> digest of lines, without a pair for each."""

    def __init__(self, lines: list[IndexLine]) -> None:
        self._sections: dict[str, dict[int, str]] = {}
        for line in lines:
            self._sections.setdefault(line.section, {})[line.n] = line.content

    def __getitem__(self, place: tuple[str, int]) -> str:
        return self._sections[place[0]][place[1]]

    def get(self, place: tuple[str, int], default: Any = None) -> Any:
        """Return a digest, or what stands for none; for each line of the backup, so that it may raise nothing on its way."""
        return self._sections.get(place[0], _NONE).get(place[1], default)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return ((section, n) for section, digests in self._sections.items() for n in digests)

    def __len__(self) -> int:
        return sum(map(len, self._sections.values()))


@dataclass
class RestoreContext:
    """What components work with when a backup meets an app.

    `documents_before` are the live documents as they stood, `documents` those that are live once the configuration
    (if asked for) is back, both by address; `hidden` the addresses of all that is in the recycle bin. `connection`
    is the one to read with, and to write with where `writing`. `described` is the app's data as it was described before
    anything was written, where somebody did. Where `bin_newer`, records that the backup does not have go to the recycle bin.
    """

    app: App
    saved: BackupReader
    connection: Connection
    writing: bool
    config: bool
    data: bool
    person: str
    documents_before: Mapping[str, Document]
    documents: Mapping[str, Document]
    hidden: frozenset[str]
    only: Selection = field(default_factory=Selection)
    described: Description | None = None
    bin_newer: bool = False
    progress: Callable[[int, int], None] = field(default=lambda records, size: None)
    """Hears how many records and bytes of the backup were looked at; see `tick`."""
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """What components remember while the restore, or its plan, goes on."""
    _live: dict[str, list[IndexLine]] = field(default_factory=dict, init=False, repr=False)
    _at_home: dict[str, bool] = field(default_factory=dict, init=False, repr=False)
    _looked_at: list[int] = field(default_factory=lambda: [0, 0], init=False, repr=False)

    def tick(self, records: int, size: int) -> None:
        """Say that so many more records of the backup, and bytes, were looked at."""
        self._looked_at = [self._looked_at[0] + records, self._looked_at[1] + size]
        self.progress(*self._looked_at)

    def lines(self, component: str) -> list[IndexLine]:
        """Return the lines of a component's data in the backup, by section and number."""
        return self.saved.data_lines(component)

    def counters(self, component: str) -> Mapping[str, int]:
        """Return the highest numbers that were given out when the backup was made, by key."""
        return self.saved.counters.get(component, {})

    def live_segments(self, component: str) -> Mapping[tuple[str, int], str]:
        """Return (section, n) -> digest of a component's data as it was before the configuration came back.

        Where no one described the app before, it is read now: values that followed their fields have moved by then.
        """
        return _Digests(self._live_lines(component))

    def live_count(self, component: str, section: str) -> int:
        """Return how many lines a section of a component's data had then."""
        return sum(line.count for line in self._live_lines(component) if line.section == section)

    def live_bytes(self, component: str, section: str, numbers: Container[int]) -> dict[int, int]:
        """Return how many bytes those of the segments of a section of a component's data had then, by their number."""
        return {line.n: line.raw for line in self._live_lines(component) if line.section == section and line.n in numbers}

    def _live_lines(self, component: str) -> list[IndexLine]:
        if self.described is not None:
            return self.described.lines_of(component, "data")
        if component not in self._live:
            found = describe(self.app, Snapshot(self.app.id, self.connection), only=component, config=False)
            self._live[component] = found.lines_of(component, "data")
        return self._live[component]

    def segments(self, component: str, lines: list[IndexLine], ahead_bytes: int = AHEAD_BYTES) -> Iterator[tuple[IndexLine, bytes]]:
        """Yield those segments of a component's data in the backup with their bytes, proven by their digest, unpacked ahead in threads.

        Lines that an older version of their component wrote are lifted to today's shape.
        """
        reader, known = object_reader(), dict[str, StoredDescriptor]()

        with ThreadPoolExecutor(READING_THREADS) as pool:
            coming: deque[tuple[IndexLine, Future[bytes]]] = deque()
            begun = ahead = 0
            while begun < len(lines) or coming:
                while begun < len(lines) and (not coming or (len(coming) < AHEAD_SEGMENTS and ahead < ahead_bytes)):
                    if begun % KNOWN_AT_ONCE == 0:
                        known = known_descriptors({line.content for line in lines[begun:begun + KNOWN_AT_ONCE]})
                    coming.append((lines[begun], pool.submit(copy_context().run, reader.read, picked(known, lines[begun].content))))
                    ahead += lines[begun].raw
                    begun += 1
                line, reading = coming.popleft()
                ahead -= line.raw
                yield line, self.saved.lifted(component, line.section, reading.result())

    @property
    def authors_proven(self) -> bool:
        """Whether the backup can be believed who made what: whoever makes a file can write any name into it, unless it is signed."""
        return self.saved.backup.origin != "foreign"

    def author(self, said: str, was: str | None) -> str:
        """Return who made or changed something, where a backup says *said* that proves no authors, and what stands there says *was*.

        It says nothing of people who are at home here: whoever restores it stands there instead.
        """
        if said in (was, SYSTEM, self.person):
            return said
        if said not in self._at_home:
            who = standing(self.app, said)
            self._at_home[said] = who.role is not None or who.admin
        return self.person if self._at_home[said] else said

    @cached_property
    def components(self) -> list[Component]:
        """The components that this server has, in order of their names."""
        return list(server().registry.components.values())
