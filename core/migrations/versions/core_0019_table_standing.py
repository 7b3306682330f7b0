"""What tables of strangers' components look like, so that their rows are backed up while the plugin is not here.

Revision ID: core_0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0019"
down_revision = "core_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "table_standing",
        sa.Column("component", sa.String(40), primary_key=True),
        sa.Column("plugin", sa.String(200), nullable=False),
        sa.Column("described", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("table_standing")
