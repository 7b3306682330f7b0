"""The mottos of apps.

Revision ID: every_hook_0001
"""

import sqlalchemy as sa
from alembic import op

revision = "every_hook_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "motto",
        sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
    )
