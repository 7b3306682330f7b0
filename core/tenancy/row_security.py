"""The second wall, on PostgreSQL: the database itself shows a transaction one organization's rows, or none.

Every transaction begins as a role that owns nothing and says for which organization it is. Each owned table has a policy
that compares its rows with that. A statement that forgot its organization, or whose session has none, sees and writes
nothing, whatever the application does. `as_server()` is the one way to work as the owner of the tables.

The one danger: PostgreSQL takes no COPY into a guarded table, and asks the policy for each row that is merged, so `loading`
steps out of the role for many rows of one app. Only the record store calls it, and it asks first, behind the wall,
whether the app is the organization's.

See docs/decisions/0016-row-level-security.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.base.db import Base, driver
from core.base.errors import NotFound
from core.tenancy.owned import Owned, OwnedByApp

log = logging.getLogger(__name__)
POLICY = "tenant"
MAX_ROLE_CHARS = 63
_OURS = "current_setting('appkeep.tenant', true)"
_BY_ORGANIZATION = f"organization_id = {_OURS}"
# The planner looks one app up where few rows are met, and hashes the organization's apps where many are.
_BY_APP = f"EXISTS (SELECT 1 FROM app WHERE app.id = app_id AND app.organization_id = {_OURS})"
_ROLE = text("SELECT rolname FROM pg_roles WHERE rolname = left(current_user, 56) || '_tenant' AND pg_has_role(oid, 'MEMBER')")
_GUARDED = text("""
SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = :policy
JOIN pg_roles r ON r.oid = ANY(p.polroles) AND r.rolname = left(current_user, 56) || '_tenant'
WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity
""")
"""A policy for the role of another user guards nothing of this one's: its database was brought here from elsewhere."""
_CLOSED = text("""
SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.rolname = left(current_user, 56) || '_tenant'
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) = current_user
AND NOT (has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AND has_table_privilege(r.oid, c.oid, 'SELECT')
         AND has_table_privilege(r.oid, c.oid, 'INSERT') AND has_table_privilege(r.oid, c.oid, 'UPDATE')
         AND has_table_privilege(r.oid, c.oid, 'DELETE'))
""")
"""How many tables the role may not use: a copy of a database may be without what was granted."""
_FOR_OTHERS = text("""
SELECT c.relname, array_agg(r.rolname::text) FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = :policy
JOIN pg_roles r ON r.oid = ANY(p.polroles) WHERE c.relnamespace = current_schema()::regnamespace GROUP BY c.relname
""")
_ENTER = "SELECT set_config('role', %s, true), set_config('appkeep.tenant', %s, true)"
CANNOT_BE_TOLD = ("INERROR", "UNKNOWN")
"""A transaction that failed, or a connection that is lost: nothing can be read or written there, and the next one is told anew."""
_roles: WeakKeyDictionary[Engine, str | None] = WeakKeyDictionary()


def owned_tables() -> dict[str, str]:
    """Return the condition that guards each table of tenants' rows, by the table's name."""
    conditions = {Owned: _BY_ORGANIZATION, OwnedByApp: _BY_APP}
    return {str(mapper.local_table.description): condition for mapper in Base.registry.mappers
            for owner, condition in conditions.items() if issubclass(mapper.class_, owner)}


def enter(connection: Connection, organization_id: str | None, *, unscoped: bool) -> None:
    """Limit the rest of a connection's transaction to one organization's rows: to none without one, to all if *unscoped*."""
    role = None if connection.invalidated else _role(connection)
    if role is None or driver(connection).info.transaction_status.name in CANNOT_BE_TOLD:
        return
    try:
        # Past SQLAlchemy: it is said once for every transaction.
        driver(connection).execute(_ENTER, ("none" if unscoped else role, organization_id or ""))
    except Exception as error:
        if not isinstance(error, connection.dialect.loaded_dbapi.OperationalError):
            raise
        connection.invalidate(error)
        raise OperationalError(_ENTER, None, error, connection_invalidated=True) from error


