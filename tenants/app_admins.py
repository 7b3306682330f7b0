"""Who manages which app of the current organization. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from core.api import App, NotFound, db
from tenants import api_tokens, service
from tenants.audit import audit
from tenants.models import AppAdmin, Membership, User


@dataclass(frozen=True, slots=True)
class Admin:
    """An admin of an app; `member` says whether they belong to the organization, without which they may not back up."""

    id: str
    name: str
    email: str
    member: bool


def admins_of(app_id: str) -> list[Admin]:
    """Return the admins of an app, by name."""
    query = select(User.id, User.name, User.email).join(AppAdmin, AppAdmin.user_id == User.id).where(
        AppAdmin.app_id == app_id).order_by(func.lower(User.name), User.id)
    found = db.session.execute(query).all()
    belonging = set(db.session.scalars(select(Membership.user_id).where(Membership.user_id.in_([row.id for row in found]))))
    return [Admin(row.id, row.name, row.email, row.id in belonging) for row in found]


def names_by_app() -> Mapping[str, list[str]]:
    """Return app id -> the names of its admins, for all apps that have any."""
    found: dict[str, list[str]] = {}
    query = select(AppAdmin.app_id, User.name).join(User, User.id == AppAdmin.user_id).order_by(func.lower(User.name))
    for row in db.session.execute(query):
        found.setdefault(row.app_id, []).append(row.name)
    return found


def name(app: App, user_id: str) -> None:
    """Make a person an admin of an app; it is no error if they are one."""
    if not service.is_admin(app, user_id):
        service.name_admin(app, user_id)
        audit("app_admin_named", f"app/{app.id}", person=user_id, name=app.name)


def remove(app: App, user_id: str) -> None:
    """Take an app away from one of its admins. An app may have none: owners and admins name others.

    Raises:
        NotFound: they are no admin of it.
    """
    gone = db.session.execute(delete(AppAdmin).where(
        AppAdmin.app_id == app.id, AppAdmin.user_id == user_id).returning(AppAdmin.user_id)).first()
    if gone is None:
        raise NotFound("This person is not an admin of this app.")
    api_tokens.forget_of(user_id)
    audit("app_admin_removed", f"app/{app.id}", person=user_id, name=app.name)
