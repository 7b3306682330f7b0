"""Rows of a table, written down while they are read for the first time, so that the second reading need not parse the file again."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryFile
from typing import IO
from weakref import WeakSet

from plugins.tabular.portions import Portion, Portioned, portions
from plugins.tabular.table import Row

MOST_BYTES = 1024 * 1024 * 1024
"""What would take more room than that on the disk, with what is kept of other tables, is parsed again."""
_kept: WeakSet[KeptRows] = WeakSet()


@dataclass(eq=False)
class KeptRows(Portioned):
    """What reads a table, as often as it is called; the second time it comes from a temporary file, which nobody else can open."""

    parsed: Callable[[], Iterator[Row]]
    kept: IO[bytes] | None = None
    size: int = 0

    def __call__(self) -> Iterator[Row]:
        return chain.from_iterable(self.portions())

    def portions(self) -> Iterator[Portion]:
        """Yield the rows some at a time."""
        return self._written() if self.kept is not None else self._parsed()

    def _parsed(self) -> Iterator[Portion]:
        """Yield the rows of the file; once all of them are read, they are kept."""
        file: IO[bytes] | None = TemporaryFile()  # noqa: SIM115 - it is read again later, and goes with this object
        left = MOST_BYTES - sum(one.size for one in _kept)
        for some in portions(self.parsed()):
            if file is not None:
                pickle.dump(some, file, pickle.HIGHEST_PROTOCOL)
                if file.tell() > left:
                    file.close()
                    file = None
            yield some
        if file is not None:
            self.kept, self.size = file, file.tell()
            _kept.add(self)

    def _written(self) -> Iterator[Portion]:
        at = 0
        while self.kept is not None:
            self.kept.seek(at)  # several may be reading
            try:
                some: Portion = pickle.load(self.kept)
            except EOFError:
                return
            at = self.kept.tell()
            yield some
