"""Backups keep the highest numbers that were given out, so that none comes again where they are restored.

Revision ID: core_0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0013"
down_revision = "core_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; backups of before say nothing of it."""
    op.add_column("backup", sa.Column("counters", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("backup", "counters")
