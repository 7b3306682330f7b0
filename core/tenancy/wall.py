"""The tenants' wall: inside `as_tenant` the session sees one organization's rows; outside, owned tables refuse.

On PostgreSQL the database has a second one behind it; see `core.tenancy.row_security`.

The one danger: `Session.get` answers from the identity map without asking the database, so changing the tenant
empties the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import ClauseElement, Connection, Engine, Executable, event, select
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.util import find_tables

from core.base.db import db
from core.base.errors import NoTenant
from core.tenancy import row_security
from core.tenancy.models import App
from core.tenancy.owned import Owned, OwnedByApp

_tenant: ContextVar[str | None] = ContextVar("appkeep_tenant", default=None)
_unscoped: ContextVar[bool] = ContextVar("appkeep_unscoped", default=False)


def tenant() -> str:
    """Return the id of the organization whose rows are seen.

    Raises:
        NoTenant: no `as_tenant` is open.
    """
    current = _tenant.get()
    if current is None:
        raise NoTenant("This needs an organization: open as_tenant(…) first.")
    return current


def current_scope() -> tuple[str | None, bool]:
    """Return whose rows the session sees now: an organization's, or (where the second is true) all."""
    return _tenant.get(), _unscoped.get()


@contextmanager
def as_tenant(organization_id: str) -> Iterator[None]:
    """See and make rows of one organization only."""
    if _tenant.get() == organization_id and not _unscoped.get():
        yield
        return
    with _switched(organization_id, unscoped=False):
        yield


@contextmanager
def as_server() -> Iterator[None]:
    """See every organization's rows: for the command line's look-ups, the clock and the worker, never for a page."""
    with _switched(None, unscoped=True):
        yield


@contextmanager
def every_organization() -> Iterator[Connection]:
    """Give the session's connection for a statement on tables that looks across organizations; the session keeps what it holds.

    For what is a person's and lies in many organizations: the statement itself says whose. Its rows are read inside the block.
    """
    db.session.flush()
    tokens = _tenant.set(None), _unscoped.set(True)
    try:
        connection = db.session.connection()
        _follow()
        yield connection
    finally:
        _tenant.reset(tokens[0])
        _unscoped.reset(tokens[1])
        _follow()


@contextmanager
def _switched(organization_id: str | None, *, unscoped: bool) -> Iterator[None]:
    db.session.flush()
    db.session.expunge_all()
    tokens = _tenant.set(organization_id), _unscoped.set(unscoped)
    try:
        _follow()
        yield
        if db.session.new or db.session.dirty:
            db.session.flush()
    finally:
        db.session.expunge_all()
        _tenant.reset(tokens[0])
        _unscoped.reset(tokens[1])
        _follow()


def _follow() -> None:
    """Move the database's own wall to where this one stands, in a transaction that is open already."""
    session = db.session()
    if session.in_transaction() and session.is_active:
        _enter(session.connection())


@event.listens_for(Engine, "begin")
def _enter(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        row_security.enter(connection, _tenant.get(), unscoped=_unscoped.get())


@event.listens_for(Engine, "before_execute")
def _refuse_ownerless(_connection: Connection, statement: Executable, *_given: object) -> None:
    """Refuse a statement on owned tables, however it was written, where nobody has said for whom: fail closed and aloud."""
    if _tenant.get() is not None or _unscoped.get() or not isinstance(statement, ClauseElement):
        return
    named = find_tables(statement, include_joins=True, include_aliases=True, include_selects=True, include_crud=True)
    owned = sorted({str(table.description) for table in named} & row_security.owned_tables().keys())
    if owned:
        raise NoTenant(f"A statement on {owned[0]} needs an organization: open as_tenant(…) or as_server() first.")


@event.listens_for(Session, "do_orm_execute")
def _wall(state: ORMExecuteState) -> None:
    if _unscoped.get() or not (state.is_select or state.is_update or state.is_delete):
        return
    owned = [m.class_ for m in state.all_mappers if issubclass(m.class_, Owned | OwnedByApp)]
    if not owned and _tenant.get() is None:
        return
    current = tenant() if owned else _tenant.get()
    apps = select(App.__table__.c.id).where(App.__table__.c.organization_id == current)
    state.statement = state.statement.options(
        with_loader_criteria(Owned, lambda cls: cls.organization_id == current, include_aliases=True),
        with_loader_criteria(OwnedByApp, lambda cls: cls.app_id.in_(apps), include_aliases=True),
    )


@event.listens_for(Session, "before_flush")
def _stamp(session: Session, _context: object, _instances: object) -> None:
    if _unscoped.get():
        return
    for row in session.new:
        if isinstance(row, Owned):
            if row.organization_id is None:
                row.organization_id = tenant()
            elif row.organization_id != tenant():
                raise NoTenant("A row of another organization cannot be made here.")
