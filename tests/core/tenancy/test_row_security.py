"""The second wall: what PostgreSQL itself shows, whatever the application asks."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from core.api import apps as apps_service
from core.api import as_server, as_tenant, db, documents, loading, reading, transaction
from core.app import create_app
from core.base.config import read_config
from core.base.errors import NotFound
from core.tenancy import row_security
from core.tenancy.migrate import ensure_schema
from core.testing.postgresql import PostgreSQL
from tests.conftest import fresh_database, made_organization, opened_server


@pytest.fixture
def server(home: Path, request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """A server on PostgreSQL, the only engine that has this wall."""
    yield from opened_server(home, fresh_database("postgresql", home, request))


@pytest.fixture
def two(server: Flask) -> tuple[str, str, str]:
    """Two organizations and an app of the first."""
    with made_organization("First") as first, transaction():
        app = apps_service.create("Theirs", "system").id
    with made_organization("Second") as second:
        pass
    return first, second, app


def _counts(connection: Connection) -> dict[str, int]:
    """Return how many rows of each owned table a connection sees, asked without the application's wall."""
    return {table: connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one()
            for table in row_security.owned_tables()}


def test_every_table_of_tenants_rows_is_guarded(server: Flask) -> None:
    """Also those of plugins; a table that is added and not guarded fails here."""
    with as_server(), db.engine.connect() as connection:
        assert row_security.is_installed(connection)
        guarded = set(connection.execute(row_security._GUARDED, {"policy": row_security.POLICY}).scalars())
    assert set(row_security.owned_tables()) == guarded


def test_a_session_of_no_organization_sees_nothing(two: tuple[str, str, str]) -> None:
    """Raw SQL that no wall of the application reads finds no row in any owned table."""
    with db.engine.connect() as connection:
        assert set(_counts(connection).values()) == {0}
    with as_server(), db.engine.connect() as connection:
        assert _counts(connection)["app"] == 1
        assert _counts(connection)["document"] > 0


def test_a_statement_that_forgot_its_organization_sees_its_own_only(two: tuple[str, str, str]) -> None:
    """Each organization sees what is its own, and nothing of the other."""
    first, second, app = two
    with as_tenant(first), reading() as connection:
        assert _counts(connection)["app"] == 1
        assert _counts(connection)["document"] > 0
    with as_tenant(second), reading() as connection:
        seen = _counts(connection)
        assert seen["app"] == seen["document"] == seen["record"] == seen["backup"] == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM document WHERE app_id = %s", (app,)).scalar_one() == 0


@pytest.mark.parametrize("statement", [
    "UPDATE app SET name = 'Taken'", "DELETE FROM document", "UPDATE document SET position = 7", "DELETE FROM app"])
def test_nothing_of_another_organization_is_changed(two: tuple[str, str, str], statement: str) -> None:
    """Raw statements without a condition change no row of others, for another tenant and for none."""
    first, second, app = two
    with as_tenant(second), transaction():
        assert db.session.connection().execute(text(statement)).rowcount == 0
    with transaction():
        assert db.session.connection().execute(text(statement)).rowcount == 0
    with as_tenant(first):
        assert apps_service.find(app).name == "Theirs"
        assert documents.live(apps_service.find(app))


def test_no_row_is_made_for_another_organization(two: tuple[str, str, str]) -> None:
    """Not in its tables, and not under its apps."""
    first, second, app = two
    for made in (f"INSERT INTO app (id, organization_id, name, created_at, created_by, revision) VALUES ('a_x', '{first}', '', 0, '', 0)",
                 f"INSERT INTO counter (app_id, name, next) VALUES ('{app}', 'w_x', 1)"):
        with as_tenant(second), pytest.raises(ProgrammingError, match="row-level security"), transaction():
            db.session.connection().execute(text(made))


def test_the_wall_follows_the_tenant_inside_a_transaction(two: tuple[str, str, str]) -> None:
    """A transaction that changes its organization sees what the new one sees, and afterwards what the old one saw."""
    first, second, app = two
    count = text("SELECT count(*) FROM app")
    with as_tenant(first), transaction():
        assert db.session.connection().execute(count).scalar_one() == 1
        with as_tenant(second):
            assert db.session.connection().execute(count).scalar_one() == 0
            with as_server():
                assert db.session.connection().execute(count).scalar_one() == 1
            assert db.session.connection().execute(count).scalar_one() == 0
        assert db.session.connection().execute(count).scalar_one() == 1


