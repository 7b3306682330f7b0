"""Packs: where in a pack an object's bytes lie.

Revision ID: core_0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let an object lie in a pack; those that are there stand alone."""
    op.add_column("stored_object", sa.Column("pack", sa.String(16), nullable=False, server_default=""))
    op.add_column("stored_object", sa.Column("place", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget packs; only right while nothing has been packed."""
    op.drop_column("stored_object", "place")
    op.drop_column("stored_object", "pack")
