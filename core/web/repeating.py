"""Repeating: a request that the database ended so that others could go on is done once more, from its start."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, has_request_context, request
from sqlalchemy.exc import IntegrityError, OperationalError

from core.base.db import commits, let_go

T = TypeVar("T")
TRIES = 4
ENDED_FOR_OTHERS = ("40001", "40P01", "23505")
"""What PostgreSQL says to one of several that wait for each other, that cannot all be taken for one after the other, or that make
the same at the same moment: done again, the second meets what the first has made."""
FORMS = ("", "application/x-www-form-urlencoded", "multipart/form-data")
"""What a request may have sent to be read a second time; files and other bodies are read as a stream, which is gone by then."""
log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Repeat each view that may be repeated."""
    view = app.dispatch_request
    app.dispatch_request = lambda: repeated(view) if _can_be_read_twice(app) else view()  # type: ignore[method-assign]  # the one place where all views are called


def _can_be_read_twice(app: Flask) -> bool:
    """Say whether what the request has sent is kept when it was read: a form's, and the JSON of the API's operations."""
    operation = getattr(app.view_functions.get(request.endpoint or ""), "operation", None)
    return request.mimetype in FORMS or (operation is not None and operation.body is not None)


def repeated(work: Callable[[], T]) -> T:
    """Return what *work* does, done again where the database ended it for others' sake before anything was committed.

    Raises:
        OperationalError, IntegrityError: it was ended each time, or after it had committed something.
    """
    before = commits()
    for _ in range(TRIES - 1):
        try:
            return work()
        except (OperationalError, IntegrityError) as error:
            if commits() != before or _has_files() or getattr(error.orig, "sqlstate", None) not in ENDED_FOR_OTHERS:
                raise
            log.info("Done again: %s", error.orig)
            let_go()
    return work()


def _has_files() -> bool:
    return has_request_context() and bool(request.files)
