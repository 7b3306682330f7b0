"""Texts: the shared strings of a workbook, in memory while they are few, in a file where they are many."""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from tempfile import TemporaryFile
from typing import IO, Any

from core.api import ImportFailed
from plugins.tabular.workbook_package import Package

HELD_CHARS = 8 * 1024**2
TEXT_COST = 80
"""What a text takes beside its characters; an empty one does too."""
MAX_TEXTS = 16_000_000
MAX_TEXT_CHARS = 1_000_000
PLACE = struct.Struct("<QI")
CACHED = 20_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Texts:
    """Texts by their number. Those beyond a certain size together, and where they lie, are read from files of this process's own."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.left, self.size, self.count, self.file_name = HELD_CHARS, 0, 0, "The workbook"
        self.files: tuple[IO[bytes], IO[bytes]] | None = None
        self.at = lru_cache(CACHED)(self._at)

    def __enter__(self) -> Texts:
        return self

    def __exit__(self, *_: Any) -> None:
        for file in self.files or ():
            file.close()

    def add(self, text: str) -> None:
        """Take one more.

        Raises:
            ImportFailed: there are more than any workbook has.
        """
        self.count += 1
        if self.count > MAX_TEXTS:
            raise ImportFailed(f"{self.file_name} lists more than {MAX_TEXTS} texts; save it again in a spreadsheet program.")
        self.left -= len(text) + TEXT_COST
        if self.left > 0:
            self.held.append(text)
            return
        self.files = self.files or (TemporaryFile(), TemporaryFile())  # noqa: SIM115 - closed with this object
        content = text.encode("utf-8", "surrogatepass")
        self.files[0].write(content)
        self.files[1].write(PLACE.pack(self.size, len(content)))
        self.size += len(content)

    def __getitem__(self, number: int) -> str:
        """Return a text; empty where there is none of that number."""
        return self.held[number] if 0 <= number < len(self.held) else self.at(number - len(self.held))

    def _at(self, number: int) -> str:
        if self.files is None or not 0 <= number < self.count - len(self.held):
            return ""
        texts, places = self.files
        places.seek(number * PLACE.size)
        place, size = PLACE.unpack(places.read(PLACE.size))
        texts.seek(place)
        return texts.read(size).decode("utf-8", "surrogatepass")

    def read(self, package: Package, part: str) -> None:
        """Take the texts of a part; how their parts look, and how they are pronounced, is passed over."""
        parts: list[str] = []
        chars, self.file_name = 0, package.path.name
        inside = {"t": 0, "rPh": 0}

        def start(tag: str, given: dict[str, str]) -> None:
            if tag in inside:
                inside[tag] += 1

        def end(tag: str) -> None:
            nonlocal chars
            if tag == "si":
                self.add(plain_text("".join(parts)))
                parts.clear()
                chars = 0
            elif tag in inside:
                inside[tag] -= 1

        def text(found: str) -> None:
            nonlocal chars
            if inside["t"] and not inside["rPh"]:
                parts.append(found)
                chars += len(found) + 1
                if chars > MAX_TEXT_CHARS:
                    raise ImportFailed(f"{self.file_name}: one of its texts has more than {MAX_TEXT_CHARS} characters.")

        for _ in package.parse(part, start, end, text):
            pass


def plain_text(text: str) -> str:
    """Return a text of a workbook without its way to write characters that XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if 0 < int(found[1], 16) < 0xD800 else "", text)
    return text.replace("\r\n", "\n") if "\r" in text else text
