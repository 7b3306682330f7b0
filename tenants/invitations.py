"""Invitations: a link by which somebody becomes a member of an organization, or an admin of one of its apps.

A link that was mailed proves that its holder reads the mail of the invited address. Where no mail server is set, the page
shows the link to whoever invites, who passes it on: it proves nothing. An invitation is worth what its inviter may do when
it is accepted. The caller owns the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, delete, select

from core.api import App, Conflict, Forbidden, InvalidInput, NotFound, as_tenant, db, find_app, now_us, tenant
from tenants import accounts, email_tokens, mail, service
from tenants.audit import audit
from tenants.errors import LinkSpent
from tenants.models import ROLES, MailedLink, Membership, Organization, User
from tenants.typed_names import checked_email, checked_name


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an open invitation says to whoever follows its link.

    `account` is "none" where there is nobody of that email yet (or nobody ever used the account), "there" otherwise.
    """

    email: str
    organization_id: str
    organization: str
    role: str | None
    app: str | None
    account: str


def invite(email: str, by: User, by_role: str, role: str) -> str:
    """Invite somebody into the current organization and return the link.

    Raises:
        Forbidden: only owners make owners.
        Conflict: they are a member already.
        InvalidInput: there is no such role, or it is no email address.
    """
    if role not in ROLES:
        raise InvalidInput("Choose a role: owner, admin or member.")
    if role == "owner" and by_role != "owner":
        raise Forbidden("Only owners can make somebody an owner.")
    address = checked_email(email)
    if _is_member(address):
        raise Conflict(f"{address} is already a member.")
    return _send(address, by, role=role)


def invite_app_admin(app: App, email: str, by: User) -> str:
    """Invite somebody to manage an app of the current organization, of which they need not be a member; return the link.

    Raises:
        InvalidInput: it is no email address.
    """
    return _send(checked_email(email), by, app=app)


def open_invitations(app_id: str | None = None) -> list[MailedLink]:
    """Return the current organization's invitations that are still good, to it or to one of its apps, newest first."""
    return list(db.session.scalars(_open().where(
        MailedLink.app_id == app_id if app_id else MailedLink.app_id.is_(None)).order_by(MailedLink.made_at.desc())))


def find(invitation_id: str) -> MailedLink:
    """Return an invitation of the current organization that is still good.

    Raises:
        NotFound: there is none of that id.
    """
    found = db.session.scalar(_open().where(MailedLink.id == invitation_id))
    if found is None:
        raise NotFound("This invitation no longer exists. It may have been accepted or withdrawn.")
    return found


def resend(invitation_id: str, by: User, by_role: str) -> str:
    """Send an invitation again with a new link, which is returned; the old link is no longer good.

    Raises:
        NotFound, Forbidden: see `find` and `invite`.
    """
    old = find(invitation_id)
    if old.role == "owner" and by_role != "owner":
        raise Forbidden("Only owners can make somebody an owner.")
    app = find_app(old.app_id) if old.app_id else None
    return _send(old.email, by, role=old.role, app=app)


def withdraw(invitation_id: str, by_role: str) -> None:
    """Take an invitation back.

    Raises:
        NotFound, Forbidden: see `find` and `invite`.
    """
    link = find(invitation_id)
    if link.role == "owner" and by_role != "owner":
        raise Forbidden("Only owners can make somebody an owner.")
    link.used_at = now_us()
    db.session.flush()
    audit("invitation_withdrawn", f"organization/{tenant()}", email=link.email)


