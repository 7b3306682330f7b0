"""Documents know their component and its version, and the server which versions have been at work.

Revision ID: core_0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0016"
down_revision = "core_0015"
branch_labels = None
depends_on = None

OWN = {"app": "settings", "group": "settings", "navigation": "settings", "option_set": "settings", "page": "pages", "portal": "portal",
       "portal_role": "portal", "role": "roles", "workflow": "workflows", "worksheet": "worksheets"}
"""The kinds of Appkeep's own components, all of which are of version 1; those of others are named when they start."""


def upgrade() -> None:
    """Add both columns and the table; documents of strangers stay without a name until their plugin claims them."""
    op.add_column("document", sa.Column("component", sa.String(40), nullable=False, server_default=""))
    op.add_column("document", sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    table = sa.table("document", sa.column("kind"), sa.column("component"), sa.column("version"))
    names = sa.case(*((table.c.kind == kind, name) for kind, name in OWN.items()), else_="")
    op.execute(table.update().where(table.c.kind.in_(list(OWN))).values(component=names, version=1))
    op.create_table(
        "component_standing",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("schemas", sa.String(64), nullable=False),
        sa.Column("plugin", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    """Drop all of it."""
    op.drop_table("component_standing")
    op.drop_column("document", "version")
    op.drop_column("document", "component")
