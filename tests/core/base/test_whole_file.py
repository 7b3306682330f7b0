"""Small files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.base.whole_file import write_whole


@pytest.mark.parametrize("links", [True, False])
def test_the_first_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    """Whoever comes second leaves it, also where a file system knows no links; nothing else stays in the folder."""
    if not links:
        def refused(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "keys" / "some.key"
    for data in (b"one", b"two"):
        write_whole(path, data, first=True)
    assert (b"one", 0o600, [path]) == (path.read_bytes(), path.stat().st_mode & 0o777, list(path.parent.iterdir()))
    write_whole(path, b"three")
    assert (b"three", 0o600, [path]) == (path.read_bytes(), path.stat().st_mode & 0o777, list(path.parent.iterdir()))
