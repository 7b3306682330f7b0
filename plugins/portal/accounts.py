"""What portal accounts do and what is done with them: registering, signing in, their profile, being invited, approved and suspended.

Who asks learns nothing about whether somebody has an account: what is said is the same, and what is done takes as long. The caller owns
the transaction, but where it says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import url_for
from sqlalchemy import select, update

from core.api import App, Conflict, InvalidInput, NotFound, RecordsAsked, ask_records, db, documents, locks, new_key, now_us, server
from plugins.portal import codes, service, sessions
from plugins.portal.models import ACTIVE, SUSPENDED, WAITING, PortalAccount
from plugins.portal.rights import MINE
from plugins.portal.settings import Settings
from tenants import mail, passwords
from tenants.errors import ProofRefused
from tenants.notifications.notify import Notice, admins_of, path_to, tell
from tenants.throttle import Origin, guess
from tenants.typed_names import checked_email, checked_name, folded

WRONG = "Wrong email or password."
STOPPED = {WAITING: "Your account is waiting for approval. You get an email once it is approved.",
           SUSPENDED: "Your account is suspended. Ask the people who run this portal."}
MOST_RECORDS = 5000
"""How many of somebody's records are in the copy of their data."""


def by_email(app: App, email: str) -> PortalAccount | None:
    """Return the account of an address, None where there is none."""
    return db.session.scalar(select(PortalAccount).where(PortalAccount.app_id == app.id, PortalAccount.email == folded(email)[:254])
                             .execution_options(populate_existing=True))


def by_key(app: App, key: str) -> PortalAccount:
    """Return the account of a key.

    Raises:
        NotFound: there is none.
    """
    found = db.session.scalar(select(PortalAccount).where(PortalAccount.app_id == app.id, PortalAccount.key == key)
                              .execution_options(populate_existing=True))
    if found is None:
        raise NotFound("This account no longer exists.")
    return found


# Coming in.

def with_password(app: App, email: str, password: str, place: str) -> PortalAccount:
    """Return the account whose email and password these are; not inside a transaction.

    Raises:
        ProofRefused: they do not belong together, or the account may not enter.
        Locked: it was tried too often.
    """
    address, found = folded(email)[:254], by_email(app, email)
    known = found is not None and place in sessions.was_at(app, found.key)

    def right() -> bool:
        account = by_email(app, address)
        return passwords.matches(account.password if account is not None else None, password)

    if not guess(f"portal/{app.id}", address, right, Origin(f"address/{place}", known=known)):
        raise ProofRefused(WRONG)
    return entering(by_email(app, address))


def ask_to_sign_in(app: App, settings: Settings, email: str) -> str:
    """Mail a code to sign in with, and return the token for the browser that asked; nothing is mailed where there is no account."""
    return _mailed_to_account(app, settings, codes.SIGN_IN, email, "sign in")


def ask_to_register(app: App, settings: Settings, form: Mapping[str, str]) -> str:
    """Mail a code that makes an account, and return the token for the browser that asked. Whoever has an account is told so by mail only.

    Raises:
        InvalidInput: a name, email, password or the agreement is missing, or nobody of that address can register.
    """
    address = checked_email(form.get("email", ""))
    if not settings.takes(address):
        raise InvalidInput(f"Only people with an address at {' or '.join(settings.domains)} can register here.")
    payload: dict[str, Any] = {"name": checked_name(form.get("name", ""), "a person")}
    if "password" in settings.methods:
        # Also where there is an account: hashing takes long.
        payload["password"] = passwords.hashed(passwords.checked(form.get("password", ""), address))
    if settings.has_terms:
        if "agree" not in form:
            raise InvalidInput("Agree to the terms to register.")
        payload["agreed_at"] = now_us()
    there = by_email(app, address) is not None
    asked = codes.ask(app, codes.REGISTER, address, payload, real=not there)
    if asked.code is not None:
        _mail_code(settings, address, "finish your registration", asked.code)
    elif there:
        told = codes.ask(app, codes.SIGN_IN, address)  # counted as a mail, so that nobody is flooded by registering others
        if told.code is not None:
            mail.send_text(address, f"You already have an account at {settings.title}", (
                f"Somebody, most likely you, tried to register at {settings.title} with this address, which already has an account.\n\n"
                f"Sign in here: {_address('portal_door.sign_in', app)}\n\nIf this was not you, ignore this email."))
    return asked.token


def ask_for_password(app: App, settings: Settings, email: str) -> str:
    """Mail a code to set a password with, and return the token for the browser that asked."""
    return _mailed_to_account(app, settings, codes.RESET, email, "choose a new password")


def _mailed_to_account(app: App, settings: Settings, purpose: str, email: str, what: str) -> str:
    address = checked_email(email)
    asked = codes.ask(app, purpose, address, real=by_email(app, address) is not None)
    if asked.code is not None:
        _mail_code(settings, address, what, asked.code)
    return asked.token


