"""The records in the recycle bin are found without looking at all the others."""

import sqlalchemy as sa
from alembic import op

revision = "worksheets_0003"
down_revision = "worksheets_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index, in which only deleted records are."""
    deleted = sa.text("deleted_at IS NOT NULL")
    op.create_index("ix_record_deleted", "record", ["app_id", "worksheet", "seq"], unique=False, sqlite_where=deleted,
                    postgresql_where=deleted)


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("ix_record_deleted", table_name="record")
