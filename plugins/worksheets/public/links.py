"""Verbs on public links, and what whoever opens one may do. The caller owns the transaction.

A link acts as "link/l_…": to its worksheet it is what its view shows, and to everything else of the app nothing. See docs/rules.md.
"""

from __future__ import annotations

import hashlib
import secrets as chance
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update

from core.api import (
    NOTHING,
    App,
    Conflict,
    InvalidInput,
    NotFound,
    Rights,
    SecretLost,
    Standing,
    as_server,
    db,
    documents,
    locks,
    new_key,
    now_us,
    reseal,
    seal,
    unseal,
)
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.models import PublicLink
from tenants import passwords

ENTERED = frozenset({
    "text", "long_text", "email", "phone", "url", "number", "currency", "percent", "rating", "checkbox", "single_select",
    "multiple_select", "date", "datetime", "time", "duration", "region"})
"""Types of fields that strangers fill in; those that would list people, departments or other records are not among them."""
SEEN = ENTERED | {"formula", "count", "rollup", "text_combination", "autonumber", "rich_text", "created_time", "modified_time",
                  "location"}
"""Types that strangers see. Links, lookups, people and files are not: they show what lies elsewhere."""
FULL = "This form takes no more responses."
MOST_LINKS = 50
TOKEN_BYTES = 18
_c = PublicLink.__table__.c
View = Mapping[str, Any]


def listed(app: App, worksheet: str) -> list[PublicLink]:
    """Return the links of a worksheet's views, the oldest first."""
    return list(db.session.scalars(select(PublicLink).where(
        PublicLink.app_id == app.id, PublicLink.worksheet == worksheet).order_by(PublicLink.made_at, PublicLink.key)))


def find(app: App, key: str) -> PublicLink:
    """Return a link.

    Raises:
        NotFound: there is none.
    """
    found = db.session.scalar(select(PublicLink).where(PublicLink.app_id == app.id, PublicLink.key == key)
                              .execution_options(populate_existing=True))
    if found is None:
        raise NotFound("This public link no longer exists.")
    return found


def find_by_token(app: App, token: str) -> PublicLink | None:
    """Return the link of a secret address, None where there is none."""
    return db.session.scalar(select(PublicLink).where(PublicLink.app_id == app.id, PublicLink.digest == digest_of(token)))


def create(app: App, worksheet: str, view: str, person: str) -> PublicLink:
    """Make a link to a view, closed.

    Raises:
        NotFound: there is no such view.
        Conflict: the worksheet has as many links as it may.
    """
    locks.take(app)
    view_of(app, worksheet, view)
    if len(listed(app, worksheet)) >= MOST_LINKS:
        raise Conflict(f"A worksheet can have {MOST_LINKS} public links at most.")
    token, key = chance.token_urlsafe(TOKEN_BYTES), new_key("l")
    made = PublicLink(app_id=app.id, key=key, worksheet=worksheet, view=view, digest=digest_of(token),
                      sealed=seal(token, _purpose(app.id, key)), is_open=False, sent=0, files=False, embedded=False, made_at=now_us(),
                      made_by=person)
    db.session.add(made)
    db.session.flush()
    return made


def change(app: App, key: str, **given: Any) -> None:
    """Give a link other settings; *password* is the new one as it was typed, "" for none.

    Raises:
        InvalidInput: its times or its limit make no sense, or the password is too long.
    """
    locks.take(app)
    found = find(app, key)
    if "password" in given:
        text = given.pop("password")
        if len(text) > 200 or "\0" in text:
            raise InvalidInput("A password can have up to 200 characters.")
        given["password"] = passwords.hashed(text) if text else None
    for name, value in given.items():
        setattr(found, name, value)
    if found.opens_at is not None and found.closes_at is not None and found.closes_at <= found.opens_at:
        raise InvalidInput("The closing time must be later than the opening time.")
    if found.most is not None and found.most < 1:
        raise InvalidInput("The limit is a whole number from 1.")
    db.session.flush()


def renew(app: App, key: str) -> None:
    """Give a link a new address; the one before leads nowhere from now on."""
    locks.take(app)
    found, token = find(app, key), chance.token_urlsafe(TOKEN_BYTES)
    found.digest, found.sealed = digest_of(token), seal(token, _purpose(app.id, key))
    db.session.flush()


def remove(app: App, key: str) -> None:
    """Remove a link."""
    locks.take(app)
    db.session.execute(delete(PublicLink).where(PublicLink.app_id == app.id, PublicLink.key == key)
                       .execution_options(synchronize_session=False))


def token_of(link: PublicLink) -> str:
    """Return the token in a link's address."""
    return unseal(link.sealed, _purpose(link.app_id, link.key))


