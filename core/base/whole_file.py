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
    """Write a file, for this user alone; where it is the *first*, one that another process has just written stays."""
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
            with suppress(FileExistsError):
                os.link(fresh, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh)
