"""Secrets of an app's workflows: named in steps, sealed in a table, in no backup, log or history. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import delete, select, update

from core.api import App, InvalidInput, NotFound, SecretLost, as_server, checked_line, db, now_us, reseal, seal, unseal
from plugins.workflows.models import WorkflowAddress, WorkflowSecret

MOST_CHARS = 4000
MOST_SECRETS = 200


def purpose(app_id: str, name: str) -> str:
    """Return what a secret is sealed for."""
    return f"workflow_secret/{app_id}/{name}"


def address_purpose(app_id: str, workflow: str) -> str:
    """Return what the token in a workflow's address is sealed for."""
    return f"workflow_address/{app_id}/{workflow}"


def names(app: App) -> list[str]:
    """Return the names of an app's secrets."""
    return sorted(db.session.scalars(select(WorkflowSecret.name).where(WorkflowSecret.app_id == app.id)))


def listed(app: App) -> list[WorkflowSecret]:
    """Return an app's secrets by name; what they are stays sealed."""
    return list(db.session.scalars(select(WorkflowSecret).where(WorkflowSecret.app_id == app.id).order_by(WorkflowSecret.name)))


def put(app: App, name: str, value: str, person: str) -> None:
    """Keep a secret under a name, in the place of one that was there.

    Raises:
        InvalidInput: name or value is empty, too long or has control characters, or there are too many.
    """
    name = checked_line(name.strip(), 100)
    if not 1 <= len(value) <= MOST_CHARS or "\0" in value:
        raise InvalidInput(f"Enter a secret of 1 to {MOST_CHARS:,} characters.")
    mine = select(WorkflowSecret).where(WorkflowSecret.app_id == app.id, WorkflowSecret.name == name)
    found = db.session.scalar(mine.with_for_update())
    sealed = seal(value, purpose(app.id, name))
    if found is None:
        if len(names(app)) >= MOST_SECRETS:
            raise InvalidInput(f"An app can have {MOST_SECRETS} secrets at most.")
        db.session.add(WorkflowSecret(app_id=app.id, name=name, sealed=sealed, changed_at=now_us(), changed_by=person))
    else:
        found.sealed, found.changed_at, found.changed_by = sealed, now_us(), person
    db.session.flush()


def remove(app: App, name: str) -> None:
    """Remove a secret."""
    db.session.execute(delete(WorkflowSecret).where(WorkflowSecret.app_id == app.id, WorkflowSecret.name == name))


def read(app_id: str, name: str) -> str:
    """Return what a secret is.

    Raises:
        NotFound: there is none of that name.
        SecretLost: see `core.api.unseal`.
    """
    sealed = db.session.scalar(select(WorkflowSecret.sealed).where(WorkflowSecret.app_id == app_id, WorkflowSecret.name == name))
    if sealed is None:
        raise NotFound(f"The app has no secret named “{name[:60]}”.")
    return unseal(sealed, purpose(app_id, name))


def named_in(body: Mapping[str, Any]) -> set[str]:
    """Return the names of the secrets that a workflow's steps use."""
    return set(_named(body.get("steps", ())))


def missing(app: App, body: Mapping[str, Any]) -> list[str]:
    """Return the names of the secrets that a workflow uses and the app lacks."""
    used = named_in(body)
    return sorted(used - set(names(app))) if used else []


def reseal_all() -> tuple[int, int]:
    """Seal all secrets of all apps, and the tokens of addresses, with the newest key; see the hook `secrets_resealed`."""
    done = lost = 0
    with as_server():
        sealed_for: tuple[tuple[Any, Any, Any], ...] = ((WorkflowSecret, WorkflowSecret.name, purpose),
                                                        (WorkflowAddress, WorkflowAddress.workflow, address_purpose))
        for table, column, purpose_of in sealed_for:
            for app_id, key, sealed in db.session.execute(select(table.app_id, column, table.sealed)).all():
                try:
                    fresh = reseal(sealed, purpose_of(app_id, key))
                except SecretLost:
                    lost += 1
                    continue
                # One that was changed meanwhile is sealed with the newest key already.
                db.session.execute(update(table).where(table.app_id == app_id, column == key, table.sealed == sealed).values(sealed=fresh)
                                   .execution_options(synchronize_session=False))
                done += 1
    return done, lost


def _named(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if isinstance(one.get("secret"), str) and one.keys() == {"secret"}:
                yield one["secret"]
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
