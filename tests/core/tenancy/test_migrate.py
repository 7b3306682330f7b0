"""Schema changes: what is newest, and that an older database keeps all it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text

from core.app import create_app
from core.base.config import read_config
from core.base.db import db
from core.tenancy import migrate
from core.tenancy.wall import as_server
from core.testing.postgresql import PostgreSQL
from tests.conftest import ENGINES

FIRST = ("core_0001", "tenants_0001", "worksheets_0001", "roles_0001", "portal_0001")


def test_the_newest_revisions_are_read_from_the_files(sqlite_server: Flask) -> None:
    """As Alembic, which is slow to load, would say."""
    assert set(ScriptDirectory.from_config(migrate.alembic_config()).get_heads()) == migrate.newest()


@pytest.mark.parametrize("kind", ENGINES)
def test_a_database_of_the_first_version_keeps_what_it_has(kind: str, home: Path, request: pytest.FixtureRequest) -> None:
    """Organizations, members and apps are there after the upgrade; nothing cascades away."""
    url = ""
    if kind == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.create("first_version")
    app = create_app(read_config({}, home=str(home), database_url=url))
    with app.app_context():
        with db.engine.connect() as connection:
            for revision in FIRST:
                command.upgrade(migrate.alembic_config(connection), revision)
            connection.commit()
        with db.engine.begin() as connection:
            for statement in (
                "INSERT INTO organization (id, name, plan, time_zone, created_at) VALUES ('o_1', 'Old', 'free', 'UTC', 1)",
                "INSERT INTO user_account (id, email, name, created_at) VALUES ('u_1', 'a@example.org', 'A', 1)",
                "INSERT INTO membership (organization_id, user_id, role) VALUES ('o_1', 'u_1', 'owner')",
                "INSERT INTO app (id, organization_id, name, created_at, created_by, revision) VALUES ('a_1', 'o_1', 'App', 1, 'u_1', 0)",
            ):
                connection.execute(text(statement))
        migrate.ensure_schema()
        with as_server(), db.engine.connect() as connection:
            counts = [connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                      for table in ("organization", "user_account", "membership", "app")]
            assert [1, 1, 1, 1] == counts
            assert migrate.newest() == set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
        db.session.remove()
        db.engine.dispose()
