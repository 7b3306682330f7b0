"""Tables of apps' documents, and of what is in their recycle bins."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import OwnedByApp


class DocumentRow(OwnedByApp, Base):
    """A document: `body` is canonical JSON text; hidden ones are in the app's recycle bin.

    `version` is that of the `component` that wrote it: its plugin may be of another one by now, or not be here any more.
    """

    __tablename__ = "document"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, default=0)
    component: Mapped[str] = mapped_column(String(40), default="", server_default="")
    version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
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


class ComponentStanding(Base):
    """Which version of a component was last at work here, and the digest of its schemas: where they differ, its documents are lifted."""

    __tablename__ = "component_standing"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(Integer)
    schemas: Mapped[str] = mapped_column(String(64))
    plugin: Mapped[str] = mapped_column(String(200))
