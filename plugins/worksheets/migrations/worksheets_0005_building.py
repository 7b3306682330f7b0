"""An index is built by a worker, a stretch of records at a time: its row says how far it is."""

import sqlalchemy as sa
from alembic import op

revision = "worksheets_0005"
down_revision = "worksheets_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every index that is there is complete."""
    op.add_column("record_index", sa.Column("built_to", sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Remove the column."""
    with op.batch_alter_table("record_index") as table:
        table.drop_column("built_to")
