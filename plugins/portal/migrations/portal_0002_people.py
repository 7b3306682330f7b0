"""People of portals: what an account holds, their sessions, and the codes that are mailed to them."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "portal_0002"
down_revision = "portal_0001"
branch_labels = None
depends_on = None

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def upgrade() -> None:
    """Give accounts what signing in needs, each a key, and make the tables beside them."""
    with op.batch_alter_table("portal_account") as batch:
        batch.add_column(sa.Column("key", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("name", sa.String(length=100), nullable=False, server_default=""))
        batch.add_column(sa.Column("state", sa.String(length=12), nullable=False, server_default="active"))
        batch.add_column(sa.Column("password", sa.Text(), nullable=True))
        for name in ("proven_at", "agreed_at", "seen_at"):
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
    account = sa.table("portal_account", sa.column("app_id"), sa.column("email"), sa.column("key"))
    connection = op.get_bind()
    for app_id, email in connection.execute(sa.select(account.c.app_id, account.c.email)).all():
        key = "u_" + "".join(secrets.choice(ALPHABET) for _ in range(10))
        connection.execute(account.update().where(account.c.app_id == app_id, account.c.email == email).values(key=key))
    with op.batch_alter_table("portal_account") as batch:
        batch.alter_column("key", existing_type=sa.String(length=16), nullable=False)
        batch.alter_column("name", existing_type=sa.String(length=100), server_default=None)
        batch.alter_column("state", existing_type=sa.String(length=12), server_default=None)
    op.create_index("ix_portal_account_key", "portal_account", ["key"])
    op.create_table(
        "portal_session",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=60), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_portal_session_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_portal_session")),
    )
    op.create_index("ix_portal_session_account", "portal_session", ["app_id", "account"])
    op.create_table(
        "portal_code",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_portal_code_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_portal_code")),
    )
    op.create_index("ix_portal_code_email", "portal_code", ["app_id", "email"])


def downgrade() -> None:
    """Remove all of it; accounts stay with their addresses and roles."""
    op.drop_table("portal_code")
    op.drop_table("portal_session")
    op.drop_index("ix_portal_account_key", "portal_account")
    with op.batch_alter_table("portal_account") as batch:
        for name in ("seen_at", "agreed_at", "proven_at", "password", "state", "name", "key"):
            batch.drop_column(name)
