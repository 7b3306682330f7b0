"""Snapshots: what is kept of an app's documents, and what is asked for each time."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event

from core.api import App, Document, apps, db, documents, transaction
from core.apps import snapshot
from core.apps.models import DocumentRow
from core.apps.snapshot import Snapshot
from core.base.db import reading
from core.server import server as current


@pytest.mark.parametrize("kept", [10**6, 0], ids=["short", "long"])
def test_a_still_snapshot_gives_what_any_other_gives(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """Live documents by kind and key, and those of components that are not here; what is short is read once."""
    monkeypatch.setattr(snapshot, "KEPT_CHARS", kept)
    with transaction():
        for key in ("p_2222222222", "p_1111111111", "p_3333333333"):
            documents.put(app, Document(kind="page", key=key, body={"name": key, "blocks": []}, position=0), "system")
        documents.hide(app, "page/p_3333333333", "system")
        db.session.add(DocumentRow(app_id=app.id, kind="gone", key="g_1111111111", body="{}", component="strange", version=3,
                                   updated_at=1, updated_by="system"))
    kinds = list(current().registry.kinds)
    with reading() as connection:
        plain = Snapshot(apps.find(app.id).id, connection)
        still = plain.still()
        wanted = [*plain.documents(kinds)], [*plain.documents(["page"])], plain.unread()
        seen: list[object] = []
        event.listen(connection, "before_cursor_execute", lambda *given: seen.append(given))
        assert wanted == ([*still.documents(kinds)], [*still.documents(["page"])], still.unread())
    assert ["p_1111111111", "p_2222222222"] == [one.key for one in wanted[1]]
    assert ["strange"] == [one.component for one in wanted[2]]
    assert (0 if kept else 3) == len(seen)
