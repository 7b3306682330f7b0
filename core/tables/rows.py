"""What tables of rows are made of: the columns that each has, JSON in a column, the numbers that are given out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, ForeignKeyConstraint, PrimaryKeyConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from core.archive.canonical import canonical, parse
from core.base.db import Base
from core.tenancy.owned import OwnedByApp

MAX_JSON_BYTES = 120_000


class Json(TypeDecorator[Any]):
    """A column that holds a JSON value as canonical text; None is an empty column."""

    impl, cache_ok = Text, True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else parse(value.encode(), max_bytes=MAX_JSON_BYTES)


class Row(OwnedByApp):
    """Mixin of tables whose rows `TableData` keeps: each has a number within its app, and may lie in the recycle bin."""

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


def row_columns(table: str) -> list[Any]:
    """Return what the migration of a table of rows makes beside its own columns: `op.create_table("note", *row_columns("note"), …)`."""
    return [Column("app_id", String(16), nullable=False), Column("number", BigInteger, nullable=False, autoincrement=False),
            Column("deleted_at", BigInteger), PrimaryKeyConstraint("app_id", "number", name=f"pk_{table}"),
            ForeignKeyConstraint(["app_id"], ["app.id"], name=f"fk_{table}_app_id", ondelete="CASCADE")]


class NumberGiven(OwnedByApp, Base):
    """The highest number that a table's rows were given in an app: none comes twice."""

    __tablename__ = "number_given"

    table_name: Mapped[str] = mapped_column(String(63), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
