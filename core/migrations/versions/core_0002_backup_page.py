"""What the page Backup & Restore needs: schedules, retention, the log of acts, proofs of identity, uploads in parts.

Revision ID: core_0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def _app() -> sa.Column[str]:
    return sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("run", sa.Column("announced_at", sa.BigInteger))
    op.create_table(
        "backup_schedule", _app(),
        sa.Column("every", sa.String(10), nullable=False),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("data", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(16), nullable=False),
    )
    op.create_index("ix_backup_schedule_next_at", "backup_schedule", ["next_at"])
    op.create_table(
        "backup_retention", _app(),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("daily", sa.Integer, nullable=False),
        sa.Column("weekly", sa.Integer, nullable=False),
        sa.Column("monthly", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.String(16), nullable=False),
    )
    op.create_table(
        "backup_act",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("app_id", sa.String(16), nullable=False),
        sa.Column("backup_id", sa.String(16)),
        sa.Column("run_id", sa.String(16)),
        sa.Column("act", sa.String(30), nullable=False),
        sa.Column("result", sa.String(60), nullable=False),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("ix_backup_act_app_id_id", "backup_act", ["app_id", "id"])
    op.create_table(
        "restore_proof",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("app_id", sa.String(16), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "backup_upload",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("app_id", sa.String(16), nullable=False),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("touched_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("backup_upload", "restore_proof", "backup_act", "backup_retention", "backup_schedule"):
        op.drop_table(name)
    op.drop_column("run", "announced_at")
