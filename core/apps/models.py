"""Tables of apps, their documents, and what is in their recycle bins."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.scope import Owned, OwnedByApp


class App(Owned, Base):
    """An app's row in the catalogue. `name` follows the app's own documents; times are microseconds UTC.

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


class DocumentRow(OwnedByApp, Base):
    """A document: `body` is canonical JSON text; hidden ones are in the app's recycle bin."""

    __tablename__ = "document"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, default=0)
    hidden_at: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    updated_by: Mapped[str] = mapped_column(String(16))


class HiddenPart(OwnedByApp, Base):
    """A part of a document (a field, a view) in the recycle bin: what it was and where it stood."""

    __tablename__ = "hidden_part"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    part_key: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    place: Mapped[int] = mapped_column(Integer)
    hidden_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        ForeignKeyConstraint(["app_id", "kind", "key"], ["document.app_id", "document.kind", "document.key"],
                             ondelete="CASCADE"),
        Index("ix_hidden_part_document", "app_id", "kind", "key"),
    )
