"""Runs: the lane of the queue that each is in.

Revision ID: core_0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0012"
down_revision = "core_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; runs of before stay in the general one."""
    op.add_column("run", sa.Column("lane", sa.String(10), nullable=False, server_default="general"))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("run", "lane")
