"""The bar that a terminal shows while something takes long: what goes on, how far it is, how fast, how long it will take."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from core.runs.context import watched
from core.runs.phases import PHASES, is_counted, phase_named, unit_of

DRAW_S = 0.1
SOON_S = 2
BAR_CHARS = 24
FULL, EMPTY = "█", "░"


class Bar:
    """One line of a terminal, drawn anew at most ten times a second and gone at the end."""

    def __init__(self, kind: str, stream: TextIO) -> None:
        self.kind, self.stream, self.phase = kind, stream, ""
        self._begun = self._next = 0.0

    def show(self, phase: str, done: int, total: int) -> None:
        """Draw how far a phase is; one in which nothing is counted by its name alone."""
        now = time.monotonic()
        if phase not in PHASES:  # an instant between two that people know
            return
        if phase != self.phase:
            self.phase, self._begun, self._next = phase, now, 0.0
        if now >= self._next:
            self._next = now + DRAW_S
            self._draw(self.text(done, total, now - self._begun))

    def text(self, done: int, total: int, elapsed_s: float) -> str:
        """Return the line."""
        name = phase_named(self.kind, self.phase)
        if not done or not is_counted(self.phase):
            return f"{name} …"
        rate = done / elapsed_s if elapsed_s >= SOON_S else 0
        unit = unit_of(self.phase)
        counted = f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit if done > 1 else unit.removesuffix('s')}"
        parts = [counted, *([f"{rate:,.0f}/s"] if rate else [])]
        if total:
            full = BAR_CHARS * done // total
            parts = [f"{FULL * full}{EMPTY * (BAR_CHARS - full)} {100 * done // total:3} %", *parts]
            parts += [f"{length((total - done) / rate)} left"] if rate else []
        return f"{name}  {'  '.join(parts)}"

    def clear(self) -> None:
        """Take the line away."""
        self._draw("")

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self.stream.write(f"\r\x1b[K{text[:width]}")
        self.stream.flush()


def length(seconds: float) -> str:
    """Return a length of time as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


@contextmanager
def bar(kind: str) -> Iterator[Bar | None]:
    """Show a bar of what runs do meanwhile, where standard error is a terminal; a script sees nothing of it."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = Bar(kind, sys.stderr)
    try:
        with watched(shown.show):
            yield shown
    finally:
        shown.clear()
