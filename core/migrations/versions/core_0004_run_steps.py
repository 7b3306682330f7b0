"""What the log of backups tells of a run: its steps, each with its time.

Revision ID: core_0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; runs of before have no steps to tell."""
    op.add_column("run", sa.Column("steps", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("run", "steps")
