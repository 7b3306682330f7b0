"""Table of who has which role of an app: never part of a backup."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, OwnedByApp


class RoleMember(OwnedByApp, Base):
    """That somebody, or everybody of a department or org role, has a role; `member` is an address such as "user/u_…".

    It outlives the hiding of its role, and counts again once the role is back.
    """

    __tablename__ = "role_member"

    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    member: Mapped[str] = mapped_column(String(60), primary_key=True)
