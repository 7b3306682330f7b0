"""Tables of notifications: what people are told, what they chose, and what is on its way out. Times in microseconds UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, Owned
from tenants.models import NUMBER

STATES = ("waiting", "delivered", "kept", "undelivered")
"""A delivery is waiting until it is delivered, or given up; a mail is kept where no mail server is set."""


class Notification(Base):
    """Something that one person is told, once an event. `path` leads to the page that shows more.

    It is no `Owned` table: an inbox belongs to a person, who reads there of all their organizations. Whoever asks names the person.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("user_id", "event"),
        Index("ix_notification_user_id_read_at", "user_id", "read_at"),
        Index("ix_notification_at", "at"),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    app_id: Mapped[str | None] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(300))
    at: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[int | None] = mapped_column(BigInteger)


class NotificationChoice(Base):
    """How a person wants to be told of a kind, where they said so."""

    __tablename__ = "notification_choice"

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    inbox: Mapped[bool] = mapped_column(Boolean)
    mail: Mapped[bool] = mapped_column(Boolean)


class ChannelChoice(Base):
    """That a person wants to be told of a kind by a channel that a plugin brings."""

    __tablename__ = "channel_choice"

    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)


class Webhook(Owned, Base):
    """An address of an organization that is told of `kinds` (names, each between commas), signed with `secret`, which is sealed.

    The secret before it, sealed as well, signs too until `previous_until`.
    """

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(Text)
    secret_made_at: Mapped[int] = mapped_column(BigInteger)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_until: Mapped[int | None] = mapped_column(BigInteger)
    kinds: Mapped[str] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String(16))


class Delivery(Owned, Base):
    """A mail, a call of a webhook or a message of a plugin's channel: what is in it, and how far it is. `state` is one of `STATES`.

    `target` is the id of the person or webhook; an event is sent to each target once a channel. `body` is the JSON object that a webhook
    gets, and out of which a mail is written. `answer` is what the last attempt met with.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("target", "event", "channel"),
        Index("ix_delivery_organization_id_made_at", "organization_id", "made_at"),
        Index("ix_delivery_state_next_at", "state", "next_at"),
        Index("ix_delivery_made_at", "made_at"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    organization_id: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[int] = mapped_column(BigInteger)
    next_at: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)


def webhook_purpose(webhook_id: str) -> str:
    """Return what a webhook's secret is sealed for."""
    return f"webhook/{webhook_id}"
