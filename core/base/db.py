"""The database: one session per request or run, write transactions, read snapshots, engine differences.

The one danger: on SQLite a transaction that reads first and writes later can be refused although nobody is in its way
for long; whatever writes goes through `transaction()`, which takes the write lock at its start.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, Engine, ExceptionContext, FromClause, MetaData, Table, event, literal, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.functions import FunctionElement

from core.base import budget
from core.base.content import AUTOCOMMIT, ContentSession, elsewhere
from core.base.errors import DatabaseUnavailable
from core.base.time import ahead_us, correct

T = TypeVar("T")
log = logging.getLogger(__name__)
BUSY_TIMEOUT_S = 30
CACHE_KB = 8192
LOG_KEPT_BYTES = 32 * 1024 * 1024
"""SQLite's log shrinks to this size when it begins anew; else one large import would take its room on the disk for ever."""
WALK_CACHE_KB = 2048
KEEPALIVES = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4}
PROGRESS_STEPS = 100_000
"""SQLite looks at the clock after so many of its own steps, a few thousandths of a second."""
PASSING = ("08", "57P", "53300", "40001", "40P01", "55P03")
"""Conditions of PostgreSQL that pass: no connection, shutting down, too many clients, deadlocks and locks waited for in vain."""
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class database_now(FunctionElement[int]):  # a function of SQL, and called like one
    """The moment in microseconds UTC by the database's clock, which all processes share: what leases are measured by."""

    type = BigInteger()
    inherit_cache = True  # how far it is ahead is a parameter, so that a statement is compiled once

    def __init__(self) -> None:
        super().__init__(literal(ahead_us(), BigInteger()))


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **more: Any) -> str:
    ahead = compiler.process(element.clauses, **more)
    return f"(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000 + {ahead})"


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: Any, **more: Any) -> str:
    return f"(CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) + {compiler.process(element.clauses, **more)})"


class Base(DeclarativeBase):
    """Root of all tables, the core's and every plugin's; names constraints so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    if TYPE_CHECKING:
        __table__: ClassVar[Table]  # which it is for every mapped class, and statements want to know


# What was loaded stays readable after a commit; every transaction begins with a rollback, which forgets it.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "class_": ContentSession})
_writing: ContextVar[bool] = ContextVar("appkeep_writing", default=False)
_BOUND = "appkeep_bound"
_OUTBOX = "appkeep_outbox"
_SCRATCH = "appkeep_scratch"
_COMMITS = "appkeep_commits"


@event.listens_for(Engine, "connect")
def _prepare(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        # A machine that lost its power holds its row locks until the server notices: in half a minute, not two hours.
        for setting, value in KEEPALIVES.items():
            connection.execute(f"SET {setting} = {value}")
        _look_at_the_clock(connection)
        connection.commit()
        return
    # pysqlite's own idea of when a transaction starts is switched off: `_begin` says it.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "recursive_triggers=ON", "synchronous=FULL",
                   f"busy_timeout={BUSY_TIMEOUT_S * 1000}", f"cache_size=-{CACHE_KB}", "trusted_schema=OFF",
                   f"journal_size_limit={LOG_KEPT_BYTES}"):
        connection.execute(f"PRAGMA {pragma}")


def _look_at_the_clock(connection: Any) -> None:
    """Compare clocks at each new connection; on SQLite the database's is this machine's own."""
    correct(int(connection.execute("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)").fetchone()[0]))


def is_outage(error: BaseException) -> bool:
    """Say whether an error tells that the database is away, or kept busy by others, so that trying again is of use."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PendingRollbackError)
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        return any(word in str(error.orig) for word in ("locked", "busy"))
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError | InterfaceError) and (state is None or state.startswith(PASSING))


def unavailable(error: DBAPIError) -> DatabaseUnavailable:
    """Return what is said of a database that is away, or cannot write, with its own reason."""
    reason = str(error.orig).partition("\n")[0]
    return DatabaseUnavailable(f"The database cannot do its work: {reason}")


def let_go() -> None:
    """Undo what the session holds, in whatever state its connection is."""
    try:
        db.session.rollback()
    except SQLAlchemyError:
        db.session().invalidate()


def passed_over(error: Exception, message: str, *of: object) -> None:
    """Log what failed for one of many, so that the others have their turn; an outage is everybody's and goes on."""
    if is_outage(error):
        raise error
    let_go()
    log.error(message, *of, exc_info=error)


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and not connection.get_execution_options().get(AUTOCOMMIT):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
    _bound(connection)


def _bound(connection: Connection) -> None:
    """Bound each statement that a request reads with by the time the request has; writes are not cut off."""
    mine = None if _writing.get() else budget.current()
    if connection.dialect.name == "postgresql":
        if mine is not None:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {mine.left_ms}")
    elif mine is not None or connection.info.get(_BOUND):
        connection.info[_BOUND] = mine is not None
        driver(connection).set_progress_handler(None if mine is None else mine.is_over, PROGRESS_STEPS)


