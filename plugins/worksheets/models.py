"""Tables of records, their attachments and the counters that number them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.api import Base, ManyByApp, OwnedByApp


class Record(ManyByApp, Base):
    """A record. `vals` is one canonical JSON object of the live fields' values; `hidden` that of fields in the bin.

    Times are integer microseconds since 1970, UTC. `deleted_at` is set while the record is in the recycle bin.
    """

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_deleted", "app_id", "worksheet", "seq", sqlite_where=text("deleted_at IS NOT NULL"),
              postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_record_deleted_at", "app_id", "worksheet", "deleted_at", "seq", sqlite_where=text("deleted_at IS NOT NULL"),
              postgresql_where=text("deleted_at IS NOT NULL")),
        {"sqlite_with_rowid": False})

    worksheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    vals: Mapped[str] = mapped_column(Text)
    hidden: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(16))
    updated_at: Mapped[int] = mapped_column(BigInteger)
    updated_by: Mapped[str] = mapped_column(String(16))
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


class Attachment(ManyByApp, Base):
    """A use of a file by a record's field, live or in the bin."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_content", "content"),)

    worksheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    content: Mapped[str] = mapped_column(String(64), primary_key=True)


class Counter(OwnedByApp, Base):
    """The next number of a worksheet's records ("w_…") or of an auto-number field ("w_…/f_…"); outlives both."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(81), primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)


class IndexedField(OwnedByApp, Base):
    """A field whose values are in `RecordKey`, and by what kind of key; see `records.keys`.

    While a worker builds the index, `built_to` is the number of the last record whose keys are in it; None once it is complete.
    """

    __tablename__ = "record_index"

    worksheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    built_to: Mapped[int | None] = mapped_column(BigInteger)


class RecordKey(ManyByApp, Base):
    """The key of a live record's value in an indexed field, empty for no value. Follows from the records; in no backup."""

    __tablename__ = "record_key"
    __table_args__ = {"sqlite_with_rowid": False}

    worksheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    field: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class PublicLink(OwnedByApp, Base):
    """A view of a worksheet that anybody can open who knows its secret address: a form to fill in, or records to see. In no backup.

    The token in the address is sealed, and found by its `digest`. Times are microseconds UTC, None for no bound; `most` is how many
    responses a form takes, `sent` how many came. `password` is a hash. `receipt` is the key of the email field to whose address a receipt
    is sent. Pages of others may show it where `embedded`.
    """

    __tablename__ = "public_link"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    worksheet: Mapped[str] = mapped_column(String(40))
    view: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)
    is_open: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[int | None] = mapped_column(BigInteger)
    closes_at: Mapped[int | None] = mapped_column(BigInteger)
    most: Mapped[int | None] = mapped_column(BigInteger)
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    password: Mapped[str | None] = mapped_column(Text)
    files: Mapped[bool] = mapped_column(default=False)
    embedded: Mapped[bool] = mapped_column(default=False)
    receipt: Mapped[str | None] = mapped_column(String(40))
    made_at: Mapped[int] = mapped_column(BigInteger)
    made_by: Mapped[str] = mapped_column(String(16))


class Comment(OwnedByApp, Base):
    """A comment on a record, by a person or a guest; people outside see it where it is `shared`. In no backup.

    `at` is microseconds UTC.
    """

    __tablename__ = "record_comment"

    worksheet: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    by: Mapped[str] = mapped_column(String(16))
    at: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool] = mapped_column(default=False)


class HistoryEntry(OwnedByApp, Base):
    """What somebody did to a record, or to several at once: those from `first_seq` to `last_seq`, or `seqs` of them. In no backup.

    `id` grows: of two entries of a record the later one has the higher. On PostgreSQL a sequence gives it. `at` is microseconds UTC.
    `act` is what happened to the record, `how` by what means where no person did it by hand, `source` more of that as JSON. `changes` is
    {field: [before, after]} as JSON, of both shown and hidden fields; None where they were not kept.
    """

    __tablename__ = "record_history"
    __table_args__ = (
        Index("ix_record_history_record", "app_id", "worksheet", "first_seq", "id"),
        Index("ix_record_history_bulk", "app_id", "worksheet", "first_seq", "last_seq", sqlite_where=text("last_seq > first_seq"),
              postgresql_where=text("last_seq > first_seq")),
        {"sqlite_with_rowid": False})

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    worksheet: Mapped[str] = mapped_column(String(40))
    first_seq: Mapped[int] = mapped_column(BigInteger)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(16))
    act: Mapped[str] = mapped_column(String(16))
    how: Mapped[str] = mapped_column(String(16))
    source: Mapped[str | None] = mapped_column(Text)
    seqs: Mapped[str | None] = mapped_column(Text)
    changes: Mapped[str | None] = mapped_column(Text)
