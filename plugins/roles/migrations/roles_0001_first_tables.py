"""First tables of roles."""

import sqlalchemy as sa
from alembic import op

revision = "roles_0001"
down_revision = None
branch_labels = ("roles",)
depends_on = "core_0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "role_member",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("member", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_role_member_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "role", "member", name=op.f("pk_role_member")),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("role_member")
