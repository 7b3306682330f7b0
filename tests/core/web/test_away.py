"""Pages while something is away: a sentence and 503, from a page that asks nothing of what is away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from core.api import apps, as_tenant, db, transaction
from core.testing.postgresql import PostgreSQL
from tests.conftest import fresh_database, opened_server
from tests.web import OWNER, Browser, make_organization, make_person, signed_in


@contextmanager
def database_away(after: int = 0) -> Iterator[list[int]]:
    """Let every statement but the first few fail as on a database that is kept busy; gives how many there were."""
    count = [0]

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        count[0] += 1
        if count[0] > after:
            raise OperationalError(statement, {}, sqlite3.OperationalError("database is locked"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        yield count
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


def test_a_database_that_goes_away_at_any_statement_of_a_page_is_told_in_a_sentence(server: Flask) -> None:
    """Also where the page of the refusal would ask for what stands around it."""
    organization = make_organization("Example")
    with as_tenant(organization), transaction():
        app_id = apps.create("Sales", make_person(OWNER)).id
    browser, address = signed_in(server), f"/o/{organization}/apps/{app_id}/manage/backups"
    with database_away(after=1000) as count:
        assert 200 == browser.get(address).status_code
    assert count[0] > 5
    for number in range(count[0]):
        with database_away(after=number):
            answer = browser.get(address)
        assert (503, True) == (answer.status_code, "Try again" in answer.text), number
    assert 200 == browser.get(address).status_code


@contextmanager
def connection_lost_at(number: int, postgresql: PostgreSQL) -> Iterator[list[int]]:
    """Let the database end the connection right before that statement; gives what was counted."""
    count = [0]

    def end(connection: Any, *_: Any) -> None:
        count[0] += 1
        if count[0] == number:
            with psycopg.connect(postgresql.uri, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (connection.connection.driver_connection.info.backend_pid,))

    event.listen(db.engine, "before_cursor_execute", end)
    try:
        yield count
    finally:
        event.remove(db.engine, "before_cursor_execute", end)


def test_a_connection_lost_at_any_statement_of_a_page_is_told_in_a_sentence(home: Path, request: pytest.FixtureRequest) -> None:
    """Whatever the page was doing, behind whichever wall: 503 or the page, never a failure, and the next page is there."""
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    for server in opened_server(home, fresh_database("postgresql", home, request)):
        organization = make_organization("Example")
        with as_tenant(organization), transaction():
            app_id = apps.create("Sales", make_person(OWNER)).id
        browser, address = signed_in(server), f"/o/{organization}/apps/{app_id}/manage/backups"
        db.session.remove()
        assert 200 == browser.get(address).status_code
        with connection_lost_at(0, postgresql) as count:
            browser.get(address)
        assert count[0] > 5
        for number in range(1, count[0] + 1):
            with connection_lost_at(number, postgresql):
                lost = browser.get(address).status_code
            assert (503, 200) == (lost, browser.get(address).status_code), number
