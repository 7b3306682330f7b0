"""Tables of the people outside who sign in to an app's portal: never part of a backup. All times are microseconds, UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, OwnedByApp

ACTIVE, WAITING, SUSPENDED = "active", "waiting", "suspended"
STATES = (ACTIVE, WAITING, SUSPENDED)


class PortalAccount(OwnedByApp, Base):
    """An external user of one app. `key` is their id wherever records name an author; `role` the key of their portal role, None without.

    `state` is one of `STATES`; `password` a hash. `proven_at` is when they last proved to read the mail of their address, `agreed_at`
    when they agreed to the terms.
    """

    __tablename__ = "portal_account"
    __table_args__ = (Index("ix_portal_account_key", "key"),)

    email: Mapped[str] = mapped_column(String(254), primary_key=True)
    role: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100), default="")
    state: Mapped[str] = mapped_column(String(12), default=ACTIVE)
    password: Mapped[str | None] = mapped_column(Text)
    proven_at: Mapped[int | None] = mapped_column(BigInteger)
    agreed_at: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[int | None] = mapped_column(BigInteger)


class PortalSession(OwnedByApp, Base):
    """A browser in which somebody has signed in to a portal. `id` is the SHA-256 of the token that only the browser has."""

    __tablename__ = "portal_session"
    __table_args__ = (Index("ix_portal_session_account", "app_id", "account"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(60))
    agent: Mapped[str] = mapped_column(String(200))


class PortalCode(OwnedByApp, Base):
    """A code or link that was mailed, good once and for a while. `id` is the SHA-256 of what the browser, or the link, holds.

    `purpose` is what it is good for, "none" where no mail was sent and no code is right. `code` is a keyed digest of the code, None for
    a link; `payload` JSON that is kept until then. `tries` counts wrong codes.
    """

    __tablename__ = "portal_code"
    __table_args__ = (Index("ix_portal_code_email", "app_id", "email"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(12))
    email: Mapped[str] = mapped_column(String(254))
    code: Mapped[str | None] = mapped_column(String(64))
    payload: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    made_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)
