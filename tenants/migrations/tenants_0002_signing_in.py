"""Signing in: sessions, second factors, invitations, links in mail; what an organization asks of its members.

Revision ID: tenants_0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0002"
down_revision = "tenants_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    # Not in a batch: SQLite would make the tables anew, and dropping the old ones would cascade.
    op.add_column("user_account", sa.Column("totp_secret", sa.Text))
    op.add_column("user_account", sa.Column("totp_last_step", sa.BigInteger))
    op.add_column("user_account", sa.Column("recovery_codes", sa.Text))
    op.add_column("organization",
                  sa.Column("second_factor_required", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "user_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("second_factor_at", sa.BigInteger),
    )
    op.create_table(
        "mailed_link",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("organization_id", sa.String(16), sa.ForeignKey("organization.id", ondelete="CASCADE"), index=True),
        sa.Column("role", sa.String(10)),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "department_member",
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("department_id", sa.String(16), sa.ForeignKey("department.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_table(
        "org_role_member",
        sa.Column("organization_id", sa.String(16), nullable=False, index=True),
        sa.Column("org_role_id", sa.String(16), sa.ForeignKey("org_role.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("org_role_member", "department_member", "mailed_link", "user_session"):
        op.drop_table(name)
    op.drop_column("organization", "second_factor_required")
    for name in ("recovery_codes", "totp_last_step", "totp_secret"):
        op.drop_column("user_account", name)
