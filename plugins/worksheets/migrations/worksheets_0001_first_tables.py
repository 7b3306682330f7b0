"""First tables of worksheets."""

import sqlalchemy as sa
from alembic import op

revision = "worksheets_0001"
down_revision = None
branch_labels = ("worksheets",)
depends_on = "core_0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attachment",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_attachment_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "worksheet", "seq", "field", "content", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_content", "attachment", ["content"], unique=False)
    op.create_table(
        "counter",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=81), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_counter_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "name", name=op.f("pk_counter")),
    )
    op.create_table(
        "record",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vals", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_record_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "worksheet", "seq", name=op.f("pk_record")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("record")
    op.drop_table("counter")
    op.drop_index("ix_attachment_content", table_name="attachment")
    op.drop_table("attachment")
