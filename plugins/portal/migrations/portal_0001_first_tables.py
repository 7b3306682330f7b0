"""First tables of portal."""

import sqlalchemy as sa
from alembic import op

revision = "portal_0001"
down_revision = None
branch_labels = ("portal",)
depends_on = "core_0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "portal_account",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_portal_account_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "email", name=op.f("pk_portal_account")),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("portal_account")
