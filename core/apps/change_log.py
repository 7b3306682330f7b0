"""The log of touched segments: what of an app's data was written since its last backup, so that the next one reads only that.

Whoever writes rows of data tells which, in the same transaction (`touch`). A backup keeps, as its *mark*, how far it saw the log: on
SQLite, which has one writer, the last entry; on PostgreSQL its snapshot, because a transaction that was open then may commit later
with entries that look older. A mark of another database cluster says nothing here, as transactions are numbered by the cluster.

The log is an accelerator: the rows themselves are the truth. Whoever rewrites them past it (a migration) clears all marks.

Source: docs/decisions/0030.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import BigInteger, Connection, String, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from core.base.db import Base
from core.tenancy.owned import OwnedByApp

SEGMENT_ROWS = 256
"""How many numbers a segment of a section spans; a constant of the format."""
EVERYTHING = 2**54
"""The last segment that there can be."""
CUT = ""
"""The section of an entry that says: what was here before is gone, so that a mark from before it says nothing."""
_MAY_ASK = "appkeep_may_ask_cluster"
"""Noted of a connection: only the first question needs a savepoint. The name is asked for each time, as a pooler may lead elsewhere."""
MOST_ENTRIES = 200_000
"""A log of more entries is cut; to read everything is quicker then."""
Runs = list[tuple[int, int]]
"""(first, last) segment, both included, in order, apart from one another."""


class Touched(OwnedByApp, Base):
    """Segments *first* to *last* of a section ("records/w_…") were written. PostgreSQL has the transaction's number too, as `xid`."""

    __tablename__ = "change_log"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    section: Mapped[str] = mapped_column(String(60))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)


_ADD = {
    "postgresql": text("INSERT INTO change_log (app_id, section, first, last) VALUES (:app, :section, :first, :last)"),
    "sqlite": text("INSERT INTO change_log (app_id, id, section, first, last) "
                   "SELECT :app, coalesce(max(id), 0) + 1, :section, :first, :last FROM change_log WHERE app_id = :app"),
}
_MARK = text("SELECT 'p' || system_identifier || '/' || pg_current_snapshot() FROM pg_control_system()")
_CLUSTER = text("SELECT 'p' || system_identifier FROM pg_control_system()")
_LAST = text("SELECT 's' || coalesce(max(id), 0) FROM change_log WHERE app_id = :app")
_SINCE = {
    "postgresql": text("SELECT section, first, last FROM change_log WHERE app_id = :app "
                       "AND NOT pg_visible_in_snapshot(xid, CAST(:mark AS pg_snapshot))"),
    "sqlite": text("SELECT section, first, last FROM change_log WHERE app_id = :app AND id > CAST(:mark AS INTEGER)"),
}
# SQLite keeps the entry of the mark itself, or numbers would begin anew below it.
_FORGET = {
    "postgresql": text("DELETE FROM change_log WHERE app_id = :app AND pg_visible_in_snapshot(xid, CAST(:mark AS pg_snapshot)) "
                       "AND :cluster = (SELECT 'p' || system_identifier FROM pg_control_system())"),
    "sqlite": text("DELETE FROM change_log WHERE app_id = :app AND id < CAST(:mark AS INTEGER)"),
}


def touch(connection: Connection, app_id: str, section: str, numbers: Iterable[int] | None) -> None:
    """Note that rows of these numbers are written, in the writing transaction; None is all rows of the section."""
    runs = [(0, EVERYTHING)] if numbers is None else _runs_with(list(numbers))
    if runs:
        connection.execute(_ADD[connection.dialect.name],
                           [{"app": app_id, "section": section, "first": first, "last": last} for first, last in runs])


