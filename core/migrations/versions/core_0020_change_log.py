"""Which segments of an app's data were touched since its last backup, and the mark up to which that backup saw the log.

Revision ID: core_0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0020"
down_revision = "core_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "change_log",
        sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.BigInteger(), "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("section", sa.String(60), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    with op.batch_alter_table("backup") as backup:
        backup.add_column(sa.Column("mark", sa.Text()))
    there = sa.text("lost_at IS NOT NULL")
    op.create_index("ix_stored_object_lost", "stored_object", ["organization_id"], sqlite_where=there, postgresql_where=there)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE change_log_id_seq OWNED BY change_log.id")
        op.execute("ALTER TABLE change_log ALTER COLUMN id SET DEFAULT nextval('change_log_id_seq')")
        op.execute("ALTER TABLE change_log ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()")


def downgrade() -> None:
    """Drop both."""
    with op.batch_alter_table("backup") as backup:
        backup.drop_column("mark")
    op.drop_index("ix_stored_object_lost", "stored_object")
    op.drop_table("change_log")
