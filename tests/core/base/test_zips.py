"""Zips that strangers made are opened only where they are bounded."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.api import ImportFailed, open_zip


def made(folder: Path, count: int, length: int = 3) -> Path:
    """Write a zip of so many files with names of that length."""
    with zipfile.ZipFile(folder / "some.zip", "w") as archive:
        for number in range(count):
            archive.writestr(f"{number:0{length}}", b"x")
    return folder / "some.zip"


def test_a_zip_with_too_many_files_is_refused(tmp_path: Path) -> None:
    """As many as are allowed are read, one more is not."""
    path = made(tmp_path, 4)
    with open_zip(path, 4) as archive:
        assert len(archive.infolist()) == 4
    with pytest.raises(ImportFailed, match=r"some\.zip has 4 files in it; at most 3"):
        open_zip(path, 3)


def test_a_large_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a zip lists is weighed before anything of it is in memory."""
    path = made(tmp_path, 3, 60_000)
    monkeypatch.setattr("core.base.zips.zipfile.ZipFile", None)
    with pytest.raises(ImportFailed, match=r"some\.zip lists its files in 180138 bytes; at most 4000"):
        open_zip(path, 10)
