"""Ways of telling people that plugins bring: who chose them, and deliveries by them beside mails to the same person.

Revision ID: tenants_0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0007"
down_revision = "tenants_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and count a delivery once a channel."""
    op.create_table(
        "channel_choice",
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(30), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
    )
    with op.batch_alter_table("delivery") as delivery:
        delivery.alter_column("channel", type_=sa.String(40), existing_nullable=False)
        delivery.drop_constraint("uq_delivery_target_event", type_="unique")
        delivery.create_unique_constraint("uq_delivery_target_event_channel", ["target", "event", "channel"])


def downgrade() -> None:
    """Forget them."""
    op.execute("DELETE FROM delivery WHERE channel NOT IN ('mail', 'webhook')")
    with op.batch_alter_table("delivery") as delivery:
        delivery.drop_constraint("uq_delivery_target_event_channel", type_="unique")
        delivery.create_unique_constraint("uq_delivery_target_event", ["target", "event"])
        delivery.alter_column("channel", type_=sa.String(10), existing_nullable=False)
    op.drop_table("channel_choice")
