"""Verbs on accounts of the portal. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import delete, func, select, update

from core.api import (
    App,
    Document,
    InvalidInput,
    NotFound,
    Operation,
    UndoContext,
    checked_line,
    db,
    documents,
    journal_of,
    locks,
    new_key,
    now_us,
)
from plugins.portal import codes, sessions
from plugins.portal.models import STATES, PortalAccount
from tenants.typed_names import checked_email, folded

PAGE_ACCOUNTS = 100
MOVED = "portal_accounts"
"""Section of a restore's journal: [email, role before, role after] of each account that it moved."""
MAX_PICTURE_BYTES = 5 * 1024 * 1024


def put_account(app: App, email: str, role: str | None) -> None:
    """Make an account, or give it another role; without a role it gets the portal's default.

    Raises:
        NotFound: the app has no such portal role.
    """
    locks.take(app)
    email = checked_email(email)
    if role is None:
        role = default_role(app)
    else:
        documents.get(app, f"portal_role/{role}")
    account = db.session.get(PortalAccount, (app.id, email))
    if account is None:
        account = PortalAccount(app_id=app.id, email=email, created_at=now_us(), key=new_key("u"))
        db.session.add(account)
    account.role = role
    db.session.flush()


def create_role(app: App, name: str, person: str) -> Document:
    """Make a portal role that gives nothing yet and return it.

    Raises:
        InvalidInput: the name is empty, too long or has control characters.
    """
    locks.take(app)
    position = max((role.position for role in documents.live(app, "portal_role")), default=-1) + 1
    body = {"name": checked_name(name), "worksheets": [], "pages": []}
    return documents.put(app, Document(kind="portal_role", key=new_key("q"), body=body, position=position), person)


def checked_name(name: str) -> str:
    """Return a portal role's name without space around it.

    Raises:
        InvalidInput: it is empty, too long or has control characters.
    """
    return checked_line(name.strip(), 100, "a portal role name")


def remove_account(app: App, email: str) -> None:
    """Remove an account, with its sessions and what was mailed to it; it is no error where there is none."""
    locks.take(app)
    address = folded(email)[:254]
    codes.forget(app, address)
    gone = db.session.execute(delete(PortalAccount).where(PortalAccount.app_id == app.id, PortalAccount.email == address).returning(
        PortalAccount.key).execution_options(synchronize_session=False)).first()
    if gone is not None:
        sessions.end(app, gone[0])


def page_of_accounts(app: App, search: str, after: str, state: str = "") -> tuple[list[PortalAccount], bool]:
    """Return up to a hundred accounts by email, those after *after* whose email holds *search*, and whether there are more."""
    query = select(PortalAccount).where(PortalAccount.app_id == app.id, PortalAccount.email > after[:254])
    if search:
        query = query.where(PortalAccount.email.contains(search[:254].lower(), autoescape=True))
    if state in STATES:
        query = query.where(PortalAccount.state == state)
    found = list(db.session.scalars(query.order_by(PortalAccount.email).limit(PAGE_ACCOUNTS + 1)))
    return found[:PAGE_ACCOUNTS], len(found) > PAGE_ACCOUNTS


def counts(app: App) -> dict[str | None, int]:
    """Return how many accounts each portal role has, by key; None for those without one."""
    query = select(PortalAccount.role, func.count()).where(PortalAccount.app_id == app.id).group_by(PortalAccount.role)
    return {row[0]: row[1] for row in db.session.execute(query)}


def accounts(app: App) -> list[PortalAccount]:
    """Return an app's accounts by email."""
    return sorted(db.session.scalars(select(PortalAccount).where(PortalAccount.app_id == app.id)), key=lambda a: a.email)


def default_role(app: App) -> str | None:
    """Return the key of the role that new accounts get, None where there is none."""
    try:
        named = documents.get(app, "portal/main").body.get("default_role")
        return None if named is None else documents.get(app, named["ref"]).key
    except NotFound:
        return None


def move_accounts(app: App, gone: Iterable[str]) -> int:
    """Give the accounts of roles that went the default role, and return how many they were; a restore's journal has which."""
    table, to = PortalAccount.__table__, default_role(app)
    mine = (table.c.app_id == app.id) & table.c.role.in_(list(gone))
    journal = journal_of(app)
    if journal is not None:
        found = db.session.connection().execute(select(table.c.email, table.c.role).where(mine).order_by(table.c.email)).all()
        journal.stage(MOVED).add([[email, role, to] for email, role in found])
    return db.session.connection().execute(update(table).where(mine).values(role=to)).rowcount


def undo_moves(context: UndoContext) -> int:
    """Give the accounts that a restore moved their role back and return how many; who was given another role since keeps it."""
    table, count = PortalAccount.__table__, 0
    for email, before, after in _moves(context):
        if f"portal_role/{before}" not in context.live:
            continue
        goes = after is not None and f"portal_role/{after}" not in context.live
        stands = default_role(context.app) if goes and context.writing else after  # with a role that goes, its accounts went on
        mine = (table.c.app_id == context.app.id) & (table.c.email == email) & table.c.role.is_not_distinct_from(stands)
        if context.writing:
            count += context.connection.execute(update(table).where(mine).values(role=before)).rowcount
        else:
            count += context.connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    return count


def _moves(context: UndoContext) -> Iterator[tuple[str, str, str | None]]:
    """Yield (email, role before, role after) of each account that the restore moved; of several moves the first and the last."""
    found: dict[str, tuple[str, str, str | None]] = {}
    for stage in context.journal.stages(MOVED):
        for email, before, after in stage:
            found[email] = (email, found[email][1] if email in found else before, after)
    yield from found.values()


def _edit(app: App, edit: Mapping[str, Any], person: str) -> dict[str, Any]:
    email, role = edit.get("email"), edit.get("role")
    if not isinstance(email, str) or not (role is None or isinstance(role, str)):
        raise InvalidInput("“put_portal_account” needs “email”, and “role”, a key such as q_…, or none.")
    put_account(app, email, None if role is None else role.removeprefix("portal_role/"))
    return {"email": email}


OPERATIONS: Mapping[str, Operation] = {"put_portal_account": _edit}
