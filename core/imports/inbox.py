"""Uploads: files that somebody sends, in a private folder while they are read, as objects of the organization afterwards.

The one danger: what a sent file is called. It is shown to people and never becomes a path.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from core.base.errors import InvalidInput
from core.objects.reader import read_file
from core.objects.writer import ObjectWriter
from core.server import server

MAX_FILES = 2
MAX_NAME_CHARS = 200
STEM = "upload"
LEFT_AFTER_S = 24 * 3600
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}\Z")
Kept = Mapping[str, Any]
"""A sent file as an object: {"name", "suffix", "content", "size"}."""


class Sent(Protocol):
    """A file as a request brings it."""

    filename: str | None
    stream: Any


@contextmanager
def spool() -> Iterator[Path]:
    """Give an empty folder that only this process's user can enter, gone afterwards."""
    above = server().config.home_path / "spool"
    above.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(dir=above))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tidy() -> None:
    """Remove the folders of processes that were killed: none that is in use is a day old."""
    above = server().config.home_path / "spool"
    for folder in above.iterdir() if above.is_dir() else ():
        with suppress(FileNotFoundError):  # removed by its own process meanwhile
            if folder.stat().st_mtime < time.time() - LEFT_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)


def lay(folder: Path, sent: Sequence[Sent]) -> list[tuple[str, Path]]:
    """Write sent files into a folder and return (what it is called, where it lies) of each, a zip beside another last.

    All have the same stem, so that an importer finds what belongs together.

    Raises:
        InvalidInput: there is none, or there are more than belong together.
    """
    given = [one for one in sent if one.filename]
    laid: dict[str, tuple[str, Path]] = {}
    for one in sorted(given, key=lambda one: _suffix(one.filename) == ".zip"):
        suffix = _suffix(one.filename)
        if suffix in laid or len(laid) == MAX_FILES or (laid and suffix != ".zip"):
            hints = " ".join(one.hint for one in server().registry.offered_importers if one.hint)
            raise InvalidInput(f"Choose one file. {hints}".rstrip())
        path = folder / f"{STEM}{suffix}"
        with path.open("xb") as file:
            shutil.copyfileobj(one.stream, file, 1024 * 1024)
        laid[suffix] = (shown_name(one.filename), path)
    if not laid:
        raise InvalidInput("Choose a file first.")
    return list(laid.values())


def keep(laid: Sequence[tuple[str, Path]], writer: ObjectWriter) -> list[Kept]:
    """Take files into the store; the writer's `record` makes their rows."""
    kept: list[Kept] = []
    for name, path in laid:
        with path.open("rb") as file:
            content, size = writer.put_file(file)
        kept.append({"name": name, "suffix": path.suffix, "content": content, "size": size})
    return kept


@contextmanager
def fetched(kept: Sequence[Kept]) -> Iterator[Path]:
    """Give kept files in a private folder, as they lay when they were sent: the path of the first.

    Raises:
        ObjectMissing: one is not kept any more.
    """
    with spool() as folder:
        for one in kept:
            with (folder / f"{STEM}{_suffix(one['suffix'])}").open("xb") as file:
                file.writelines(read_file(one["content"]))
        yield folder / f"{STEM}{_suffix(kept[0]['suffix'])}"


def size_bytes(laid: Sequence[tuple[str, Path]]) -> int:
    """Return how large files are together."""
    return sum(path.stat().st_size for _, path in laid)


def _suffix(name: str | None) -> str:
    found = _SUFFIX.search((name or "").lower())
    return found[0] if found else ""


def shown_name(name: str | None) -> str:
    """Return the last part of a name as its sender's system had it, without what cannot be shown."""
    last = re.split(r"[/\\]", name or "")[-1]
    return "".join(char for char in last if char.isprintable())[:MAX_NAME_CHARS] or "file"
