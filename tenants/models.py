"""Tables of organizations, the people in them, and what they are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, Owned

ROLES = ("owner", "admin", "member")
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database counts up by itself, on SQLite too."""


class Organization(Base):
    """A tenant. `plan` names one of the plans, `time_zone` an IANA zone; nobody enters one that is closed.

    `health_told` is the month ("2026-11") whose overview of backups was mailed, or need not be.
    """

    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    plan: Mapped[str] = mapped_column(String(20))
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    second_factor_required: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[int | None] = mapped_column(BigInteger)
    health_told: Mapped[str | None] = mapped_column(String(7))


class User(Base):
    """A person who can sign in; belongs to any number of organizations. The email is kept in lower case.

    `totp_secret` is set, sealed, once a second factor is enrolled; `totp_last_step` is the time step of the last code taken, so
    that none is taken twice; `totp_pending` is a secret that is not proven yet to be in somebody's device;
    `recovery_codes` is a JSON list of digests of those that are left. `email_proven_at` is None as long as nobody has
    shown that they read the mail of the address: whoever invited them could have made the account themselves.
    """

    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    totp_pending: Mapped[str | None] = mapped_column(Text)
    recovery_codes: Mapped[str | None] = mapped_column(Text)
    email_proven_at: Mapped[int | None] = mapped_column(BigInteger)


class UserSession(Base):
    """A browser in which somebody has signed in. `id` is the SHA-256 of the token that only the browser has."""

    __tablename__ = "user_session"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(60))
    agent: Mapped[str] = mapped_column(String(200))
    second_factor_at: Mapped[int | None] = mapped_column(BigInteger)


class ApiToken(Base):
    """By what a program comes as a person, in one organization. `digest` is the SHA-256 of the token that only the program has.

    `scopes` are words with spaces between. It is no `Owned` table: which organization a program is in, its token says.
    """

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    used_address: Mapped[str] = mapped_column(String(60))


class MailedLink(Base):
    """A link sent by mail, good once and for a while.

    `kind` is "invite" (into an organization as `role`, or as an admin of its `app_id`), "reset" of a password or
    "email", which proves a new email of whoever made it. `id` is the SHA-256 of the token in the link.
    `mailed` says that only a mail carried it, so that it proves who reads the mail of `email`; where no mail server is set,
    pages show invitations to whoever invites. It is no `Owned` table: whoever follows a link is nobody's member yet.
    """

    __tablename__ = "mailed_link"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(254))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"), index=True)
    role: Mapped[str | None] = mapped_column(String(10))
    app_id: Mapped[str | None] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    made_at: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_at: Mapped[int | None] = mapped_column(BigInteger)
    mailed: Mapped[bool] = mapped_column(Boolean, default=False)


class Attempt(Base):
    """A wrong guess at a password or code, or one that is being looked at. `subject` is a digest of what and whose."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[int] = mapped_column(BigInteger, index=True)


class AuditEntry(Owned, Base):
    """That somebody did something that matters in an organization; the database lets nobody change or remove it."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_organization_id_id", "organization_id", "id"),
                      Index("ix_audit_entry_organization_id_person", "organization_id", "person"),
                      Index("ix_audit_entry_organization_id_subject", "organization_id", "subject"))

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    organization_id: Mapped[str] = mapped_column(String(16))
    at: Mapped[int] = mapped_column(BigInteger)
    person: Mapped[str] = mapped_column(String(16))
    act: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(60))


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


class DepartmentMember(Owned, Base):
    """That a person is in a department."""

    __tablename__ = "department_member"

    department_id: Mapped[str] = mapped_column(ForeignKey("department.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)


class OrgRoleMember(Owned, Base):
    """That a person has an organization-wide role."""

    __tablename__ = "org_role_member"

    org_role_id: Mapped[str] = mapped_column(ForeignKey("org_role.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
