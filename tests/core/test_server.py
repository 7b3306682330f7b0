"""The key that signs backups, as the server keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from core.base.errors import AppkeepError
from core.server import server as current


def test_a_damaged_key_says_so(sqlite_server: Flask, home: Path) -> None:
    """Neither is it replaced, which would make a stranger of every file signed with it."""
    key = home / "keys" / "signing.key"
    key.parent.mkdir(parents=True, exist_ok=True)
    key.write_bytes(b"half")
    with sqlite_server.app_context(), pytest.raises(AppkeepError, match=r"keys/signing.key .* is damaged. Restore it from a copy"):
        _ = current().signing_key
    assert b"half" == key.read_bytes()
