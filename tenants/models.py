"""Tables of organizations, the people in them, and what they are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, Owned

ROLES = ("owner", "admin", "member")


class Organization(Base):
    """A tenant. `plan` names one of the plans, `time_zone` an IANA zone."""

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    plan: Mapped[str] = mapped_column(String(20))
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    created_at: Mapped[int] = mapped_column(BigInteger)


class User(Base):
    """A person who can sign in; belongs to any number of organizations. The e-mail is kept in lower case."""

    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Membership(Owned, Base):
    """That a person is a member of an organization, and as what."""

    __tablename__ = "membership"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))


class AppAdmin(Owned, Base):
    """That a person manages an app; they need not be a member of its organization."""

    __tablename__ = "app_admin"

    app_id: Mapped[str] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)


class Department(Owned, Base):
    """A part of an organization, in a tree."""

    __tablename__ = "department"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("department.id"))


class OrgRole(Owned, Base):
    """A role that people have in the organization as a whole, beside the roles of its apps."""

    __tablename__ = "org_role"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
