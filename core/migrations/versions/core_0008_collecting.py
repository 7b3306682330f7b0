"""Collecting garbage: since when an object is not needed, and which packs were emptied.

Revision ID: core_0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let objects be condemned, and packs be emptied."""
    op.add_column("stored_object", sa.Column("condemned_at", sa.BigInteger, nullable=True))
    op.create_table(
        "emptied_pack",
        sa.Column("organization_id", sa.String(16), nullable=False),
        sa.Column("pack", sa.String(16), nullable=False),
        sa.Column("emptied_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "pack", name="pk_emptied_pack"))


def downgrade() -> None:
    """Forget both; what was condemned is kept, and emptied packs stay in the store."""
    op.drop_table("emptied_pack")
    op.drop_column("stored_object", "condemned_at")
