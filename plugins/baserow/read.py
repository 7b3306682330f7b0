"""Reading a Baserow export or template: bounded, and with every value's type doubted."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.api import ImportFailed, check_ratio, open_zip

MAX_DIGITS = 15
MAX_JSON_BYTES = 512 * 1024 * 1024
MAX_JSON_ROOM = 1024**3
"""What a file may take in memory, as `_room` reckons it."""
MAX_ENTRIES = 100_000
MAX_NAMED = 3
"""How many files in a zip a refusal names."""
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_ALL_FILES_BYTES = 8 * 1024 * 1024 * 1024
_ODD = re.compile("\\\\u(?:0000|[dD][89a-fA-F])|[\ud800-\udfff]")
"""What JSON may say and nothing here can store: U+0000, and halves of characters, where they are not pairs."""
Item = Mapping[str, Any]


@dataclass
class Export:
    """An export: what it is called, its databases and builders in order, and the files that came with it."""

    name: str | None
    databases: list[Item]
    builders: list[Item]
    others: list[Item]
    archive: zipfile.ZipFile | None
    left_bytes: int = field(default=MAX_ALL_FILES_BYTES)

    def has_file(self, name: str) -> bool:
        """Say whether the file of that name came along, of a size that is taken."""
        info = self.archive.NameToInfo.get(name) if self.archive else None
        return info is not None and info.file_size <= min(MAX_FILE_BYTES, self.left_bytes)

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Give a file that came along.

        Raises:
            ImportFailed: it cannot be unpacked, or holds more than it says.
        """
        if self.archive is None:
            raise ImportFailed("The export has no files.")
        info = self.archive.NameToInfo[name]
        self.left_bytes -= info.file_size
        try:
            with self.archive.open(info) as stream:
                yield _Bounded(stream, info.file_size)  # type: ignore[misc]
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise ImportFailed(f"The file {name[:100]} in the zip cannot be unpacked: {error}") from error


class _Bounded:
    """A stream that gives no more than was announced."""

    def __init__(self, stream: Any, size: int) -> None:
        self.stream, self.left = stream, size

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk: bytes = self.stream.read(min(size, 1024 * 1024) if size >= 0 else 1024 * 1024)
        self.left -= len(chunk)
        if self.left < 0:
            raise ImportFailed("A file in the zip is larger than declared.")
        return chunk


def looks_right(path: Path) -> bool:
    """Say cheaply whether a file may be an export."""
    if path.suffix.lower() != ".json":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return b'"baserow_template_version"' in head or (b'"type"' in head and (b'"database"' in head or b'"builder"' in head)) \
        or b'"tables"' in head


def what_is_missing(path: Path) -> str:
    """Return what was looked for in a file that is no export, and what to do, in sentences."""
    if path.suffix.lower() != ".zip":
        return "It was read for the tables and applications of a Baserow export, and holds none."
    try:
        with open_zip(path, MAX_ENTRIES) as archive:
            inside = [name for name in archive.namelist() if name.lower().endswith(".json")]
    except ImportFailed as error:
        return error.message
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return "It is not a valid zip."
    together = "Choose the .json and the .zip of the same export together."
    if not inside:
        return f"A Baserow export is read from its .json file, and this .zip holds none. {together}"
    named = ", ".join(f"“{name[-100:]}”" for name in inside[:MAX_NAMED]) + (", …" if len(inside) > MAX_NAMED else "")
    return f"A Baserow export is read from its .json file, which has to be outside the .zip; inside are {named}. Unpack it. {together}"


@contextmanager
def opened(path: Path) -> Iterator[Export]:
    """Give the export in *path*, with the zip of the same name beside it where there is one.

    Raises:
        ImportFailed: it is none.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ImportFailed(f"{path.name} is larger than {MAX_JSON_BYTES} bytes.")
        raw_text = _text_of(path)
        value = json.loads(raw_text)
        if _ODD.search(raw_text):
            value = _cleaned(value)
    except OSError as error:
        raise ImportFailed(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"{path.name} is not JSON: {error}") from error
    given = value.get("export") if isinstance(value, dict) else value
    if not isinstance(given, list):
        raise ImportFailed(f"{path.name} is not a Baserow export: it has no list of applications.")
    applications = sorted(items(given), key=lambda a: (number(a, "order"), number(a, "id")))
    with ExitStack() as stack:
        yield Export(
            name=text(value, "name") or None if isinstance(value, dict) else None,
            databases=[a for a in applications if a.get("type") == "database"],
            builders=[a for a in applications if a.get("type") == "builder"],
            others=[a for a in applications if a.get("type") not in ("database", "builder")],
            archive=_archive(path.with_suffix(".zip"), stack))


def _text_of(path: Path) -> str:
    """Return a file's text.

    Raises:
        ImportFailed: what it says would take too much memory.
    """
    raw = path.read_bytes()
    if _room(raw) > MAX_JSON_ROOM:
        raise ImportFailed(f"{path.name} holds too many values to be read at once. Export fewer tables at a time.")
    return raw.decode(json.detect_encoding(raw), "surrogatepass")


def _room(raw: bytes) -> int:
    """Return how many bytes of memory JSON can take at most: its text in wide characters, and objects for what its marks begin."""
    return 4 * len(raw) + 232 * raw.count(b"{") + 88 * raw.count(b"[") + 64 * (raw.count(b":") + raw.count(b","))


def _archive(path: Path, stack: ExitStack) -> zipfile.ZipFile | None:
    if not path.is_file():
        return None
    try:
        archive = stack.enter_context(open_zip(path, MAX_ENTRIES))
        check_ratio(path, archive.infolist())
        return archive
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ImportFailed(f"{path.name}, which belongs to the export, is not a valid zip: {error}") from error


def items(value: Any) -> list[Item]:
    """Return the objects in a list; nothing where it is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def listed(item: Item, key: str) -> list[Item]:
    """Return the objects in a list that an object holds."""
    return items(item.get(key))


def text(item: Item, key: str, longest: int = 100_000) -> str:
    """Return a text that an object holds, empty where it holds none."""
    value = item.get(key)
    return value[:longest] if isinstance(value, str) else ""


def _cleaned(value: Any) -> Any:
    """Return a value whose texts have no characters that cannot be stored."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return {_cleaned(key): _cleaned(one) for key, one in value.items()} if isinstance(value, dict) else value


def name_of(item: Item, otherwise: str) -> str:
    """Return what something is called, 1 to 100 characters."""
    return text(item, "name", 100).strip() or otherwise


def number(item: Item, key: str) -> float:
    """Return a number that an object holds, also as text; 0 where it holds none."""
    value = item.get(key)
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return found if found == found and abs(found) != float("inf") else 0.0


def whole(value: str) -> int | None:
    """Return the whole number that a text is, None where it is none or so long that it can be nothing's number."""
    value = value.strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS else None


def id_of(item: Item, key: str = "id") -> int | None:
    """Return an id that an object holds, None where it holds none."""
    value = item.get(key)
    return value if type(value) is int and abs(value) < 10**MAX_DIGITS else None
