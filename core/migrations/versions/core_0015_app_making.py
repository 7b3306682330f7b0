"""Apps that are being made in parts.

Revision ID: core_0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0015"
down_revision = "core_0014"
branch_labels = None
depends_on = None

BEING_MADE = sa.text("making_until IS NOT NULL")


def upgrade() -> None:
    """Add the lease of whoever makes an app, and the clock's index of those that have one."""
    op.add_column("app", sa.Column("making_until", sa.BigInteger(), nullable=True))
    op.create_index("ix_app_making", "app", ["making_until"], sqlite_where=BEING_MADE, postgresql_where=BEING_MADE)


def downgrade() -> None:
    """Drop both; what is being made meanwhile counts as deleted."""
    op.drop_index("ix_app_making", "app")
    op.drop_column("app", "making_until")
