"""Tokens by which programs come as people.

Revision ID: tenants_0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0010"
down_revision = "tenants_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("organization_id", sa.String(16), sa.ForeignKey("organization.id", ondelete="CASCADE",
                                                                   name="fk_api_token_organization_id_organization"), nullable=False),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE",
                                                          name="fk_api_token_user_id_user_account"), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.Column("used_address", sa.String(60), nullable=False),
        sa.UniqueConstraint("digest", name="uq_api_token_digest"),
    )
    op.create_index("ix_api_token_organization_id", "api_token", ["organization_id"])
    op.create_index("ix_api_token_user_id", "api_token", ["user_id"])


def downgrade() -> None:
    """Remove it: every token is good no more."""
    op.drop_table("api_token")