@contextmanager
def loading(connection: Connection, app_id: str) -> Iterator[None]:
    """Step out of the tables' guard while the block writes many rows of one app, which must be the organization's.

    Raises:
        NotFound: the app is not one of the organization that the transaction is for.
    """
    role = _role(connection) if connection.dialect.name == "postgresql" else None
    if role is None:
        yield
        return
    acting, tenant = connection.execute(text(f"SELECT current_user, {_OURS}")).one()
    if connection.execute(text("SELECT 1 FROM app WHERE id = :app"), {"app": app_id}).first() is None:
        raise NotFound(f"There is no app “{app_id}”.")
    enter(connection, tenant, unscoped=True)
    try:
        yield
    finally:
        enter(connection, tenant, unscoped=acting != role)


def is_installed(connection: Connection) -> bool:
    """Say whether the role is there and may use the tables, and every table of tenants' rows is guarded."""
    return connection.execute(_ROLE).scalar() is not None and not _unguarded(connection) and not connection.execute(_CLOSED).scalar()


def is_due(connection: Connection) -> bool:
    """Say whether something is left to install, and this database's user may do it."""
    if is_installed(connection):
        return False
    may = text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    return connection.execute(_ROLE).scalar() is not None or bool(connection.execute(may).scalar())


def install(connection: Connection) -> None:
    """Guard every table of tenants' rows; the caller owns the transaction, and the tables.

    A database whose user may make no role goes on without the second wall, and the log says so.
    """
    role = _made_role(connection)
    if role is None:
        log.warning("Row-level security is off: this database's user may create no role. See docs/operations.md.")
        return
    from psycopg.sql import SQL, Identifier  # loaded where the database is PostgreSQL

    raw, own = driver(connection), Identifier(role)
    schema = Identifier(connection.execute(text("SELECT current_schema()")).scalar_one())
    for statement in (
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}"):
        raw.execute(SQL(statement).format(schema=schema, role=own))
    others = {str(table): list(roles) for table, roles in connection.execute(_FOR_OTHERS, {"policy": POLICY})}
    for table, condition in _unguarded(connection).items():
        raw.execute(SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(Identifier(table)))
        raw.execute(SQL("DROP POLICY IF EXISTS {} ON {}").format(Identifier(POLICY), Identifier(table)))
        roles = SQL(", ").join([Identifier(one) for one in dict.fromkeys([role, *others.get(table, ())])])
        raw.execute(SQL("CREATE POLICY {} ON {} TO {} USING (" + condition + ")").format(  # one of our two, never a person's text
            Identifier(POLICY), Identifier(table), roles))
    forget(connection.engine)


def forget(engine: Engine) -> None:
    """Ask again, at the next transaction, whether the second wall is there."""
    _roles.pop(engine, None)


def _unguarded(connection: Connection) -> dict[str, str]:
    guarded = set(connection.execute(_GUARDED, {"policy": POLICY}).scalars())
    there = set(connection.execute(text(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')")).scalars())
    return {table: condition for table, condition in sorted(owned_tables().items()) if table in there - guarded}


def _role(connection: Connection) -> str | None:
    """Return the role of tenants' transactions, None where the wall is not there; asked once an engine."""
    engine = connection.engine
    if engine not in _roles:
        _roles[engine] = connection.execute(_ROLE).scalar() if _is_guarded(connection) else None
    return _roles[engine]


def _is_guarded(connection: Connection) -> bool:
    return "app" in set(connection.execute(_GUARDED, {"policy": POLICY}).scalars())


def _made_role(connection: Connection) -> str | None:
    """Return the role of tenants' transactions, made where it is missing; None where that is not allowed."""
    if (found := connection.execute(_ROLE).scalar()) is not None:
        return str(found)
    from psycopg.sql import SQL, Identifier

    user = connection.execute(text("SELECT left(current_user, 56)")).scalar_one()
    role = f"{user}_tenant"[:MAX_ROLE_CHARS]
    raw, own = driver(connection), Identifier(role)
    try:
        with connection.begin_nested():
            if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first() is None:
                connection.exec_driver_sql(SQL("CREATE ROLE {} NOLOGIN").format(own).as_string(raw))
            connection.exec_driver_sql(SQL("GRANT {} TO CURRENT_USER").format(own).as_string(raw))
    except ProgrammingError as error:
        log.warning("The role %s cannot be made: %s", role, error.orig)
        return None
    return role