def read(token: str) -> Invitation:
    """Return what an invitation says.

    Raises:
        LinkSpent: it is no longer good.
    """
    link = email_tokens.find("invite", token)
    email, organization_id, role, app_id = link.email, link.organization_id or "", link.role, link.app_id
    inviter = link.made_by
    user = db.session.scalar(select(User).where(User.email == email))
    account = "none" if user is None or accounts.is_blank(user) else "there"
    with as_tenant(organization_id):
        organization = db.session.scalar(select(Organization).where(
            Organization.id == organization_id, Organization.closed_at.is_(None)))
        app = find_app(app_id) if app_id else None
        if organization is None or (app_id and app is None):
            raise LinkSpent(email_tokens.SPENT)
        _check_inviter(organization_id, role, inviter)
        return Invitation(email, organization_id, organization.name, role, app.name if app else None, account)


def accept(token: str, user_id: str) -> str:
    """Make a person who is there already what the invitation says; return the organization's id.

    Raises:
        LinkSpent: it is no longer good, or for somebody else.
    """
    told = read(token)
    link = email_tokens.use("invite", token)
    if accounts.found(user_id).email != link.email:
        raise LinkSpent(email_tokens.SPENT)
    if link.mailed:
        accounts.prove_email(user_id)
    role, app_id = link.role, link.app_id
    with as_tenant(told.organization_id):
        app = find_app(app_id) if app_id else None
        if app is not None:
            service.name_admin(app, user_id)
            audit("app_admin_named", f"app/{app.id}", by=user_id, person=user_id, name=app.name)
        elif role is not None and db.session.get(Membership, (told.organization_id, user_id)) is None:
            # Who is a member by now keeps what they are: no old invitation makes an owner less.
            service.add_member(accounts.found(user_id), role)
            audit("member_joined", f"user/{user_id}", by=user_id, role=role, email=told.email)
    return told.organization_id


def accept_as_new(token: str, name: str, password: str) -> str:
    """Make the account of somebody who has none yet, and what the invitation says; return the person's id.

    Raises:
        LinkSpent: it is no longer good.
        Conflict: there is an account by now.
        InvalidInput: the name or password cannot be taken.
    """
    told = read(token)
    if told.account != "none":
        raise Conflict("This email already has an account. Sign in to accept.")
    user = db.session.scalar(select(User).where(User.email == told.email))
    if user is None:
        user = service.create_user(told.email, checked_name(name, "a person"), password)
    else:
        user.name = checked_name(name, "a person")
        service.set_password(user, password)
    db.session.flush()
    user_id = user.id
    accept(token, user_id)
    return user_id


def _check_inviter(organization_id: str, role: str | None, inviter: str) -> None:
    """Refuse an invitation whose inviter is no longer what it takes to invite somebody to that.

    Raises:
        LinkSpent: so it is.
    """
    if service.role_of(organization_id, inviter) not in (("owner",) if role == "owner" else ("owner", "admin")):
        raise LinkSpent("This invitation is no longer good: whoever sent it may not invite anybody any more. Ask for a new one.")


def _open() -> Select[MailedLink]:
    return select(MailedLink).where(
        MailedLink.kind == "invite", MailedLink.organization_id == tenant(), MailedLink.used_at.is_(None),
        MailedLink.expires_at > now_us())


def _is_member(email: str) -> bool:
    query = select(Membership.user_id).join(User, User.id == Membership.user_id).where(User.email == email)
    return db.session.scalar(query) is not None


def _send(email: str, by: User, *, role: str | None = None, app: App | None = None) -> str:
    same = MailedLink.app_id == app.id if app else MailedLink.app_id.is_(None)
    db.session.execute(delete(MailedLink).where(
        MailedLink.kind == "invite", MailedLink.email == email, MailedLink.organization_id == tenant(), same,
        MailedLink.used_at.is_(None)))
    made = email_tokens.make("invite", email, by.id, organization_id=tenant(), role=role, app_id=app.id if app else None,
                             mailed=mail.has_server())
    organization = service.find_organization(tenant())
    mail.send(email, "invite", inviter=by.name, organization=organization.name, role=role, app=app.name if app else None,
              link=made.url)
    audit("member_invited", f"app/{app.id}" if app else f"organization/{tenant()}", email=email, role=role or "app admin")
    return made.url
