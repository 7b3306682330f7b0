"""Table of the people outside who sign in to an app's portal: never part of a backup."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, OwnedByApp


class PortalAccount(OwnedByApp, Base):
    """An external user of one app. `role` is the key of their portal role, None without one; time in microseconds."""

    __tablename__ = "portal_account"

    email: Mapped[str] = mapped_column(String(254), primary_key=True)
    role: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[int] = mapped_column(BigInteger)
