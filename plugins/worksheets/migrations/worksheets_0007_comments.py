"""Comments on records."""

import sqlalchemy as sa
from alembic import op

revision = "worksheets_0007"
down_revision = "worksheets_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "record_comment",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_record_comment_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "worksheet", "seq", "key", name=op.f("pk_record_comment")),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("record_comment")
