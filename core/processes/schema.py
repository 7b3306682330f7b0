"""The database's schema at a process's start: one that stands by itself waits for a database that is away."""

from __future__ import annotations

import logging
import time
from itertools import chain, repeat

from sqlalchemy.exc import DBAPIError

from core.base.db import db, is_outage, unavailable
from core.tenancy.migrate import ensure_schema

MAX_WAIT_S = 15
"""The longest wait between two looks for a database that is away."""
log = logging.getLogger(__name__)


def make_ready(*, waits: bool = True) -> None:
    """Bring the database to its schema, and leave no connection open: processes that are forked from this one must share none.

    Raises:
        DatabaseUnavailable: it could not be reached, and nobody *waits*.
    """
    pauses = chain([1, 2, 4, 8], repeat(MAX_WAIT_S))
    while not _has_schema(waits=waits):
        time.sleep(next(pauses))
    db.engine.dispose()  # a worker forks for each job, and SQLite's locks do not survive that


def _has_schema(*, waits: bool) -> bool:
    try:
        ensure_schema()
    except DBAPIError as error:
        if not is_outage(error):
            raise
        if not waits:
            raise unavailable(error) from error
        log.warning("Waiting for the database: %s", unavailable(error).message)
        return False
    return True
