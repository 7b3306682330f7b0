"""Which other apps may start a workflow."""

import sqlalchemy as sa
from alembic import op

revision = "workflows_0002"
down_revision = "workflows_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "workflow_caller",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("caller", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_workflow_caller_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "workflow", "caller", name=op.f("pk_workflow_caller")),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("workflow_caller")
