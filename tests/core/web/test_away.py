"""Pages while something is away: a sentence and 503, from a page that asks nothing of what is away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from core.api import db
from tests.web import Browser, make_organization, signed_in


@contextmanager
def database_away() -> Iterator[None]:
    """Let every statement fail as on a database that is kept busy."""
    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        raise OperationalError(statement, {}, sqlite3.OperationalError("database is locked"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


@pytest.fixture
def browser(server: Flask) -> Browser:
    """Somebody who is signed in."""
    make_organization("Example")
    return signed_in(server, "owner@example.org")


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"HX-Request": "true"}], ids=["page", "program", "part"])
def test_a_database_that_is_away_is_told_in_a_sentence(browser: Browser, headers: dict[str, str]) -> None:
    """503 and when to come again; afterwards all is as before."""
    with database_away():
        answer = browser.get("/", headers=headers)
    assert 503 == answer.status_code
    assert "10" == answer.headers["Retry-After"]
    assert "Try again in a moment" in answer.text
    assert 503 != browser.get("/").status_code
