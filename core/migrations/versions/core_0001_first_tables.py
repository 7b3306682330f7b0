"""First tables of core."""

import sqlalchemy as sa
from alembic import op

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "app",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("restoring_run_id", sa.String(length=16), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app")),
    )
    op.create_index(op.f("ix_app_organization_id"), "app", ["organization_id"], unique=False)
    op.create_table(
        "backup",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_id", sa.String(length=64), nullable=False),
        sa.Column("plugins", sa.Text(), nullable=False),
        sa.Column("app_name", sa.String(length=200), nullable=False),
        sa.Column("raw_bytes", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("added_bytes", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column("segments_added", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("signer", sa.String(length=64), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("check_error", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
    )
    op.create_index("ix_backup_app_created", "backup", ["app_id", "created_at"], unique=False)
    op.create_index(op.f("ix_backup_organization_id"), "backup", ["organization_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("app_id", sa.String(length=16), nullable=True),
        sa.Column("exclusive_app_id", sa.String(length=16), nullable=True),
        sa.Column("person", sa.String(length=16), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=60), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("organization_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_app_requested", "run", ["app_id", "requested_at"], unique=False)
    op.create_index(op.f("ix_run_organization_id"), "run", ["organization_id"], unique=False)
    op.create_index("ix_run_state_lease", "run", ["state", "lease_until"], unique=False)
    op.create_index("uq_run_exclusive_app_id", "run", ["exclusive_app_id"], unique=True)
    op.create_table(
        "stored_object",
        sa.Column("organization_id", sa.String(length=16), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "content", name=op.f("pk_stored_object")),
    )
    op.create_table(
        "document",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hidden_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_document_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "kind", "key", name=op.f("pk_document")),
    )
    op.create_table(
        "hidden_part",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("part", sa.String(length=40), nullable=False),
        sa.Column("part_key", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("hidden_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id", "kind", "key"],
            ["document.app_id", "document.kind", "document.key"],
            name=op.f("fk_hidden_part_app_id_kind_key"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_hidden_part_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "kind", "key", "part", "part_key", name=op.f("pk_hidden_part")),
    )
    op.create_index("ix_hidden_part_document", "hidden_part", ["app_id", "kind", "key"], unique=False)


def downgrade() -> None:
    """Remove the tables."""
    op.drop_index("ix_hidden_part_document", table_name="hidden_part")
    op.drop_table("hidden_part")
    op.drop_table("document")
    op.drop_table("stored_object")
    op.drop_index("uq_run_exclusive_app_id", table_name="run")
    op.drop_index("ix_run_state_lease", table_name="run")
    op.drop_index(op.f("ix_run_organization_id"), table_name="run")
    op.drop_index("ix_run_app_requested", table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_backup_organization_id"), table_name="backup")
    op.drop_index("ix_backup_app_created", table_name="backup")
    op.drop_table("backup")
    op.drop_index(op.f("ix_app_organization_id"), table_name="app")
    op.drop_table("app")
