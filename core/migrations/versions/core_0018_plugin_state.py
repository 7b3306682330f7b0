"""What is known of strangers' plugins: their tables and versions, how often they failed, which an operator took out.

Revision ID: core_0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0018"
down_revision = "core_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "plugin_state",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("removed_at", sa.BigInteger()),
        sa.Column("tables", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("revisions", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failed_at", sa.BigInteger()),
        sa.Column("switched_off_at", sa.BigInteger()),
        sa.Column("error", sa.String(500), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("plugin_state")
