"""Rows of a sheet that are written as nearly all are: found by patterns, in a fifth of the time that a parser takes. Pure.

They are taken out of what the XML parser gets, which sees the rest: rows that are written in other ways, and whether the sheet is sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter

MOST_CHARS = 1_000_000
"""A longer row is the parser's, and so is a sheet whose rows begin later."""
Cells = list[tuple[str, str, str, str, str, str]]
"""All of a cell, letters of the column, style, type, value, text; each empty where it is not said."""
_BEGIN, _END = b"<sheetData>", b"</row>"
_ODD = (b"<!", b"<?", b"</sheetData")
"""What stands amid rows so is the parser's, with all that follows."""
_UTF8 = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml(?![^>]*encoding=[\"'](?!utf-8[\"']))[^>]*\?>)?[^!?\x00]*\Z", re.IGNORECASE)
_CHARS = r"[^<\x00-\x08\x0b-\x1f\ufffe\uffff]*"
_ATTRIBUTES = r'((?: [\w:]+="[^"<&\x00-\x1f]*")*)'
_CELL = (rf'(<c(?: r="([A-Z]{{1,3}})[0-9]{{1,7}}")?(?: s="([0-9]{{1,6}})")?(?: t="([a-zA-Z]{{1,9}})")?(?: ?/>|>'
         rf'(?:<f(?: [^<>]*)?(?:/>|>{_CHARS}</f>))?'
         rf'(?:<v>({_CHARS})</v>|<is><t(?: xml:space="preserve")?>({_CHARS})</t></is>|<v ?/>)?</c>)\s*)')
_CELLS = re.compile(_CELL)
_ROW = re.compile(rf"\s*<row{_ATTRIBUTES}( ?/)?>\s*")
_WHOLE = itemgetter(0)
_NUMBER = re.compile(r' r="([^"]*)"')
_ENTITY = re.compile(r"&([a-z]*;?)")
_ENTITIES = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "apos;": "'"}


class PlainRows:
    """Gives rows to *row*, as their number and cells, and all else to *feed*; in the order in which they come."""

    def __init__(self, feed: Callable[[bytes], None], row: Callable[[str, Cells], None]) -> None:
        self._feed, self._row = feed, row
        self._waiting = b""
        self._inside = self._over = False

    def take(self, chunk: bytes) -> None:
        """Take some more of the sheet."""
        self._waiting += chunk
        if not self._inside and not self._over:
            self._begin()
        if self._inside and not self._over:
            self._take_rows()
        if self._over:
            self.close()

    def close(self) -> None:
        """Take no notice of rows any more: the parser gets what is left."""
        self._over = True
        self._feed(self._waiting)
        self._waiting = b""

    def _begin(self) -> None:
        head, begin, rest = self._waiting.partition(_BEGIN)
        if begin and _UTF8.match(head):
            self._feed(head + begin)
            self._waiting, self._inside = rest, True
        else:
            self._over = bool(begin) or len(head) > MOST_CHARS

    def _take_rows(self) -> None:
        block, end, rest = self._waiting.rpartition(_END)
        self._over = len(rest) > MOST_CHARS or any(odd in block for odd in _ODD)
        if self._over or not end:
            return
        try:
            text = block.decode()
        except UnicodeDecodeError:
            self._over = True
            return
        self._waiting = rest
        for one in text.split("</row>"):
            self._take_row(one)

    def _take_row(self, text: str) -> None:
        """Take a row, without its end, and the empty ones before it."""
        row, at = _ROW.match(text), 0
        while row is not None and row[2]:
            self._row(_number(row[1]), [])
            at = row.end()
            row = _ROW.match(text, at)
        cells = None if row is None else _cells(text, row.end())
        if row is None or cells is None:
            self._feed(text[at:].encode() + _END)
        else:
            self._row(_number(row[1]), cells)


def _cells(text: str, at: int) -> Cells | None:
    """Return the cells of a row from a place on; None where one of them, or what stands between them, is written in another way."""
    if len(text) > MOST_CHARS:
        return None
    cells: Cells = _CELLS.findall(text, at)
    if at + sum(map(len, map(_WHOLE, cells))) != len(text):
        return None
    if "&" in text:
        if not _ENTITIES.keys() >= set(_ENTITY.findall(text)):
            return None
        return [(*cell[:4], _plain(cell[4]), _plain(cell[5])) for cell in cells]
    return cells


def _number(attributes: str) -> str:
    found = _NUMBER.search(attributes)
    return found[1] if found else ""


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[1]], text) if "&" in text else text
