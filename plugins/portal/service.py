"""Verbs on accounts of the portal. The caller owns the transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update

from core.api import App, InvalidInput, NotFound, Operation, check_writable, db, documents, now_us
from plugins.portal.models import PortalAccount

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}\Z")


def put_account(app: App, email: str, role: str | None) -> None:
    """Make an account, or give it another role; without a role it gets the portal's default.

    Raises:
        NotFound: the app has no such portal role.
    """
    check_writable(app)
    email = email.strip().lower()
    if not EMAIL.match(email):
        raise InvalidInput(f"“{email[:100]}” is not an e-mail address.")
    if role is None:
        role = default_role(app)
    else:
        documents.get(app, f"portal_role/{role}")
    account = db.session.get(PortalAccount, (app.id, email))
    if account is None:
        account = PortalAccount(app_id=app.id, email=email, created_at=now_us())
        db.session.add(account)
    account.role = role
    db.session.flush()


def accounts(app: App) -> list[PortalAccount]:
    """Return an app's accounts by e-mail."""
    return sorted(db.session.scalars(select(PortalAccount).where(PortalAccount.app_id == app.id)), key=lambda a: a.email)


def default_role(app: App) -> str | None:
    """Return the key of the role that new accounts get, None where there is none."""
    try:
        named = documents.get(app, "portal/main").body.get("default_role")
        return None if named is None else documents.get(app, named["ref"]).key
    except NotFound:
        return None


def move_accounts(app: App, gone: Iterable[str]) -> int:
    """Give the accounts of roles that went the default role, and return how many they were."""
    table = PortalAccount.__table__
    mine = (table.c.app_id == app.id) & table.c.role.in_(list(gone))
    return db.session.connection().execute(update(table).where(mine).values(role=default_role(app))).rowcount


def _edit(app: App, edit: Mapping[str, Any], person: str) -> dict[str, Any]:
    email, role = edit.get("email"), edit.get("role")
    if not isinstance(email, str) or not (role is None or isinstance(role, str)):
        raise InvalidInput("“put_portal_account” needs “email”, and “role”, a key such as q_…, or none.")
    put_account(app, email, None if role is None else role.removeprefix("portal_role/"))
    return {"email": email}


OPERATIONS: Mapping[str, Operation] = {"put_portal_account": _edit}
