"""A small file that is there whole or not at all: keys, which half of would open nothing. And one that is another user's."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def not_ours(error: PermissionError) -> str:
    """Return what is said of a file that this user may not use."""
    return f"{error.filename}: {error.strerror}. Run everything as the one user that Appkeep runs as, and give that user the home folder."


def write_whole(path: Path, data: bytes, *, first: bool = False) -> None:
    """Write a file, for this user alone; where it is the *first*, one that another process has just written stays.

    Two that start together agree on one key so, and a crash leaves no half of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    opened, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not first:
            os.replace(fresh, path)
        else:
            _make_known(fresh, path, data)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh)


def _make_known(fresh: str, path: Path, data: bytes) -> None:
    """Give a file that was written its name, unless another has it."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links, as that of a stick or of a folder shared with a virtual machine
        with suppress(FileExistsError), open(path, "xb", opener=_private) as file:
            file.write(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
