"""Requests that the database ended for others' sake: two that wait for each other, on two connections."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from core.api import App, Document, apps, documents, transaction
from core.web.repeating import TRIES, repeated
from plugins.worksheets import service
from plugins.worksheets.web import records
from tests.plugins.worksheets.web.making import Desk, key_of, make_desk
from tests.writing import at_once

SHEET, FIELD = "w_1111111111", "f_1111111111"


class EndedForOthers(Exception):
    """What a driver raises for a deadlock."""

    sqlstate = "40P01"


def test_two_that_wait_for_each_other_both_get_through(server: Flask, organization: str, app: App, engine: str) -> None:
    """One is ended by PostgreSQL and done again; SQLite has one writer, where none has to be."""
    with transaction():
        live = apps.find(app.id)
        documents.put(live, Document(kind="worksheet", key=SHEET, position=0, body={
            "name": "One", "fields": [{"key": FIELD, "type": "text", "name": "A", "options": {}}], "views": []}), "system")
        for _ in range(2):
            service.put_record(live, SHEET, None, {FIELD: "start"}, "system")
    met, tries = threading.Barrier(2), []

    def write(*seqs: int) -> None:
        tries.append(seqs)
        with transaction():
            live = apps.find(app.id)
            for seq in seqs:
                service.put_record(live, SHEET, seq, {FIELD: f"by {seqs}"}, "system")
                with suppress(threading.BrokenBarrierError):
                    if engine == "postgresql":
                        met.wait(10)  # each holds its first by now; who comes later meets nobody
                    met.abort()

    assert [] == at_once(server, organization, lambda: repeated(lambda: write(1, 2)), lambda: repeated(lambda: write(2, 1)))
    assert len(tries) == (3 if engine == "postgresql" else 2)
    found = {json.loads(row.vals)[FIELD] for row in service.all_rows(apps.find(app.id), SHEET)}
    assert len(found) == 1


def failing(times: int, verb: Any) -> Any:
    """Return a verb that is ended for others as often."""
    left = [times]

    def one(*args: Any, **given: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise OperationalError("UPDATE", {}, EndedForOthers("deadlock detected"))
        return verb(*args, **given)

    return one


def test_a_form_is_done_again_and_its_record_made_once(sqlite_server: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sent it notices nothing."""
    desk: Desk = make_desk(sqlite_server)
    monkeypatch.setattr(records, "save", failing(TRIES - 1, records.save))
    answer = desk.owner.post(desk.url("/new"), data={key_of("f", "text"): "A", f"was-{key_of('f', 'text')}": ""})
    assert ("/record/1", "A") == (answer.headers.get("Location", "")[-9:], desk.value(1, "text"))


def test_what_has_committed_is_not_done_again(sqlite_server: Flask) -> None:
    """A request that was ended after a part of it was committed would do that part twice."""
    done = []

    def work() -> None:
        with transaction():
            done.append(1)
        raise OperationalError("UPDATE", {}, EndedForOthers("deadlock detected"))

    with pytest.raises(OperationalError):
        repeated(work)
    assert [1] == done


def test_another_trouble_of_the_database_is_not_repeated(sqlite_server: Flask) -> None:
    """A database that is away is not asked again and again while somebody waits."""
    done = []

    def work() -> None:
        done.append(1)
        raise OperationalError("SELECT", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        repeated(work)
    assert [1] == done
