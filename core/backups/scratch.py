"""Scratch files: what is unpacked of backups that people look at, one SQLite file a backup, in the folder "browse" of the home.

Nothing depends on them. Whatever is missing, half made, damaged, or of another version of the server is made anew from the store;
whatever was not used for long, or takes more room than there is for all of them, goes. Each web machine has its own.

A folder is made under another name and renamed when it is whole, and renamed before it is removed: a name stands for a whole file.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, ExceptionContext, create_engine, event, select
from sqlalchemy.pool import NullPool

from core.backups.models import Backup
from core.base.content import AUTOCOMMIT, BrowsingFailed
from core.base.db import db
from core.server import server
from core.tenancy.wall import as_server

FILE = "content.db"
MAKING, GONE = ".making-", ".gone-"
LEFT_OVER_S = 3600
"""A folder that is still being made, or removed, after so long was left by a process that died."""
BUSY_MS = 1500
CACHE_KB = 16_384
HOUR_S = 3600
LOST = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_READONLY_")


NO_ROOM = ("There is no room on this server’s disk to unpack the backup for browsing. Ask the server’s operator, or restore the "
           "backup as a new app.")
ANEW = "What was unpacked of this backup was lost. Reload the page: it is unpacked again."


@dataclass(frozen=True, slots=True)
class Kept:
    """One backup's scratch: where it lies, when it was last used (seconds since 1970), how large it is."""

    path: Path
    backup_id: str
    used_at: float
    size_bytes: int


def folder() -> Path:
    """Return the folder that all scratch files lie in, made if need be."""
    found = Path(server().config.home_path) / "browse"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def place_of(backup_id: str, stamp: str) -> Path:
    """Return where a backup's scratch lies or would lie; of a server with other components (*stamp*) it lies elsewhere."""
    return folder() / f"{backup_id}.{stamp}"


def make(place: Path, fill: Callable[[Engine], None]) -> None:
    """Make a scratch, unless somebody else has meanwhile; *fill* is given its empty database.

    Raises:
        BrowsingFailed: the disk is full.
    """
    coming = folder() / f"{MAKING}{uuid.uuid4().hex}"
    try:
        coming.mkdir(mode=0o700)
        file = coming / FILE
        file.touch(mode=0o600)
        with in_words(coming):
            engine = _engine(str(file))
            fill(engine)
            engine.dispose()
        with suppress(FileExistsError, OSError):
            coming.rename(place)
    except OSError as error:
        raise _said(error) from error
    finally:
        shutil.rmtree(coming, ignore_errors=True)


def open_engine(place: Path) -> Engine:
    """Return the engine of a scratch, which keeps no connection open."""
    return _shared_engine(str(place / FILE))


@lru_cache(maxsize=64)
def _shared_engine(file: str) -> Engine:
    """Return the engine of a file, the same one each time: it knows statements that it has compiled before."""
    return _engine(file)


def _engine(file: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # Not made where it is missing: an empty database looks like a backup without anything.
        return sqlite3.connect(f"file:{quote(file)}?mode=rw", uri=True, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, execution_options={AUTOCOMMIT: True})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "handle_error", partial(_tell, Path(file).parent))
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Have readers write nothing; what is lost with the machine's power is made anew, so that nothing is flushed for it."""
    for pragma in ("synchronous=NORMAL", f"busy_timeout={BUSY_MS}", f"cache_size=-{CACHE_KB}", "foreign_keys=OFF", "query_only=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _tell(place: Path, context: ExceptionContext) -> None:
    if (said := _refusal(place, context.original_exception)) is not None:
        raise said from context.original_exception


@contextmanager
def in_words(place: Path) -> Iterator[None]:
    """Say what fails of a scratch in words: no room, or a file that was lost, which is removed.

    Raises:
        BrowsingFailed: with the way out.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if (said := _refusal(place, error)) is not None:
            raise said from error
        raise


def _refusal(place: Path, error: BaseException) -> BrowsingFailed | None:
    if isinstance(error, OSError):
        return _said(error)
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_FULL":
        return BrowsingFailed(NO_ROOM)
    if not name.startswith(LOST):
        return None
    remove(place)
    return BrowsingFailed(ANEW)


def _said(error: OSError) -> BrowsingFailed:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return BrowsingFailed(NO_ROOM if full else "This server cannot write to its folder “browse”. Ask the server’s operator.")


def touch(place: Path) -> None:
    """Note that a scratch is used now."""
    with suppress(OSError):
        os.utime(place)


def size_of(place: Path) -> int:
    """Return how many bytes a scratch takes on the disk."""
    total = 0
    for one in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        with suppress(OSError):
            total += (place / one).stat().st_size
    return total


def kept() -> list[Kept]:
    """Return all scratch files, the least recently used first."""
    found = []
    for one in folder().iterdir():
        if not one.name.startswith("."):
            with suppress(OSError):
                found.append(Kept(one, one.name.partition(".")[0], one.stat().st_mtime, size_of(one)))
    return sorted(found, key=lambda one: one.used_at)


def remove(place: Path) -> None:
    """Remove a scratch; whoever reads it just now reads it to the end."""
    gone = place.with_name(f"{GONE}{uuid.uuid4().hex}")
    with suppress(OSError):
        place.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def forget(backup_id: str) -> None:
    """Remove what is unpacked of one backup here."""
    for one in kept():
        if one.backup_id == backup_id:
            remove(one.path)


def tidy(using: Path | None = None) -> None:
    """Remove what was not used for long, then what was used least recently until the rest fits; never the one that is in *using*."""
    now, most = time.time(), int(server().config.browse_limit_bytes)
    idle_s = float(server().config.browse_idle_hours) * HOUR_S
    there = kept()
    total = sum(one.size_bytes for one in there)
    for one in there:
        if one.path != using and (total > most or now - one.used_at > idle_s):
            remove(one.path)
            total -= one.size_bytes
    _remove_left_over(now)


def _remove_left_over(now: float) -> None:
    for one in folder().glob(".*"):
        with suppress(OSError):
            if now - one.stat().st_mtime > LEFT_OVER_S:
                shutil.rmtree(one, ignore_errors=True)


def tick() -> None:
    """Remove what is unpacked of backups that were deleted, and what `tidy` would."""
    there = {one.backup_id for one in kept()}
    if there:
        with as_server():
            left = set(db.session.scalars(select(Backup.id).where(Backup.id.in_(sorted(there)), Backup.deleted_at.is_(None))))
        db.session.rollback()
        for backup_id in there - left:
            forget(backup_id)
    tidy()
