"""The table of comments."""

import sqlalchemy as sa
from alembic import op

from core.api import row_columns

revision = "comments_0001"
down_revision = None
branch_labels = ("comments",)
depends_on = "core_0017"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "comment", *row_columns("comment"),
        sa.Column("worksheet", sa.String(40), nullable=False), sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False), sa.Column("author", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False), sa.Column("files", sa.Text()))
    op.create_index("ix_comment_record", "comment", ["app_id", "worksheet", "record"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("comment")