def _runs_with(numbers: list[int]) -> Runs:
    """Return the runs of segments in which these rows lie."""
    if not numbers:
        return []
    first, last = min(numbers), max(numbers)
    if last - first < len(numbers):  # all from one to the other, as a bulk write has them
        return [(first // SEGMENT_ROWS, last // SEGMENT_ROWS)]
    return runs_of({number // SEGMENT_ROWS for number in numbers})


def runs_of(segments: Iterable[int]) -> Runs:
    """Return numbers as runs of neighbours."""
    runs: Runs = []
    for n in sorted(segments):
        if runs and n == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], n)
        else:
            runs.append((n, n))
    return runs


def joined(runs: Iterable[tuple[int, int]]) -> Runs:
    """Return runs that may overlap as runs that are apart."""
    found: Runs = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def mark(connection: Connection, app_id: str) -> str | None:
    """Return how far this connection's transaction sees the log; None where the database does not say."""
    if connection.dialect.name == "sqlite":
        return str(connection.execute(_LAST, {"app": app_id}).scalar_one())
    return _said_of_cluster(connection, _MARK)


def _said_of_cluster(connection: Connection, question: TextClause) -> str | None:
    """Return what the cluster says of itself, which not every user may ask; None where this one may not."""
    if connection.info.get(_MAY_ASK):
        return str(connection.execute(question).scalar_one())
    try:
        with connection.begin_nested():
            said = str(connection.execute(question).scalar_one())
    except DBAPIError:
        return None
    connection.info[_MAY_ASK] = True
    return said


def since(connection: Connection, app_id: str, seen: str) -> Mapping[str, Runs] | None:
    """Return the segments touched since a mark, by section; None where the mark is of another database, or the log was cut since."""
    kind, before = connection.dialect.name, _place(connection, seen)
    if before is None:
        return None
    runs: dict[str, list[tuple[int, int]]] = {}
    for section, first, last in connection.execute(_SINCE[kind], {"app": app_id, "mark": before}):
        if section == CUT:
            return None
        runs.setdefault(section, []).append((first, last))
    return {section: joined(some) for section, some in runs.items()}


def forget(connection: Connection, app_id: str, seen: str) -> None:
    """Remove the entries that a mark has seen, as this database gave it a moment ago; one of another removes nothing."""
    if connection.dialect.name == "postgresql":
        cluster, _, snapshot = seen.partition("/")
        connection.execute(_FORGET["postgresql"], {"app": app_id, "mark": snapshot, "cluster": cluster})
    elif seen.startswith("s"):
        connection.execute(_FORGET["sqlite"], {"app": app_id, "mark": seen[1:]})


def cut(connection: Connection, app_id: str) -> None:
    """Remove an app's log. An entry that says so stays: a backup that is being made now has a mark from before it."""
    kind = connection.dialect.name
    connection.execute(_ADD[kind], {"app": app_id, "section": CUT, "first": 0, "last": 0})
    if kind == "sqlite":
        last = "(SELECT max(id) FROM change_log WHERE app_id = :app)"
        connection.execute(text(f"DELETE FROM change_log WHERE app_id = :app AND id < {last}"), {"app": app_id})
    else:  # all that this statement sees but what it has just written; what is committed later is newer than the cut as well
        connection.execute(text("DELETE FROM change_log WHERE app_id = :app AND xid <> pg_current_xact_id()"), {"app": app_id})


def cut_all(connection: Connection) -> None:
    """Have every app read whole by its next backup: after what is in tables changed without the log being told. As the server."""
    number = "" if connection.dialect.name == "postgresql" else ", id"
    value = "" if connection.dialect.name == "postgresql" else ", (SELECT coalesce(max(id), 0) + 1 FROM change_log WHERE app_id = app.id)"
    connection.execute(text(f"INSERT INTO change_log (app_id{number}, section, first, last) SELECT app.id{value}, :cut, 0, 0 FROM app"),
                       {"cut": CUT})


def lengths(connection: Connection) -> Mapping[str, int]:
    """Return how many entries each app's log has; of those that have any."""
    return {row[0]: row[1] for row in connection.execute(text("SELECT app_id, count(*) FROM change_log GROUP BY app_id"))}


def _place(connection: Connection, seen: str) -> str | None:
    """Return what a mark says within this database, None for one of another."""
    kind = connection.dialect.name
    if kind == "sqlite":
        return seen[1:] if seen.startswith("s") else None
    cluster, _, snapshot = seen.partition("/")
    return snapshot if seen.startswith("p") and cluster == _said_of_cluster(connection, _CLUSTER) else None


def lying_outside(runs: Sequence[tuple[int, int]], n: int) -> bool:
    """Say whether a segment lies in none of the runs, which are in order."""
    at = bisect_right(runs, (n, EVERYTHING + 1)) - 1
    return at < 0 or runs[at][1] < n
