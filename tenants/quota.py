"""The quota of uploads in a year: what was used, what is set aside, and the ledger of each upload.

Room is set aside before anything is stored and counted when it has become real; both are one statement that the
database refuses when it would overdraw, so that two at once cannot. Deleting gives nothing back: what counts is what
came in. The year is the calendar year in the organization's time zone.

Source: docs/rules.md, “Making a backup” and “Quota”.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from core.api import AppkeepError, Base, Owned, as_server, as_tenant, db, insert_once, new_key, now_us, transaction, zone_named
from tenants.models import Organization
from tenants.plans import plan

KEPT_ASIDE_US = 24 * 3600 * 1_000_000
"""What was set aside for longer than this belongs to a process that died."""


class QuotaExceeded(AppkeepError):
    """The organization's quota of uploads for the year cannot hold so much."""

    code, status, title = "quota_exceeded", 413, "Quota exceeded"


class QuotaYear(Owned, Base):
    """What an organization uploaded in a year, and what is set aside. Sizes in bytes."""

    __tablename__ = "quota_year"

    organization_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)


class QuotaReservation(Owned, Base):
    """Room that is set aside for an upload under way."""

    __tablename__ = "quota_reservation"
    __table_args__ = (Index("ix_quota_reservation_made_at", "made_at"),)

    reference: Mapped[str] = mapped_column(String(16), primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[int] = mapped_column(BigInteger)


class QuotaEntry(Owned, Base):
    """One upload in the ledger, append-only: for which app, as what ("attachment" or "backup"), how many bytes."""

    __tablename__ = "quota_entry"
    __table_args__ = (Index("ix_quota_entry_organization_id_year", "organization_id", "year"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    organization_id: Mapped[str] = mapped_column(String(16))
    app_id: Mapped[str | None] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(20))
    year: Mapped[int] = mapped_column(Integer)
    month: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)


_year = QuotaYear.__table__
_aside = QuotaReservation.__table__


@dataclass(frozen=True, slots=True)
class Usage:
    """An organization's quota in one year, in bytes."""

    year: int
    limit: int
    used: int
    reserved: int

    @property
    def left(self) -> int:
        """What may still be uploaded."""
        return max(self.limit - self.used - self.reserved, 0)

    @property
    def percent(self) -> int:
        """How much of it is used, in whole percent, rounded down."""
        return 100 * self.used // self.limit if self.limit else 100


def reserve(organization_id: str, size: int, reference: str) -> None:
    """Set room aside for *size* new bytes under *reference*, in place of what it had before.

    Raises:
        QuotaExceeded: with how much was needed and how much is left; nothing is set aside.
    """
    with as_tenant(organization_id), transaction():
        _give_back(reference)
        limit, now = _limit(organization_id), _moment(organization_id)
        _ensure_year(organization_id, now.year)
        room = (_year.c.organization_id == organization_id) & (_year.c.year == now.year) & (
            _year.c.used + _year.c.reserved + size <= limit)
        taken = db.session.connection().execute(
            update(_year).where(room).values(reserved=_year.c.reserved + size)).rowcount
        if not taken:
            raise _exceeded(usage(organization_id), size)
        db.session.connection().execute(insert(_aside).values(
            reference=reference, organization_id=organization_id, year=now.year, size=size, made_at=now_us()))


def settle(organization_id: str, size: int, reference: str, purpose: str, app_id: str | None) -> None:
    """Count *size* new bytes, which have become real, in the caller's transaction.

    Raises:
        QuotaExceeded: less room was set aside for them, and there is none left.
    """
    with as_tenant(organization_id):
        _give_back(reference)
        if not size:
            return
        limit, now = _limit(organization_id), _moment(organization_id)
        _ensure_year(organization_id, now.year)
        room = (_year.c.organization_id == organization_id) & (_year.c.year == now.year) & (
            _year.c.used + _year.c.reserved + size <= limit)
        taken = db.session.connection().execute(update(_year).where(room).values(used=_year.c.used + size)).rowcount
        if not taken:
            raise _exceeded(usage(organization_id), size)
        db.session.connection().execute(insert(QuotaEntry.__table__).values(
            id=new_key("l"), organization_id=organization_id, app_id=app_id, purpose=purpose, year=now.year,
            month=now.month, size=size, at=now_us()))


def release(organization_id: str, reference: str) -> None:
    """Give back what is set aside under *reference*; it is no error where nothing is."""
    with as_tenant(organization_id), transaction():
        _give_back(reference)


def release_forgotten() -> int:
    """Give back what dead processes set aside and return how many they were."""
    with as_server(), transaction():
        old = list(db.session.connection().execute(
            select(_aside.c.reference).where(_aside.c.made_at < now_us() - KEPT_ASIDE_US)).scalars())
        for reference in old:
            _give_back(reference)
    return len(old)


def usage(organization_id: str, year: int | None = None) -> Usage:
    """Return an organization's quota in this year, or in another."""
    wanted = year or _moment(organization_id).year
    row = db.session.connection().execute(select(_year.c.used, _year.c.reserved).where(
        _year.c.organization_id == organization_id, _year.c.year == wanted)).first()
    used, reserved = row or (0, 0)
    return Usage(year=wanted, limit=_limit(organization_id), used=used, reserved=reserved)


def by_month(organization_id: str, year: int) -> list[dict[str, Any]]:
    """Return what was uploaded in a year: one row a month, app and purpose, in that order."""
    e = QuotaEntry.__table__.c
    query = (select(e.month, e.app_id, e.purpose, func.sum(e.size)).where(
        e.organization_id == organization_id, e.year == year).group_by(e.month, e.app_id, e.purpose)
        .order_by(e.month, e.app_id, e.purpose))
    rows = db.session.connection().execute(query)
    return [{"month": m, "app": app, "purpose": purpose, "bytes": int(size)} for m, app, purpose, size in rows]


def years(organization_id: str) -> Iterator[int]:
    """Yield the years in which something was uploaded, newest first."""
    query = select(_year.c.year).where(_year.c.organization_id == organization_id).order_by(_year.c.year.desc())
    yield from db.session.connection().execute(query).scalars()


def _give_back(reference: str) -> None:
    row = db.session.connection().execute(delete(_aside).where(_aside.c.reference == reference).returning(
        _aside.c.organization_id, _aside.c.year, _aside.c.size)).first()
    if row is not None:
        mine = (_year.c.organization_id == row.organization_id) & (_year.c.year == row.year)
        db.session.connection().execute(update(_year).where(mine).values(reserved=_year.c.reserved - row.size))


def _ensure_year(organization_id: str, year: int) -> None:
    insert_once(QuotaYear.__table__, organization_id=organization_id, year=year, used=0, reserved=0)


def _limit(organization_id: str) -> int:
    name = db.session.scalar(select(Organization.plan).where(Organization.id == organization_id))
    return plan(name or "").upload_quota_bytes


def _moment(organization_id: str) -> datetime:
    zone = db.session.scalar(select(Organization.time_zone).where(Organization.id == organization_id)) or "UTC"
    return datetime.fromtimestamp(now_us() / 1_000_000, UTC).astimezone(zone_named(zone))


def _exceeded(now: Usage, needed: int) -> QuotaExceeded:
    return QuotaExceeded(
        f"This needs {needed:,} bytes of the upload quota for {now.year}; {now.left:,} of {now.limit:,} are left. "
        "Deleting does not free any quota: it counts uploads per year. Choose a larger plan.",
        needed_bytes=needed, left_bytes=now.left, limit_bytes=now.limit, year=now.year)
