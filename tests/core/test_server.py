"""The key that signs backups, as the server keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from core.archive.signature import SigningKey
from core.base.errors import AppkeepError
from core.cli.main import main
from core.server import server as current


def test_a_damaged_key_says_so(sqlite_server: Flask, home: Path) -> None:
    """Neither is it replaced, which would make a stranger of every file signed with it."""
    key = home / "keys" / "signing.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(b"half")
    with sqlite_server.app_context(), pytest.raises(AppkeepError, match=r"keys/signing.key .* is damaged. Restore it from a copy"):
        _ = current().signing_key
    assert b"half" == key.read_bytes()


@pytest.mark.parametrize(("of", "name", "words"), [(Path, "read_text", ["org", "list"]), (Path, "read_text", ["clock"]), (SigningKey, "load_or_make", [])])
def test_a_file_of_another_user_says_so(
        sqlite_server: Flask, home: Path, monkeypatch: pytest.MonkeyPatch, of: Any, name: str, words: list[str]) -> None:
    """As where somebody ran a command as root: the file is named, with the way out, by commands and by runs."""
    def refused(*_: object, **__: object) -> Any:
        raise PermissionError(13, "Permission denied", "/home/keys/some.key")

    monkeypatch.setenv("APPKEEP_HOME", str(home))
    monkeypatch.setattr(of, name, refused)
    if words:
        answer = CliRunner().invoke(main, words)
        assert 1 == answer.exit_code and "/home/keys/some.key: Permission denied. Run everything as the one user" in answer.output
        return
    with sqlite_server.app_context(), pytest.raises(AppkeepError, match=r"some\.key: Permission denied\. Run everything as the one user"):
        _ = current().signing_key
