"""Characters: which encoding a text file has, and its lines, whatever is in it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from core.api import ImportFailed

CHUNK_BYTES = 1024 * 1024
MAX_LINE_CHARS = 16 * 1024 * 1024
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
FALLBACK = "cp1252"
ODD_BYTES = "tabular.latin-1"
codecs.register_error(ODD_BYTES, lambda error: _as_latin(error))


def encoding_of(path: Path) -> str:
    """Return the name of a text file's encoding: by its byte order mark, UTF-8 where it is that, else Windows-1252.

    Raises:
        ImportFailed: it is no text.
    """
    with path.open("rb") as file:
        head = file.read(65536)
        for bom, name in BOMS:
            if head.startswith(bom):
                return name
        if head.count(0) > len(head) // 4:
            raise ImportFailed(f"{path.name} is no text, or UTF-16 without a mark that says so; save it as UTF-8.")
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(CHUNK_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return FALLBACK
    return "utf-8"


def lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file with their ends, U+0000 included.

    Raises:
        ImportFailed: one is too long, or the file is damaged.
    """
    number = 0
    try:
        with path.open(encoding=encoding, newline="", errors=ODD_BYTES if encoding == FALLBACK else "strict") as file:
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                if len(line) == MAX_LINE_CHARS:
                    raise ImportFailed(f"{path.name}, line {number} has more than {MAX_LINE_CHARS} characters.")
                yield line
    except UnicodeError as error:
        raise ImportFailed(f"{path.name} is not sound {encoding.upper()} after line {number}: {error}") from error
    except OSError as error:
        raise ImportFailed(f"{path.name} cannot be read: {error.strerror}.") from error


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    """Keep bytes to which Windows-1252 gives no character as the control characters of the same number."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start:error.end].decode("latin-1"), error.end
