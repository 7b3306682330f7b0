"""The journal of restores: what each changed, so that it can be undone exactly.

Revision ID: core_0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; restores of before have no journal."""
    op.create_table(
        "restore_change",
        sa.Column("app_id", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("section", sa.String(80), nullable=False),
        sa.Column("stage", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_restore_change_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "run_id", "section", "stage", "n", name="pk_restore_change"))


def downgrade() -> None:
    """Forget it: restores are undone by their backups alone."""
    op.drop_table("restore_change")
