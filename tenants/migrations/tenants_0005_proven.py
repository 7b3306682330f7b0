"""Whether the address of an account is proven, and whether a link proves one; who is named in a log is found by an index.

Accounts that are there already count as proven, as they did.

Revision ID: tenants_0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0005"
down_revision = "tenants_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the indexes."""
    op.add_column("user_account", sa.Column("email_proven_at", sa.BigInteger, nullable=True))
    op.execute("UPDATE user_account SET email_proven_at = created_at")
    op.add_column("mailed_link", sa.Column("mailed", sa.Boolean, nullable=False, server_default=sa.false()))
    for column in ("person", "subject"):
        op.create_index(f"ix_audit_entry_organization_id_{column}", "audit_entry", ["organization_id", column])


def downgrade() -> None:
    """Remove them."""
    for column in ("person", "subject"):
        op.drop_index(f"ix_audit_entry_organization_id_{column}", "audit_entry")
    op.drop_column("mailed_link", "mailed")
    op.drop_column("user_account", "email_proven_at")