def proved(app: App, settings: Settings, token: str, password: str = "") -> PortalAccount:
    """Do what a code was asked for, which was right, and return whose account it is: make it, set its password, or let it in.

    Raises:
        InvalidInput: the code was used meanwhile, or the password cannot be taken.
        ProofRefused: the account may not enter.
    """
    locks.take(app)
    proven = codes.use(app, token)
    if proven.purpose == codes.REGISTER:
        return _registered(app, settings, proven)
    account = by_email(app, proven.email)
    if account is None or proven.purpose not in (codes.SIGN_IN, codes.RESET):
        raise InvalidInput(codes.WRONG)
    if proven.purpose == codes.RESET:
        account.password = passwords.hashed(passwords.checked(password, account.email))
        sessions.end(app, account.key)
    account.proven_at = now_us()
    db.session.flush()
    return account


def entering(account: PortalAccount | None) -> PortalAccount:
    """Return an account that may enter.

    Raises:
        ProofRefused: there is none any more, it waits for approval, or is suspended.
    """
    if account is None:
        raise ProofRefused(WRONG)
    if account.state in STOPPED:
        raise ProofRefused(STOPPED[account.state])
    return account


def _registered(app: App, settings: Settings, proven: codes.Proven) -> PortalAccount:
    """Make an account; an address that got one meanwhile, from an admin, keeps its role and is let in as the mail proves."""
    account, now, kept = by_email(app, proven.email), now_us(), proven.payload
    if account is None:
        if not settings.takes(proven.email):
            raise InvalidInput("Registration was closed meanwhile.")
        state = WAITING if settings.registration == "approval" else ACTIVE
        account = PortalAccount(app_id=app.id, email=proven.email, role=service.default_role(app), created_at=now, key=new_key("u"),
                                state=state)
        db.session.add(account)
        if state == WAITING:
            _tell_admins(app, settings, proven.email)
    account.name, account.password, account.proven_at = kept.get("name", ""), kept.get("password", account.password), now
    account.agreed_at = kept.get("agreed_at", account.agreed_at)
    db.session.flush()
    return account


# What admins do.

def invite(app: App, settings: Settings | None, email: str, role: str | None, by: str) -> str:
    """Make an account for an address, or take the one it has, mail an invitation and return its link.

    Raises:
        InvalidInput: it is no email address.
        NotFound: the app has no such portal role.
        Conflict: the portal is closed.
    """
    if settings is None:
        raise Conflict("The portal is closed. Open it in its settings before you invite people.")
    if settings.registration == "closed":
        raise Conflict("Nobody can get an account now. Change “Who may register” in the portal’s settings first.")
    address = checked_email(email)
    if role is not None or by_email(app, address) is None:
        service.put_account(app, address, role)
    link = _address("portal_door.invitation", app, token=codes.invite(app, address, by))
    mail.send_text(address, f"You are invited to {settings.title}", (
        f"You are invited to {settings.title}. Open this link within 7 days:\n\n{link}\n\n"
        "The link works once. If you do not know what this is about, ignore this email."))
    return link


def accept(app: App, settings: Settings, token: str, form: Mapping[str, str]) -> PortalAccount:
    """Take an invitation: the account gets a name, a password where there are any, and may enter.

    Raises:
        InvalidInput: the link is no longer good, or something that is asked for is missing.
    """
    locks.take(app)
    proven = codes.use(app, token)
    account = by_email(app, proven.email)
    if proven.purpose != codes.INVITE or account is None or account.state == SUSPENDED:
        raise InvalidInput("This invitation is no longer good. Ask for a new one.")
    account.name = checked_name(form.get("name", ""), "a person")
    if "password" in settings.methods:
        account.password = passwords.hashed(passwords.checked(form.get("password", ""), account.email))
    if settings.has_terms:
        if "agree" not in form:
            raise InvalidInput("Agree to the terms to go on.")
        account.agreed_at = now_us()
    if mail.has_server():  # without one, the link was shown to whoever invites, and proves nothing
        account.proven_at = now_us()
    account.state = ACTIVE
    sessions.end(app, account.key)
    db.session.flush()
    return account


def set_state(app: App, email: str, state: str, settings: Settings | None) -> None:
    """Let an account enter, or no more; one that is suspended is signed out everywhere, one that is approved is told.

    Raises:
        NotFound: there is no such account.
    """
    locks.take(app)
    account = by_email(app, email)
    if account is None:
        raise NotFound("This account no longer exists.")
    before, account.state = account.state, state
    if state != ACTIVE:
        sessions.end(app, account.key)
    elif before == WAITING and settings is not None:
        mail.send_text(account.email, f"Your account at {settings.title} was approved",
                       f"You can sign in now: {_address('portal_door.sign_in', app)}")
    db.session.flush()


# Their profile.

def rename(app: App, key: str, name: str) -> None:
    """Call somebody something else.

    Raises:
        InvalidInput: the name cannot be taken.
    """
    by_key(app, key).name = checked_name(name, "a person")
    db.session.flush()


