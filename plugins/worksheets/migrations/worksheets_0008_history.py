"""The history of records, and the recycle bin by when records were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "worksheets_0008"
down_revision = "worksheets_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its indexes, and that of the recycle bin."""
    op.create_table(
        "record_history",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("seqs", sa.Text(), nullable=True),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_record_history_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_record_history")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_history_record", "record_history", ["app_id", "worksheet", "first_seq", "id"], unique=False)
    several = sa.text("last_seq > first_seq")
    op.create_index("ix_record_history_bulk", "record_history", ["app_id", "worksheet", "first_seq", "last_seq"], unique=False,
                    sqlite_where=several, postgresql_where=several)
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index("ix_record_deleted_at", "record", ["app_id", "worksheet", "deleted_at", "seq"], unique=False, sqlite_where=deleted,
                    postgresql_where=deleted)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE record_history_id_seq OWNED BY record_history.id")
        op.execute("ALTER TABLE record_history ALTER COLUMN id SET DEFAULT nextval('record_history_id_seq')")


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_record_deleted_at", table_name="record")
    op.drop_table("record_history")
