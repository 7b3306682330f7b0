"""Making an app in parts: an import writes for long, and lets others write in between.

An app that is being made is hidden as one that was deleted is, so that no question finds it. `making_until` is a lease by
the database's clock, which each part renews; the last part takes both away, and the app is there as a whole. One whose lease
has ended was left by its maker: it is given up first, which the maker would notice, and then removed, some rows at a time.

The one danger: what is decided in one part and relied on in the next. Nobody else can reach the app, so that what lies in it
stays as it was written; what lies outside may change between any two parts, as it may after the last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Table, delete, select, tuple_, update

from core.apps import locks
from core.base.db import Base, database_now, db, is_outage, let_go, scratch, transaction
from core.base.errors import AppLeft
from core.base.ids import new_key
from core.base.time import now_us
from core.server import server
from core.tenancy.models import App
from core.tenancy.owned import OwnedByApp
from core.tenancy.wall import as_server, as_tenant, tenant

LEASE_US = 600 * 1_000_000
PART_S = 0.1
"""About so long a part keeps SQLite's one write lock."""
PAUSE = 0.25
"""Of the time that a part took, so much is left to others after it: they look for their turn every few hundredths of a second."""
REMOVED_AT_ONCE = 2000
GIVEN_UP, UNHEARD = 0, 1
WAITING = object()
"""A step that could not be taken yet."""
_table = App.__table__
_c = _table.c
log = logging.getLogger(__name__)


class Making:
    """An app of the current organization that is being made by this process."""

    def __init__(self, name: str, person: str) -> None:
        self.person, self.kept = person, dict[str, Any]()
        self.app_id = new_key("a")
        self.app = App(id=self.app_id, organization_id=tenant(), name=name, created_at=now_us(), created_by=person, revision=0,
                       deleted_at=now_us(), making_until=UNHEARD)
        with transaction():
            db.session.add(self.app)
            db.session.flush()
            self._hold()

    @contextmanager
    def part(self) -> Iterator[App]:
        """Run the block as one write transaction of its own; what `scratch` keeps is kept from one part to the next.

        Raises:
            AppLeft: the app was given up meanwhile.
        """
        with transaction():
            scratch().update(self.kept)
            self._hold()
            yield self.app
            self.kept = {name: kept for name, kept in scratch().items() if name != locks.HELD}

    def do(self, steps: Iterator[object]) -> Iterator[None]:
        """Take steps until there are none left, in as many parts as it takes; yields between two parts.

        One that is `WAITING` ends its part: what the next one needs comes between the two.
        """
        ended = False
        while not ended:
            begun = time.monotonic()
            with self.part():
                ended = _stepped(steps, begun + PART_S)
            if db.engine.dialect.name == "sqlite":
                time.sleep((time.monotonic() - begun) * PAUSE)
            yield

    def keep(self) -> None:
        """Hold on to the app while there is nothing to do; between two parts.

        Raises:
            AppLeft: see `part`.
        """
        if time.monotonic() > self._held_at + LEASE_US / 10**6 / 4:
            with self.part():
                pass

    def finish(self) -> App:
        """Show the app, in the caller's transaction.

        Raises:
            AppLeft: see `part`.
        """
        self._hold()
        self.app.deleted_at, self.app.making_until, self.app.created_at = None, None, now_us()
        server().registry.hook.app_created(app=self.app, person=self.person)
        db.session.flush()
        return self.app

    def _hold(self) -> None:
        held = db.session.connection().execute(update(_table).where(_c.id == self.app_id, _c.making_until > GIVEN_UP).values(
            making_until=database_now() + LEASE_US)).rowcount
        if not held:
            raise AppLeft("The app that was being made has been removed, because nothing was heard of it for too long. Try again.")
        self._held_at = time.monotonic()
        db.session.add(self.app)  # whoever looked at another organization meanwhile has emptied the session
        locks.own(self.app)


def _stepped(steps: Iterator[object], until: float) -> bool:
    """Take steps until a moment, or until one waits; say whether there are none left."""
    return all(step is not WAITING and time.monotonic() < until for step in steps)


@contextmanager
def making(name: str, person: str) -> Iterator[Making]:
    """Give an app to be made in parts; unless it was finished, nothing of it stays.

    Not inside `transaction()`.
    """
    made = Making(name, person)
    try:
        yield made
    except BaseException:
        _removed(made.app_id, left=False)
        raise


def tick() -> None:
    """Remove what was left by those who made it."""
    with as_server():
        left = db.session.execute(select(_c.id, _c.organization_id).where(_c.making_until < database_now())).all()
        db.session.rollback()
    for app_id, organization_id in left:
        with as_tenant(organization_id):
            _removed(app_id, left=True)


def _removed(app_id: str, *, left: bool) -> None:
    """Remove an app that is not made to its end; where that fails now, the clock does it later."""
    try:
        let_go()
        if _given_up(app_id, left=left):
            _remove(app_id)
    except Exception as error:
        # Another error is on its way to whoever asked for the app, or other apps wait for their turn.
        let_go()
        log.log(logging.WARNING if is_outage(error) else logging.ERROR, "The unfinished app %s is removed later: %s", app_id, error)


def _given_up(app_id: str, *, left: bool) -> bool:
    """Give an app up, so that nobody goes on making it; return False where there is nothing to give up."""
    over = _c.making_until < database_now() if left else _c.making_until.is_not(None)
    with transaction():
        return bool(db.session.connection().execute(
            update(_table).where(_c.id == app_id, over).values(making_until=GIVEN_UP)).rowcount)


def _remove(app_id: str) -> None:
    """Remove an app's rows, few in each transaction, and then its own."""
    of_apps = {mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, OwnedByApp)}
    for table in reversed([table for table in Base.metadata.sorted_tables if table in of_apps]):
        while _removed_some(table, app_id) == REMOVED_AT_ONCE:
            time.sleep(PART_S * PAUSE)
    with transaction():
        db.session.connection().execute(delete(_table).where(_c.id == app_id, _c.making_until == GIVEN_UP))


def _removed_some(table: Table, app_id: str) -> int:
    """Remove some rows of an app, and return how many."""
    key = list(table.primary_key.columns)
    some = select(*key).where(table.c.app_id == app_id).limit(REMOVED_AT_ONCE)
    with transaction():
        return db.session.connection().execute(delete(table).where(tuple_(*key).in_(some))).rowcount
