"""When retention was applied last, so that any number of clocks apply it once.

Revision ID: core_0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was never applied is due."""
    op.add_column("backup_retention", sa.Column("applied_at", sa.BigInteger))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("backup_retention", "applied_at")