def take_one(app: App, key: str) -> None:
    """Count a response, in the transaction that saves it.

    Raises:
        Conflict: the link was closed meanwhile, or takes no more.
    """
    now = now_us()
    open_ = (_c.is_open & ((_c.opens_at.is_(None)) | (_c.opens_at <= now)) & ((_c.closes_at.is_(None)) | (_c.closes_at > now))
             & ((_c.most.is_(None)) | (_c.sent < _c.most)))
    taken = db.session.connection().execute(update(PublicLink.__table__).where(_c.app_id == app.id, _c.key == key, open_).values(
        sent=_c.sent + 1)).rowcount
    if not taken:
        raise Conflict("This form is closed. Your response was not saved.")


def why_closed(link: PublicLink, now: int) -> str:
    """Return why a link cannot be used now, as a sentence; "" for one that can."""
    if not link.is_open or (link.closes_at is not None and link.closes_at <= now):
        return "This page is closed."
    if link.opens_at is not None and link.opens_at > now:
        return "This page is not open yet."
    if link.most is not None and link.sent >= link.most:
        return FULL
    return ""


def view_of(app: App, worksheet: str, view: str) -> View:
    """Return a view of a worksheet.

    Raises:
        NotFound: there is none.
    """
    body = documents.get(app, f"worksheet/{worksheet}").body
    found: View | None = next((one for one in body.get("views", ()) if one["key"] == view), None)
    if found is None:
        raise NotFound("This view no longer exists.")
    return found


def shown_fields(fields: Mapping[str, Field], view: View, link: PublicLink) -> list[str]:
    """Return the keys of the fields that a link shows or asks for, in the view's order."""
    if view["type"] == "form":
        asked = [str(one["field"]["ref"]).rpartition("/")[2] for one in view.get("form", {}).get("fields", ())] or list(fields)
        kinds = ENTERED | ({"file"} if link.files else set())
        return [key for key in asked if key in fields and fields[key].type.name in kinds]
    return [key for key in columns_of(fields, view) if fields[key].type.name in SEEN]


def columns_of(fields: Mapping[str, Field], view: View) -> Sequence[str]:
    """Return the keys of the fields that a view shows."""
    listed = view.get("fields", ())
    shown = [str(one["field"]["ref"]).rpartition("/")[2] for one in listed if not one.get("hidden")]
    return [key for key in (shown if listed else fields) if key in fields]


def standing_of(app: App, actor: str) -> Standing | None:
    """Return what "link/l_…" is to an app; None for an actor of another kind. See the hook `actor_standing`."""
    if not actor.startswith("link/"):
        return None
    there = db.session.scalar(select(PublicLink.key).where(PublicLink.app_id == app.id, PublicLink.key == actor.partition("/")[2]))
    return Standing(person=actor, role=None, admin=False, sees=there is not None)


def rights_of(app: App, actor: str, address: str) -> Rights | None:
    """Return what "link/l_…" may do with a document: with its own worksheet what its view shows. See the hook `rights_on`."""
    if not actor.startswith("link/"):
        return None
    link = db.session.scalar(select(PublicLink).where(PublicLink.app_id == app.id, PublicLink.key == actor.partition("/")[2]))
    if link is None or address != f"worksheet/{link.worksheet}" or why_closed(link, now_us()) not in ("", FULL):
        return NOTHING
    try:
        view = view_of(app, link.worksheet, link.view)
    except NotFound:
        return NOTHING
    fields = fields_of(documents.get(app, address).body, stored=False)
    shown = set(shown_fields(fields, view, link))
    shut = frozenset({"read", "create", "update"})
    denied = {f"field/{key}": shut for key in fields if key not in shown}
    return Rights({"see": "all", "create": "all"} if view["type"] == "form" else {"see": "all", "read": "all"}, denied)


def reseal_all() -> tuple[int, int]:
    """Seal the tokens of all links with the newest key; see the hook `secrets_resealed`."""
    done = lost = 0
    for app_id, key, sealed in list(_all()):
        try:
            fresh = reseal(sealed, _purpose(app_id, key))
        except SecretLost:
            lost += 1
            continue
        db.session.execute(update(PublicLink).where(PublicLink.app_id == app_id, PublicLink.key == key, PublicLink.sealed == sealed)
                           .values(sealed=fresh).execution_options(synchronize_session=False))
        done += 1
    return done, lost


def _all() -> Iterator[tuple[str, str, str]]:
    with as_server():
        yield from [(row.app_id, row.key, row.sealed) for row in db.session.execute(select(
            PublicLink.app_id, PublicLink.key, PublicLink.sealed))]


def digest_of(token: str) -> str:
    """Return what a token is found by."""
    return hashlib.sha256(token.encode()).hexdigest()


def _purpose(app_id: str, key: str) -> str:
    return f"public_link/{app_id}/{key}"

