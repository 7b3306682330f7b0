"""Characters: which encoding a text file has, and its lines, whatever is in it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.api import ImportFailed, packed_kind
from plugins.tabular.encodings import FALLBACK, likely

CHUNK_BYTES = 1024 * 1024
MAX_LINE_CHARS = 16 * 1024 * 1024
MAX_NAMED_LINES = 20
MAX_STRANGE = 64
SAMPLE_BYTES = 64 * 1024
MIXED = "utf-8, mixed"
"""UTF-8 in which single bytes are none."""
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
GOOD_FOR_BAD = 4
"""A file is UTF-8 with errors if so many characters of it are UTF-8 for each byte that is none."""
ODD_BYTES = "tabular.latin-1"
BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"MZ\x90\0", b"\xd0\xcf\x11\xe0", b"PAR1", b"SQLite format 3\0")
NO_TEXT = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape")
codecs.register_error(ODD_BYTES, lambda error: _as_latin(error))


@dataclass
class Encoding:
    """How the bytes of a text file are characters: a codec's name, and the lines that hold bytes that are none."""

    name: str
    odd_lines: list[int] = field(default_factory=list)
    odd_count: int = 0

    def see_odd(self, number: int) -> None:
        """Remember a line that has bytes which are no characters."""
        if not self.odd_lines or number > self.odd_lines[-1]:
            self.odd_count += 1
            if len(self.odd_lines) < MAX_NAMED_LINES:
                self.odd_lines.append(number)


def encoding_of(path: Path, said: str = "") -> Encoding:
    """Return a text file's encoding: the one that is *said*, the byte order mark's, UTF-8 where it is that, else the likeliest.

    Raises:
        ImportFailed: it is no text, or nobody knows what is said.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK_BYTES)
    _check_text(path, head, said)
    if said:
        return Encoding(known_encoding(said))
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name)
    return _judged(path)


def known_encoding(said: str) -> str:
    """Return the codec that a name of an encoding means.

    Raises:
        ImportFailed: there is none for text.
    """
    try:
        found = codecs.lookup(said)
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in NO_TEXT:
        raise ImportFailed(f"Unknown encoding “{said[:40]}”. Use one such as utf-8, cp1252, cp1251, shift_jis or gb18030.")
    return found.name


def _check_text(path: Path, head: bytes, said: str) -> None:
    kind = packed_kind(head)
    if kind:
        raise ImportFailed(f"{path.name} is compressed ({kind}); unpack it first.")
    if head.startswith(BINARY):
        raise ImportFailed(f"{path.name} is a binary file, not text. Export it as CSV.")
    start = head[:65536]
    if any(start.startswith(bom) for bom, _ in BOMS) or said:
        return
    if start.count(0) > len(start) // 4:
        raise ImportFailed(f"{path.name} is not text, or is UTF-16 without a byte order mark. Save it as UTF-8.")
    strange = sum(start.count(byte) for byte in (*range(1, 9), *range(14, 27), *range(28, 32)))
    if strange > max(MAX_STRANGE, len(start) // 20):
        raise ImportFailed(f"{path.name} is not text: it is full of control characters. Export it as CSV.")


def _judged(path: Path) -> Encoding:
    """Return the encoding of a file without a mark, by all of its bytes."""
    good = bad = 0
    sample = bytearray()
    with path.open("rb") as file:
        while line := file.readline(CHUNK_BYTES):
            if line.isascii():
                continue
            text = line.decode("utf-8", "replace")
            odd = text.count("\ufffd") - line.count(b"\xef\xbf\xbd")
            good += sum(char > "\x7f" for char in text) - odd
            bad += odd
            if len(sample) < SAMPLE_BYTES:
                sample += line
    if not bad:
        return Encoding("utf-8")
    return Encoding(MIXED if good >= GOOD_FOR_BAD * bad else likely(bytes(sample)))


def lines(path: Path, encoding: Encoding) -> Iterator[str]:
    """Yield the lines of a text file with their ends, U+0000 included.

    Raises:
        ImportFailed: one is too long, or the file is damaged.
    """
    number = 0
    codec = "utf-8" if encoding.name == MIXED else encoding.name
    odd = MIXED if encoding.name == MIXED else ODD_BYTES if encoding.name == FALLBACK else "strict"
    try:
        with path.open(encoding=codec, newline="", errors="surrogateescape" if odd == MIXED else odd) as file:
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                if len(line) == MAX_LINE_CHARS:
                    raise ImportFailed(f"{path.name}, line {number} has more than {MAX_LINE_CHARS} characters.")
                yield _mended(line, number, encoding) if odd == MIXED and not line.isascii() else line
    except UnicodeError as error:
        raise ImportFailed(f"{path.name} is not sound {encoding.name.upper()} after line {number}: {error}. "
                           "Say its encoding, or save it as UTF-8.") from error
    except OSError as error:
        raise ImportFailed(f"{path.name} cannot be read: {error.strerror}.") from error


def _mended(line: str, number: int, encoding: Encoding) -> str:
    """Return a line of which bytes that are no UTF-8 are read as Windows-1252, and remember its number."""
    try:
        line.encode()
    except UnicodeEncodeError:
        encoding.see_odd(number)
        return "".join(bytes([ord(char) - 0xDC00]).decode(FALLBACK, ODD_BYTES) if "\udc80" <= char <= "\udcff" else char for char in line)
    return line


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    """Keep bytes to which Windows-1252 gives no character as the control characters of the same number."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start:error.end].decode("latin-1"), error.end
