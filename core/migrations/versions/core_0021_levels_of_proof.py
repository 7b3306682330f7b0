"""When each level of proof of a backup last went well, what the last that failed found, and when each object was last read.

Revision ID: core_0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0021"
down_revision = "core_0020"
branch_labels = None
depends_on = None

MOMENTS = ("quick_at", "read_at", "deep_at")


def upgrade() -> None:
    """Make the columns; what was checked before was read whole."""
    with op.batch_alter_table("backup") as backup:
        for name in MOMENTS:
            backup.add_column(sa.Column(name, sa.BigInteger()))
        backup.add_column(sa.Column("failed_level", sa.String(10)))
        backup.add_column(sa.Column("check_run_id", sa.String(16)))
        backup.add_column(sa.Column("lost_parts", sa.BigInteger()))
    op.add_column("stored_object", sa.Column("proven_at", sa.BigInteger()))
    op.execute("UPDATE backup SET read_at = checked_at, quick_at = checked_at WHERE check_error IS NULL")
    op.execute("UPDATE backup SET failed_level = 'read' WHERE check_error IS NOT NULL")
    found, mended = sa.text("check_run_id IS NOT NULL"), sa.text("lost_parts = 0")
    op.create_index("ix_backup_check_run_id", "backup", ["check_run_id"], sqlite_where=found, postgresql_where=found)
    op.create_index("ix_backup_mended", "backup", ["organization_id"], sqlite_where=mended, postgresql_where=mended)


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_backup_mended", "backup")
    op.drop_index("ix_backup_check_run_id", "backup")
    with op.batch_alter_table("stored_object") as stored:
        stored.drop_column("proven_at")
    with op.batch_alter_table("backup") as backup:
        for name in (*MOMENTS, "failed_level", "check_run_id", "lost_parts"):
            backup.drop_column(name)