@event.listens_for(Engine, "before_cursor_execute")
def _look(*_statement: Any) -> None:
    if not _writing.get() and (mine := budget.current()) is not None:
        mine.look_at_clock()


@event.listens_for(Engine, "handle_error")
def _cut_off(context: ExceptionContext) -> None:
    """Say in words that a statement was ended for its request's budget."""
    was, mine = context.original_exception, budget.current()
    ended = getattr(was, "sqlstate", None) == "57014" or getattr(was, "sqlite_errorname", "") == "SQLITE_INTERRUPT"
    if mine is not None and ended:
        cut = mine.cut()
        if context.connection is not None and context.connection.dialect.name == "postgresql" and not _writing.get():
            _begin_anew(context.connection)
        raise cut from was


def _begin_anew(connection: Connection) -> None:
    """Keep a reading transaction usable after PostgreSQL cut off a statement, so that the page shows what was found."""
    driver(connection).rollback()
    connection.dispatch.begin(connection)


@contextmanager
def transaction() -> Iterator[None]:
    """Run the block as one write transaction: committed at its end, rolled back on any exception.

    Inside another `transaction()` it joins that one. What `after_commit` was given is called once the outermost
    block has committed, and never otherwise.
    """
    if _writing.get():
        yield
        return
    if db.session.new or db.session.dirty or db.session.deleted:
        raise RuntimeError("Something was changed outside of transaction(): those changes would be lost.")
    db.session.rollback()
    token = _writing.set(True)
    try:
        db.session.connection()
        yield
        outbox = db.session.info.pop(_OUTBOX, [])
        db.session.commit()
        db.session.info[_COMMITS] = commits() + 1
    except BaseException:
        db.session.info.pop(_OUTBOX, None)
        # SQLite rolls back by itself on a full disk; the session's rollback copes with both.
        db.session.rollback()
        raise
    finally:
        db.session.info.pop(_SCRATCH, None)
        _writing.reset(token)
    for send in outbox:
        send()


def commits() -> int:
    """Return how many transactions the current session has committed."""
    found: int = db.session.info.get(_COMMITS, 0)
    return found


def insert_once(table: FromClause, **values: Any) -> None:
    """Make a row, unless one that is unique in the same way is there; two that try at once make one."""
    connection = db.session.connection()
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    connection.execute(insert(cast(Table, table)).values(**values).on_conflict_do_nothing())


def after_commit(send: Callable[[], None]) -> None:
    """Call *send* after the current `transaction()` has committed."""
    if not _writing.get():
        raise RuntimeError("after_commit() belongs inside transaction().")
    db.session.info.setdefault(_OUTBOX, []).append(send)


def scratch() -> dict[str, Any]:
    """Return what code keeps until the current `transaction()` ends, however it ends."""
    if not _writing.get():
        raise RuntimeError("scratch() belongs inside transaction().")
    kept: dict[str, Any] = db.session.info.setdefault(_SCRATCH, {})
    return kept


def in_transaction() -> bool:
    """Say whether a `transaction()` is open here."""
    return _writing.get()


@contextmanager
def reading() -> Iterator[Connection]:
    """Give a connection that sees one consistent moment, cannot write, and blocks nobody."""
    engine = db.engine
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with engine.connect().execution_options(**options) as connection, connection.begin():
            connection.execute(text("SELECT 1"))
            yield connection
        return
    token = _writing.set(False)
    try:
        with engine.connect() as connection, _reading_only(connection), connection.begin():
            # A deferred transaction has no moment until it reads: fix it now.
            connection.execute(text("SELECT 1 FROM sqlite_master LIMIT 1")).all()
            yield connection
    finally:
        _writing.reset(token)


@contextmanager
def _reading_only(connection: Connection) -> Iterator[None]:
    """Keep few pages while the block reads, and let nothing be written: what walks through everything once would only fill the memory."""
    lent = driver(connection)  # not through SQLAlchemy, which would begin a transaction
    lent.execute(f"PRAGMA cache_size=-{WALK_CACHE_KB}")
    lent.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        lent.execute("PRAGMA query_only=OFF")
        lent.execute(f"PRAGMA cache_size=-{CACHE_KB}")


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield rows in lists of at most *size*, as one statement takes them."""
    waiting = iter(rows)
    while some := list(islice(waiting, size)):
        yield some


def content_connection() -> Connection:
    """Return the session's connection for statements on an app's content: the database's, or that of a backup that is looked at."""
    place = elsewhere()
    return db.session.connection() if place is None else db.session.connection(bind_arguments={"bind": place.engine})


def driver(connection: Connection) -> Any:
    """Return the driver's own connection: `sqlite3.Connection` or `psycopg.Connection`."""
    return connection.connection.driver_connection
