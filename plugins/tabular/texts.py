"""Texts: the shared strings of a workbook, in memory while they are few, in a file where they are many."""

from __future__ import annotations

import re
from array import array
from functools import lru_cache
from tempfile import TemporaryFile
from typing import IO, Any

from plugins.tabular.package import Package

HELD_CHARS = 8 * 1024**2
TEXT_COST = 32
CACHED = 20_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Texts:
    """Texts by their number. Those beyond a certain size together are read from a file of this process's own."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.left = HELD_CHARS
        self.places = array("Q", [0])
        self.file: IO[bytes] | None = None
        self.at = lru_cache(CACHED)(self._at)

    def __enter__(self) -> Texts:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.file is not None:
            self.file.close()

    def add(self, text: str) -> None:
        """Take one more."""
        self.left -= len(text) + TEXT_COST
        if self.left > 0:
            self.held.append(text)
            return
        self.file = self.file or TemporaryFile()  # noqa: SIM115 - closed with this object
        content = text.encode("utf-8", "surrogatepass")
        self.file.write(content)
        self.places.append(self.places[-1] + len(content))

    def __getitem__(self, number: int) -> str:
        """Return a text; empty where there is none of that number."""
        return self.held[number] if 0 <= number < len(self.held) else self.at(number - len(self.held))

    def _at(self, number: int) -> str:
        if self.file is None or not 0 <= number < len(self.places) - 1:
            return ""
        self.file.seek(self.places[number])
        return self.file.read(self.places[number + 1] - self.places[number]).decode("utf-8", "surrogatepass")

    def read(self, package: Package, part: str) -> None:
        """Take the texts of a part; how their parts look, and how they are pronounced, is passed over."""
        parts: list[str] = []
        inside = {"t": 0, "rPh": 0}

        def start(tag: str, given: dict[str, str]) -> None:
            if tag in inside:
                inside[tag] += 1

        def end(tag: str) -> None:
            if tag == "si":
                self.add(plain_text("".join(parts)))
                parts.clear()
            elif tag in inside:
                inside[tag] -= 1

        def text(found: str) -> None:
            if inside["t"] and not inside["rPh"]:
                parts.append(found)

        for _ in package.parse(part, start, end, text):
            pass


def plain_text(text: str) -> str:
    """Return a text of a workbook without its way to write characters that XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if 0 < int(found[1], 16) < 0xD800 else "", text)
    return text.replace("\r\n", "\n") if "\r" in text else text
