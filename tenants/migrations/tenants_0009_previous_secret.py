"""The secret before a webhook's newest one goes on signing for a while.

Revision ID: tenants_0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0009"
down_revision = "tenants_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; when a secret was last replaced was not kept, so it counts from when the webhook was made."""
    for column in (sa.Column("secret_made_at", sa.BigInteger), sa.Column("previous_secret", sa.Text),
                   sa.Column("previous_until", sa.BigInteger)):
        op.add_column("webhook", column)
    op.execute("UPDATE webhook SET secret_made_at = made_at")
    with op.batch_alter_table("webhook") as webhook:
        webhook.alter_column("secret_made_at", existing_type=sa.BigInteger, nullable=False)


def downgrade() -> None:
    """Forget them: the newest secrets alone sign."""
    with op.batch_alter_table("webhook") as webhook:
        for name in ("previous_until", "previous_secret", "secret_made_at"):
            webhook.drop_column(name)
