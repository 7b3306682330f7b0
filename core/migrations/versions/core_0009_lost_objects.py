"""What a check or a failed read found missing or damaged: it is stored again by whoever stores its content next.

Revision ID: core_0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what lies in the store nothing is known to be lost."""
    op.add_column("stored_object", sa.Column("lost_at", sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Drop the column; what is lost counts as stored again."""
    op.drop_column("stored_object", "lost_at")