def change_password(app: App, key: str, password: str, session: str) -> None:
    """Give somebody a new password; their other sessions end.

    Raises:
        InvalidInput: it cannot be taken.
    """
    account = by_key(app, key)
    account.password = passwords.hashed(passwords.checked(password, account.email))
    sessions.end(app, key, but=session)
    db.session.flush()


def prove_password(app: App, key: str, password: str) -> None:
    """See that somebody who is signed in knows their password; not inside a transaction.

    Raises:
        ProofRefused: they do not.
        Locked: it was tried too often.
    """
    def right() -> bool:
        return passwords.matches(by_key(app, key).password, password)

    if not guess(f"portal/{app.id}", key, right, Origin("signed in", known=True)):
        raise ProofRefused("Wrong password.")


def ask_for_email(app: App, settings: Settings, key: str, email: str) -> str:
    """Mail a code to a new address, and return the token for the browser that asked; to one that somebody has, nothing is mailed.

    Raises:
        InvalidInput: it is no email address, the one that they have, or one that nobody can have here.
    """
    address = checked_email(email)
    if address == by_key(app, key).email:
        raise InvalidInput("This is already your email address.")
    if settings.registers and not settings.takes(address):
        raise InvalidInput(f"Only addresses at {' or '.join(settings.domains)} can be used here.")
    asked = codes.ask(app, codes.EMAIL, address, {"account": key}, real=by_email(app, address) is None)
    if asked.code is not None:
        _mail_code(settings, address, "confirm your new address", asked.code)
    return asked.token


def change_email(app: App, settings: Settings, key: str, token: str) -> None:
    """Make a new address, to which a code was mailed that was right, the one of an account; the old one is told.

    Raises:
        InvalidInput: the code was used meanwhile, or is somebody else's.
        Conflict: somebody took the address meanwhile.
    """
    locks.take(app)
    proven, account = codes.use(app, token), by_key(app, key)
    if proven.purpose != codes.EMAIL or proven.payload.get("account") != key:
        raise InvalidInput(codes.WRONG)
    if by_email(app, proven.email) is not None:
        raise Conflict("This address already has an account here.")
    before = account.email
    codes.forget(app, before)
    db.session.execute(update(PortalAccount).where(PortalAccount.app_id == app.id, PortalAccount.key == key).values(
        email=proven.email, proven_at=now_us()).execution_options(synchronize_session=False))
    db.session.expire_all()
    mail.send_text(before, f"Your address at {settings.title} was changed",
                   f"From now on you sign in to {settings.title} with another address, no longer with this one.\n\n"
                   "If this was not you, tell the people who run the portal.")


def leave(app: App, key: str) -> None:
    """Remove somebody's account, as they ask; records that they made stay with the app."""
    service.remove_account(app, by_key(app, key).email)


def data_of(app: App, settings: Settings, key: str, session: str) -> dict[str, Any]:
    """Return a copy of what is known of somebody, as JSON: account, sessions, and their own records as far as they may read them."""
    account = by_key(app, key)
    times = {name: getattr(account, name) for name in ("created_at", "proven_at", "agreed_at", "seen_at")}
    left, sheets = MOST_RECORDS, []
    for sheet in documents.live(app, "worksheet"):
        given = ask_records(app, f"{MINE}{key}", RecordsAsked(worksheet=sheet.address, limit=left)) if left else None
        if given is not None and given.records:
            names = {one.key: one.name for one in given.fields}
            left -= len(given.records)
            records = [{"number": one.seq, "values": {names[key]: text for key, text in one.texts.items() if key in names}}
                       for one in given.records]
            sheets.append({"worksheet": given.name, "more": given.more, "records": records})
    return {"portal": settings.title, "account": {"email": account.email, "name": account.name, "state": account.state,
                                            **{name: _iso(at) for name, at in times.items()}},
            "sessions": [{"address": one.address, "browser": one.agent, "since": _iso(one.made_at), "used": _iso(one.seen_at),
                          "this": one.id == session} for one in sessions.sessions_of(app, key)],
            "records": sheets}


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1_000_000, UTC).isoformat()


def _tell_admins(app: App, settings: Settings, email: str) -> None:
    path = path_to("portal.accounts", organization_id=app.organization_id, app_id=app.id)
    tell(Notice("portal_waiting", f"portal/{app.id}/{new_key('n')}", f"Somebody registered at “{settings.title}”",
                f"{email} waits for your approval.", path, (app.id, app.name)), admins_of(app.id))


def _mail_code(settings: Settings, address: str, what: str, code: str) -> None:
    mail.send_text(address, f"{code} is your code for {settings.title}", (
        f"Enter this code to {what} at {settings.title}:\n\n    {code}\n\n"
        "It is good for 15 minutes, in the browser that asked for it.\n"
        "If you did not ask for it, ignore this email and tell nobody the code."))


def _address(endpoint: str, app: App, **names: Any) -> str:
    return server().config.address + url_for(endpoint, app_id=app.id, **names)
