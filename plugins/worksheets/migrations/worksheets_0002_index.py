"""The index of values, and folding of text on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

from plugins.worksheets.records.keys import folding

revision = "worksheets_0002"
down_revision = "worksheets_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "record_index",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_record_index_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "worksheet", "field", name=op.f("pk_record_index")),
    )
    op.create_table(
        "record_key",
        sa.Column("app_id", sa.String(length=16), nullable=False),
        sa.Column("worksheet", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("key", key, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_record_key_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "worksheet", "field", "key", "seq", name=op.f("pk_record_key")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(_fold()))


def downgrade() -> None:
    """Remove the tables."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION appkeep_fold(text)")
    op.drop_table("record_key")
    op.drop_table("record_index")


def _fold() -> str:
    """Return the function that does what `keys.fold` does; plain letters take the short way."""
    upper, lower = ("".join(map(chr, codes)) for codes in (folding(), folding().values()))
    return (f"CREATE FUNCTION appkeep_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $fold$ "
            f"SELECT CASE WHEN octet_length($1) = char_length($1) THEN lower($1 COLLATE \"C\") "
            f"ELSE translate($1, '{upper}', '{lower}') END $fold$")
