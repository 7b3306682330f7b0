"""Runs: who works on them, how they wait out an outage, and indexes of what the clock and the pages look for.

Revision ID: core_0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None

OPEN, UNANNOUNCED, CLOSED = "ended_at IS NULL", "announced_at IS NULL AND ended_at IS NOT NULL", "restoring_run_id IS NOT NULL"


def upgrade() -> None:
    """Add them; of runs of before nobody knows who worked on them."""
    op.add_column("run", sa.Column("not_before", sa.BigInteger, nullable=True))
    op.add_column("run", sa.Column("outages", sa.Integer, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("worker", sa.String(100), nullable=True))
    for name, table, columns, where in (
            ("ix_run_open", "run", ["organization_id", "requested_at"], OPEN),
            ("ix_run_unannounced", "run", ["ended_at"], UNANNOUNCED),
            ("ix_app_closed", "app", ["restoring_run_id"], CLOSED)):
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("ix_run_kind_requested", "run", ["kind", "requested_at"])
    op.create_index("ix_run_ended", "run", ["ended_at"])


def downgrade() -> None:
    """Drop them."""
    for name, table in (("ix_run_ended", "run"), ("ix_run_kind_requested", "run"), ("ix_app_closed", "app"),
                        ("ix_run_unannounced", "run"), ("ix_run_open", "run")):
        op.drop_index(name, table)
    for column in ("worker", "outages", "not_before"):
        op.drop_column("run", column)
