"""Notifications: inboxes, what people chose, webhooks, and what is on its way out.

Revision ID: tenants_0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0004"
down_revision = "tenants_0003"
branch_labels = None
depends_on = None
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "notification",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("organization_id", sa.String(16), sa.ForeignKey("organization.id", ondelete="CASCADE"), nullable=False),
        sa.Column("app_id", sa.String(16)),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("path", sa.String(300), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.BigInteger),
        sa.UniqueConstraint("user_id", "event", name="uq_notification_user_id_event"),
    )
    op.create_index("ix_notification_user_id_read_at", "notification", ["user_id", "read_at"])
    op.create_index("ix_notification_at", "notification", ["at"])
    op.create_table(
        "notification_choice",
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(30), primary_key=True),
        sa.Column("inbox", sa.Boolean, nullable=False),
        sa.Column("mail", sa.Boolean, nullable=False),
    )
    op.create_table(
        "webhook",
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.String(16), nullable=False),
    )
    _make_deliveries()


def _make_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer", sa.String(300), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.UniqueConstraint("target", "event", name="uq_delivery_target_event"),
    )
    op.create_index("ix_delivery_organization_id_made_at", "delivery", ["organization_id", "made_at"])
    op.create_index("ix_delivery_state_next_at", "delivery", ["state", "next_at"])
    op.create_index("ix_delivery_made_at", "delivery", ["made_at"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("delivery", "webhook", "notification_choice", "notification"):
        op.drop_table(name)
