"""Tables with rows by the million have no foreign key to the app: PostgreSQL looked the app up for each row that came in."""

from alembic import op

revision = "worksheets_0004"
down_revision = "worksheets_0003"
branch_labels = None
depends_on = None

TABLES = ("record", "attachment", "record_key")


def upgrade() -> None:
    """Drop the foreign keys; on SQLite, where they cost next to nothing and cannot be dropped, they stay."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.drop_constraint(f"fk_{table}_app_id", table, type_="foreignkey")


def downgrade() -> None:
    """Make them again."""
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.create_foreign_key(f"fk_{table}_app_id", table, "app", ["app_id"], ["id"], ondelete="CASCADE")
