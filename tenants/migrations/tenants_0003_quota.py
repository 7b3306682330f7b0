"""The ledger of what an organization uploads in a year.

Revision ID: tenants_0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0003"
down_revision = "tenants_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "quota_year",
        sa.Column("organization_id", sa.String(16), primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "quota_reservation",
        sa.Column("reference", sa.String(16), primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_quota_reservation_organization_id", "quota_reservation", ["organization_id"])
    op.create_index("ix_quota_reservation_made_at", "quota_reservation", ["made_at"])
    op.create_table(
        "quota_entry",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False),
        sa.Column("app_id", sa.String(16)),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_quota_entry_organization_id_year", "quota_entry", ["organization_id", "year"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("quota_entry", "quota_reservation", "quota_year"):
        op.drop_table(name)
