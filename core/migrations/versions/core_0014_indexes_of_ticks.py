"""Indexes for what the clock asks: the last pass of an organization, the backup least lately looked at, backups of a run.

Revision ID: core_0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0014"
down_revision = "core_0013"
branch_labels = None
depends_on = None

THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Add them."""
    op.create_index("ix_run_kind_organization", "run", ["kind", "organization_id", "requested_at"])
    op.create_index("ix_backup_run_id", "backup", ["run_id"])
    op.create_index("ix_backup_looked_at", "backup", [sa.text("coalesce(checked_at, created_at)")], sqlite_where=THERE,
                    postgresql_where=THERE)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_backup_looked_at", "backup")
    op.drop_index("ix_backup_run_id", "backup")
    op.drop_index("ix_run_kind_organization", "run")
