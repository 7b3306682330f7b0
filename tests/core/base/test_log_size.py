"""SQLite's log gives back the room that one large transaction took."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from core.api import App, apps, db, transaction
from core.base import db as database


def test_the_log_shrinks_after_a_large_transaction(
        server: Flask, app: App, home: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins anew with the next write after it was taken over, and is cut to what is kept."""
    if engine != "sqlite":
        pytest.skip("PostgreSQL keeps its own log")
    monkeypatch.setattr(database, "LOG_KEPT_BYTES", 200_000)
    db.session.remove()
    db.engine.dispose()
    log = home / "appkeep.db-wal"
    with transaction():
        db.session.execute(text("CREATE TABLE large (value BLOB)"))
        for _ in range(10):
            db.session.execute(text("INSERT INTO large VALUES (randomblob(1000000))"))
    full = log.stat().st_size
    for number in range(3):
        with transaction():
            apps.find(app.id).name = f"Changed {number}"
    assert (True, True) == (full > 10_000_000, log.stat().st_size <= 200_000)
