"""Signing in: sessions, second factors, invitations, links in mail; what an organization asks of its members; its log.

Revision ID: tenants_0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tenants_0002"
down_revision = "tenants_0001"
branch_labels = None
depends_on = None
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ONLY_ADDED_TO = {
    "sqlite": [
        f"CREATE TRIGGER audit_entry_refuses_{act} BEFORE {act} ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the log is only added to'); END" for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION audit_entry_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log is only added to'; END $$",
        "CREATE TRIGGER audit_entry_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuses()",
    ],
}


def upgrade() -> None:
    """Make the tables."""
    # Not in a batch: SQLite would make the tables anew, and dropping the old ones would cascade.
    op.add_column("user_account", sa.Column("totp_secret", sa.Text))
    op.add_column("user_account", sa.Column("totp_last_step", sa.BigInteger))
    op.add_column("user_account", sa.Column("totp_pending", sa.Text))
    op.add_column("user_account", sa.Column("recovery_codes", sa.Text))
    op.add_column("organization",
                  sa.Column("second_factor_required", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("organization", sa.Column("closed_at", sa.BigInteger))
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
        sa.Column("app_id", sa.String(16), sa.ForeignKey("app.id", ondelete="CASCADE")),
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
    op.create_table(
        "attempt",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("subject", sa.String(64), nullable=False, index=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
    )
    _make_log()


def _make_log() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("organization_id", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("person", sa.String(16), nullable=False),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
    )
    op.create_index("ix_audit_entry_organization_id_id", "audit_entry", ["organization_id", "id"])
    for statement in ONLY_ADDED_TO[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("audit_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entry_refuses()")
    for name in ("attempt", "org_role_member", "department_member", "mailed_link", "user_session"):
        op.drop_table(name)
    op.drop_column("organization", "closed_at")
    op.drop_column("organization", "second_factor_required")
    for name in ("recovery_codes", "totp_pending", "totp_last_step", "totp_secret"):
        op.drop_column("user_account", name)
