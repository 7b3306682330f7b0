"""The table of requests to the API that were done once and are answered again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import Owned


class AnsweredRequest(Owned, Base):
    """A request with an Idempotency-Key, and how it was answered. `id` is a digest of whose it is and of its key.

    `asked` is a digest of what was asked for; `status` is None only within the transaction that does it.
    """

    __tablename__ = "answered_request"
    __table_args__ = (Index("ix_answered_request_organization_id_made_at", "organization_id", "made_at"),)

    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    asked: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[str] = mapped_column(Text, default="{}")
    answer: Mapped[str] = mapped_column(Text, default="null")
    made_at: Mapped[int] = mapped_column(BigInteger)
