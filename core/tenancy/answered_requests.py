"""The table of requests to the API that were done once and are answered again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base, db, transaction
from core.base.time import now_us
from core.tenancy.owned import Owned
from core.tenancy.wall import as_server

KEPT_US = 24 * 3600 * 1_000_000
"""How long a request is remembered."""


class AnsweredRequest(Owned, Base):
    """A request with an Idempotency-Key, and how it was answered. `id` is a digest of whose it is and of its key.

    `asked` is a digest of what was asked for; `status` is None only within the transaction that does it.
    """

    __tablename__ = "answered_request"
    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[str] = mapped_column(Text, default="{}")
    answer: Mapped[str] = mapped_column(Text, default="null")
    made_at: Mapped[int] = mapped_column(BigInteger, index=True)


def forget_old() -> None:
    """Forget requests of more than a day ago, of all organizations: their answers hold what records held."""
    old = AnsweredRequest.made_at < now_us() - KEPT_US
    with as_server():
        if db.session.scalar(select(AnsweredRequest.id).where(old).limit(1)) is None:
            return
        with transaction():
            db.session.execute(delete(AnsweredRequest).where(old))
