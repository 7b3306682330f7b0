"""API tokens: by one a program comes as the person who made it, in one organization, as far as its scopes reach.

Only a token's digest is kept; it is shown once. The caller owns the transaction, but for `bearer`, which notes now and then that a token
is in use. Removing somebody from the organization, or closing it, ends their tokens there at once: each use asks anew.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from flask import current_app, has_request_context, request
from sqlalchemy import delete, func, select, tuple_

from core.api import (
    API_SCOPES,
    App,
    Bearer,
    Conflict,
    InvalidInput,
    NotFound,
    Visitor,
    db,
    new_key,
    new_token,
    now_us,
    tenant,
    transaction,
)
from tenants import second_factor, service
from tenants.audit import audit
from tenants.models import ApiToken, AppAdmin, Membership, User
from tenants.sessions import NOTED_AFTER_US, digest
from tenants.typed_names import checked_name

DAYS = (7, 30, 90, 365)
"""How long a token may be good."""
RESTORE_DAYS = 90
"""How long at most, where it may restore."""
MOST = 50
"""How many tokens somebody may have in one organization."""
DAY_US = int(timedelta(days=1).total_seconds()) * 1_000_000
KEPT_DAYS = 30
"""How long a token that has expired is still listed."""
NEEDS_PROOF = "restore"
"""The scope for which it is asked who one is."""
GONE = "This token does not exist, or was already removed."


def make(user_id: str, name: str, scopes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """Return a new token of somebody in the current organization, and the text that is shown this once.

    Raises:
        InvalidInput: see `checked_label`, `checked_scopes` and `check_days`.
        Conflict: see `check_room`.
    """
    called, chosen = checked_label(name), checked_scopes(scopes)
    check_days(days, chosen)
    # The person's row is held, so that two at once do not both find room.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    _forget_old(user_id)
    check_room(user_id)
    text, now = new_token(str(current_app.secret_key)), now_us()
    row = ApiToken(id=new_key("t"), organization_id=tenant(), user_id=user_id, name=called, digest=digest(text), scopes=" ".join(chosen),
                   made_at=now, expires_at=now + days * DAY_US, used_address="")
    db.session.add(row)
    db.session.flush()
    audit("api_token_made", f"user/{user_id}", name=called, token=row.id, scopes=row.scopes, days=days)
    return row, text


def checked_label(name: str) -> str:
    """Return what a token is called.

    Raises:
        InvalidInput: it is empty, too long, or has characters that nobody sees.
    """
    return checked_name(name, "a token")


def checked_scopes(scopes: Collection[str]) -> list[str]:
    """Return what a token is for, each once, in their order.

    Raises:
        InvalidInput: it is for nothing, or for something unknown.
    """
    unknown = [one for one in scopes if one not in API_SCOPES]
    if unknown:
        raise InvalidInput(f"“{unknown[0][:40]}” is not a scope. Scopes are: {', '.join(API_SCOPES)}.")
    if not scopes:
        raise InvalidInput("Choose at least one permission.")
    return [one for one in API_SCOPES if one in scopes]


def check_days(days: int, scopes: Collection[str]) -> None:
    """Refuse how long a token would be good.

    Raises:
        InvalidInput: it is not one of `DAYS`, or too long for these scopes.
    """
    if days not in DAYS:
        raise InvalidInput(f"A token is valid for {', '.join(map(str, DAYS[:-1]))} or {DAYS[-1]} days.")
    if NEEDS_PROOF in scopes and days > RESTORE_DAYS:
        raise InvalidInput(f"A token that can restore is valid for {RESTORE_DAYS} days at most.")


def check_room(user_id: str) -> None:
    """Refuse one more token of somebody in the current organization.

    Raises:
        Conflict: they have too many.
    """
    if count(user_id) >= MOST:
        raise Conflict(f"You have {MOST} tokens in this organization. Remove one that you no longer use.")


def remove(user_id: str | None, token_id: str) -> ApiToken:
    """Remove a token of the current organization, of anybody's where *user_id* is None, and return it: it is good no more.

    Raises:
        NotFound: they have none of that id.
    """
    row = _find(token_id)
    if user_id is not None and row.user_id != user_id:
        raise NotFound(GONE)
    audit("api_token_removed", f"user/{row.user_id}", name=row.name, token=row.id)
    db.session.delete(row)
    db.session.flush()
    return row


def forget_of(user_id: str) -> None:
    """Remove the tokens of somebody who no longer belongs to the current organization: coming back later revives none."""
    if not belonging([user_id]):
        db.session.execute(delete(ApiToken).where(ApiToken.organization_id == tenant(), ApiToken.user_id == user_id))


def _forget_old(user_id: str) -> None:
    """Remove what has long expired."""
    db.session.execute(delete(ApiToken).where(ApiToken.organization_id == tenant(), ApiToken.user_id == user_id,
                                              ApiToken.expires_at < now_us() - KEPT_DAYS * DAY_US))


def tokens(user_id: str | None = None, *, after: str | None = None, most: int = MOST) -> list[ApiToken]:
    """Return tokens of the current organization, the newest first.

    Args:
        user_id: Only those of this person.
        after: Only those that come after the token of this id.
        most: So many at most; one more than a page has tells whether there are more.

    Raises:
        NotFound: the organization has no token of the id *after*.
    """
    query = select(ApiToken).where(ApiToken.organization_id == tenant()).order_by(ApiToken.made_at.desc(), ApiToken.id.desc())
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    if after is not None:
        last = _find(after)
        query = query.where(tuple_(ApiToken.made_at, ApiToken.id) < tuple_(last.made_at, last.id))
    return list(db.session.scalars(query.limit(most)))


def belonging(people: Collection[str]) -> set[str]:
    """Return those of the people whose tokens the current organization still takes: members, and admins of its apps."""
    members = select(Membership.user_id).where(Membership.user_id.in_(people))
    managers = select(AppAdmin.user_id).join(App, App.id == AppAdmin.app_id).where(AppAdmin.user_id.in_(people), App.deleted_at.is_(None))
    return {*db.session.scalars(members), *db.session.scalars(managers)}


def count(user_id: str) -> int:
    """Return how many tokens somebody has in the current organization, those that have expired too."""
    return db.session.execute(select(func.count()).select_from(ApiToken).where(
        ApiToken.organization_id == tenant(), ApiToken.user_id == user_id)).scalar_one()


def count_good(user_id: str, organizations: Collection[str]) -> int:
    """Return how many tokens of somebody in these organizations have not expired."""
    return db.session.execute(select(func.count()).select_from(ApiToken).where(
        ApiToken.user_id == user_id, ApiToken.organization_id.in_(organizations), ApiToken.expires_at > now_us())).scalar_one()


def scopes_of(row: ApiToken) -> frozenset[str]:
    """Return what a token is for."""
    return frozenset(row.scopes.split())


def bearer(token: str) -> Bearer | None:
    """Return who comes with a token; None where it is unknown, has expired, or whose it is belongs to the organization no more."""
    found = db.session.execute(select(ApiToken, User).join(User, User.id == ApiToken.user_id).where(
        ApiToken.digest == digest(token))).first()
    if found is None or found[0].expires_at <= now_us():
        return None
    row, user = found
    if service.is_closed(row.organization_id) or not _belongs(row.organization_id, user.id):
        return None
    led = not second_factor.enrolled(user) and second_factor.required_by(user.id)
    come = Bearer(row.id, row.name, Visitor(person=user.id, name=user.name, email=user.email, detour="/account" if led else None),
                  row.organization_id, scopes_of(row), row.expires_at)
    _seen(row)
    return come


def _find(token_id: str) -> ApiToken:
    row = db.session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.organization_id == tenant()))
    if row is None:
        raise NotFound(GONE)
    return row


def _belongs(organization_id: str, user_id: str) -> bool:
    return service.role_of(organization_id, user_id) is not None or bool(service.apps_managed(organization_id, user_id))


def _seen(row: ApiToken) -> None:
    """Note that a token is in use, once a minute at most."""
    if (row.used_at or 0) < now_us() - NOTED_AFTER_US:
        token_id = row.id
        with transaction():
            found = db.session.get(ApiToken, token_id)
            if found is not None:
                found.used_at, found.used_address = now_us(), (request.remote_addr or "")[:60] if has_request_context() else ""
