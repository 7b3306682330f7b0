"""When an uploaded backup was made, as its file says.

Revision ID: core_0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was uploaded before does not tell it any more."""
    op.add_column("backup", sa.Column("made_at", sa.BigInteger))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("backup", "made_at")