def test_a_failed_statement_does_not_hide_its_error(two: tuple[str, str, str]) -> None:
    """Leaving a tenant's block after an error asks nothing of the broken transaction, and the next one begins anew."""
    first, second, _ = two
    with as_tenant(first), pytest.raises(ProgrammingError, match="no_such_table"), transaction(), as_tenant(second):
        db.session.connection().execute(text("SELECT * FROM no_such_table"))
    with as_tenant(first):
        assert len(apps_service.all_apps()) == 1


def test_many_records_are_loaded_for_ones_own_app_only(two: tuple[str, str, str]) -> None:
    """A COPY steps out of the wall for an app of the organization, for no other, and comes back behind it."""
    first, second, app = two
    with as_tenant(first), transaction():
        connection = db.session.connection()
        with loading(connection, app):
            assert connection.execute(text("SELECT count(*) FROM organization")).scalar_one() == 2
            assert connection.execute(text("SELECT current_user = session_user")).scalar_one()
        assert not connection.execute(text("SELECT current_user = session_user")).scalar_one()
    with as_tenant(second), transaction(), pytest.raises(NotFound), loading(db.session.connection(), app):
        pass


def test_connections_of_a_pool_carry_nothing_over(two: tuple[str, str, str]) -> None:
    """Role and organization end with the transaction, as poolers in front of the database need it."""
    first, _, _ = two
    with as_tenant(first), db.engine.connect() as connection:
        _counts(connection)
        connection.rollback()
        raw = connection.connection.driver_connection
        assert raw is not None
        assert raw.execute("SELECT current_user = session_user, current_setting('appkeep.tenant', true)").fetchone()[0]
        raw.rollback()


def test_a_database_that_allows_no_role_goes_on_with_the_first_wall(
        postgresql: PostgreSQL, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its user may make no role: the log says so, and everything else works."""
    url = postgresql.create("poor_database")
    with psycopg.connect(postgresql.uri, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
        connection.execute('ALTER DATABASE "poor_database" OWNER TO poor')
    head, _, rest = url.partition("://")
    with create_app(read_config({}, home=str(home), database_url=f"{head}://poor:poor@{rest.rpartition('@')[2]}")).app_context():
        ensure_schema()
        assert "Row-level security is off" in caplog.text
        with made_organization("Poor"), transaction():
            assert apps_service.create("App", "system").name == "App"
        ensure_schema()  # a second start says it again and stops nothing
        db.session.remove()
        db.engine.dispose()


def test_a_database_of_before_gets_the_wall_at_the_next_start(two: tuple[str, str, str]) -> None:
    """A table without its policy is found and guarded, though the schema is the newest."""
    with as_server(), db.engine.begin() as connection:
        connection.exec_driver_sql("DROP POLICY tenant ON app")
        connection.exec_driver_sql("ALTER TABLE app DISABLE ROW LEVEL SECURITY")
    ensure_schema()
    with as_server(), db.engine.connect() as connection:
        assert row_security.is_installed(connection)


@pytest.mark.parametrize("brought", [
    'ALTER POLICY tenant ON "{table}" TO appkeep_elsewhere', 'REVOKE ALL ON "{table}" FROM postgres_tenant',
    'DROP POLICY tenant ON "{table}"', 'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY'])
def test_a_database_that_was_brought_here_from_elsewhere_gets_the_wall(two: tuple[str, str, str], brought: str) -> None:
    """A copy names the role of the user that it was made as, or is without what was granted: everybody would find no app, or errors."""
    first, second, app = two
    with as_server(), db.engine.begin() as connection:
        if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = 'appkeep_elsewhere'")).first() is None:
            connection.execute(text("CREATE ROLE appkeep_elsewhere"))
        for table in row_security.owned_tables():
            connection.execute(text(brought.format(table=table)))
        assert not row_security.is_installed(connection)
    row_security.forget(db.engine)
    ensure_schema()
    with as_server(), db.engine.connect() as connection:
        assert row_security.is_installed(connection) and not row_security.is_due(connection)
        kept = connection.execute(text("SELECT count(*) FROM pg_policies WHERE 'appkeep_elsewhere' = ANY(roles)")).scalar_one()
        assert kept == (len(row_security.owned_tables()) if "ALTER POLICY" in brought else 0)
    with as_tenant(first):
        assert apps_service.find(app).name == "Theirs"
    with as_tenant(second), reading() as connection:
        assert _counts(connection)["app"] == 0
