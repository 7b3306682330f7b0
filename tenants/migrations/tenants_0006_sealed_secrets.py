"""Secrets of second factors and webhooks are sealed with a key of the home folder.

Revision ID: tenants_0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.tenancy.sealing import seal, unseal

revision = "tenants_0006"
down_revision = "tenants_0005"
branch_labels = None
depends_on = None
COLUMNS = (("user_account", "totp_secret", "second_factor"), ("user_account", "totp_pending", "second_factor"),
           ("webhook", "secret", "webhook"))


def upgrade() -> None:
    """Give webhooks' secrets room, and seal what is there."""
    with op.batch_alter_table("webhook") as webhook:
        webhook.alter_column("secret", type_=sa.Text, existing_nullable=False)
    _change(seal)


def downgrade() -> None:
    """Open the secrets again."""
    _change(unseal)
    with op.batch_alter_table("webhook") as webhook:
        webhook.alter_column("secret", type_=sa.String(100), existing_nullable=False)


def _change(change: object) -> None:
    for table_name, column, purpose in COLUMNS:
        table = sa.table(table_name, sa.column("id", sa.String), sa.column(column, sa.Text))
        rows = op.get_bind().execute(sa.select(table.c.id, table.c[column]).where(table.c[column].is_not(None))).all()
        for row_id, text in rows:
            values = {column: change(text, f"{purpose}/{row_id}")}  # type: ignore[operator]
            op.get_bind().execute(sa.update(table).where(table.c.id == row_id).values(values))
