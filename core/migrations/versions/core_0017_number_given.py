"""The numbers that components' tables of rows have given out.

Revision ID: core_0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0017"
down_revision = "core_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "number_given",
        sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("table_name", sa.String(63), primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("number_given")
