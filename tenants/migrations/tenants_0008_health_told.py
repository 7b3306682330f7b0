"""For which month an organization's owners and admins were told how well its apps are backed up.

Revision ID: tenants_0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0008"
down_revision = "tenants_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("organization", sa.Column("health_told", sa.String(7)))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("organization") as organization:
        organization.drop_column("health_told")
