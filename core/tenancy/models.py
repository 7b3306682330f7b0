"""The table of apps. It stands beside the wall, which guards by it whatever belongs to an app."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import Owned


class App(Owned, Base):
    """An app. `name` follows the app's own documents; times are microseconds UTC.

    `revision` counts the transactions that changed documents; `restoring_run_id` is set while a restore commits;
    `making_until` is set while the app is being made (see `core.apps.making`), and it counts as deleted.
    """

    __tablename__ = "app"
    __table_args__ = (
        Index("ix_app_closed", "restoring_run_id", sqlite_where=text("restoring_run_id IS NOT NULL"),
              postgresql_where=text("restoring_run_id IS NOT NULL")),
        Index("ix_app_making", "making_until", sqlite_where=text("making_until IS NOT NULL"),
              postgresql_where=text("making_until IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    restoring_run_id: Mapped[str | None] = mapped_column(String(16))
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    making_until: Mapped[int | None] = mapped_column(BigInteger)
