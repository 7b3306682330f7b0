"""Locks: the order in which writers of one app stand, on its row in the table of apps. Each is held until the transaction ends.

Writers of records share the row and go on side by side; documents are changed by one at a time, beside the writers of
records; what removes for good, or deletes the app, is alone. A restore first marks the app as closed and then waits until
none of them is left. What was read before a lock is no proof: each lock reads the app's row again, and with it whether
the app is closed or deleted.

The order of all locks is: the app's row, documents, records by number, values that must be unique, counters. SQLite has one
writer at a time; there only the questions are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update

from core.apps.models import DocumentRow, HiddenPart
from core.base.db import db, in_transaction, scratch, transaction
from core.base.errors import AppRestoring, NotFound
from core.runs.service import closes
from core.tenancy.models import App

HELD = "locks_held"
"""Where `scratch` keeps what a transaction holds."""
RESTORING = "restoring_run"
_SHARED: dict[str, Any] = {"read": True, "key_share": True}
_TAKEN: dict[str, Any] = {"key_share": True}
_ALONE: dict[str, Any] = {}
_STRENGTH = [_SHARED, _TAKEN, _ALONE]


def share(app: App) -> None:
    """Allow this transaction to write records of an app, beside others.

    Raises:
        AppRestoring: a restore is going on; reads go on too.
        NotFound: the app was deleted, or belongs to another organization.
    """
    _hold(app, _SHARED)


def take(app: App) -> None:
    """Allow this transaction to change documents and settings of an app. No other may until it ends.

    What the session had read of the app's documents before is read again from now on.

    Raises:
        AppRestoring, NotFound: see `share`.
    """
    _hold(app, _TAKEN)


def alone(app: App) -> None:
    """Make this transaction the only one that writes to the app, once those under way have ended.

    Raises:
        AppRestoring, NotFound: see `share`.
    """
    _hold(app, _ALONE)


def own(app: App) -> None:
    """Say that this transaction has made the app, so that nobody else can know of it."""
    scratch().setdefault(HELD, {})[app.id] = _STRENGTH.index(_ALONE)


def hold_document(app_id: str, kind: str, key: str) -> None:
    """Keep a document as it is until the transaction ends, beside others that keep it."""
    held = scratch().setdefault(HELD, {})
    if held.get(app_id, 0) > 0 or (app_id, kind, key) in held:
        return
    db.session.flush()
    db.session.scalar(select(DocumentRow).where(
        DocumentRow.app_id == app_id, DocumentRow.kind == kind, DocumentRow.key == key)
        .with_for_update(read=True).execution_options(populate_existing=True))
    held[app_id, kind, key] = 0


@contextmanager
def as_restore(run_id: str = "") -> Iterator[None]:
    """Do what a restore or an undo does: the app may be closed for it, and components can ask whether it is one."""
    db.session.info[RESTORING] = run_id
    try:
        yield
    finally:
        db.session.info.pop(RESTORING, None)


def is_restore() -> bool:
    """Say whether what is done here is part of a restore or an undo."""
    return db.session.info.get(RESTORING) is not None


def close(app_id: str, run_id: str) -> None:
    """Close an app to all writers but those of one restore, and wait for the end of those under way.

    Two transactions: a mark that turns newcomers away, so that a stream of them cannot keep the restore waiting for ever,
    then a lock that nobody who came before can still be under. Not inside `transaction()`.
    """
    with transaction():
        mark(app_id, run_id)
    with transaction():
        wait_for_writers(app_id)


def mark(app_id: str, run_id: str | None) -> None:
    """Say in the caller's transaction which restore an app is closed for; None opens it."""
    table = App.__table__
    db.session.execute(update(table).where(table.c.id == app_id).values(restoring_run_id=run_id))


def wait_for_writers(app_id: str) -> None:
    """Return once every transaction that writes to the app has ended; none begins as long as the caller's lasts."""
    table = App.__table__
    db.session.execute(select(table.c.id).where(table.c.id == app_id).with_for_update())


def _hold(app: App, how: dict[str, Any]) -> None:
    if not in_transaction():
        raise RuntimeError("Writes to an app belong inside transaction().")
    held, strength = scratch().setdefault(HELD, {}), _STRENGTH.index(how)
    if held.get(app.id, -1) < strength:
        _ask(app, how)
        held[app.id] = strength
        if strength:
            _forget_documents(app.id)


def _ask(app: App, how: dict[str, Any]) -> None:
    app_id = app.id
    db.session.flush()
    found = db.session.scalar(select(App).where(App.id == app_id).with_for_update(**how)
                              .execution_options(populate_existing=True))
    if found is None or found.deleted_at is not None:
        raise NotFound(f"There is no app “{app_id}”.")
    closer = found.restoring_run_id
    if closer is not None and db.session.info.get(RESTORING) != closer and _still_closed(closer):
        raise AppRestoring("This app is being restored. You can read it now, and change it again when the restore has ended.",
                           run=closer)


def _still_closed(run_id: str) -> bool:
    """Say whether a restore still keeps its app closed; one that was left by its process is ended, and the app is open."""
    return closes(run_id)


def _forget_documents(app_id: str) -> None:
    """Make the session read again what it read before the lock."""
    for row in list(db.session.identity_map.values()):
        if isinstance(row, DocumentRow | HiddenPart) and row.app_id == app_id:
            db.session.expire(row)
