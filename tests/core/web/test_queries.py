"""How often a page asks the database: as often for many rows as for few, and never very often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, select

from core.api import apps, as_tenant, db, transaction
from core.backups import state
from core.backups.models import Backup
from core.base.ids import new_key
from plugins.roles import service as roles
from plugins.sample.keys import key
from plugins.worksheets import service as worksheets
from tests.core.web.backups.conftest import COMPANIES, Place, furnished, place
from tests.web import Browser, make_member, signed_in

__all__ = ["furnished", "place"]
MOST_OF_A_LIST, MOST_OF_A_GRID = 10, 10
MOST_OF_BACKUPS = 10
MOST_OF_A_PLAN, MOST_OF_A_CATALOGUE = 50, 18


@contextmanager
def counted() -> Iterator[list[str]]:
    """Give the questions that the database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def asked_for(client: Browser, path: str) -> int:
    """Return how many questions a page asks."""
    with counted() as found:
        assert 200 == client.get(path, headers={"Sec-Fetch-Dest": "document"}).status_code
    return len(found)


def test_the_apps_of_an_owner_are_listed_with_as_few_questions_for_many_as_for_few(place: Place) -> None:
    """Each with its look and whether one may open it."""
    path = f"/o/{place.organization_id}/"
    few = asked_for(place.browser, path)
    with as_tenant(place.organization_id), transaction():
        for n in range(30):
            apps.create(f"App {n}", place.owner)
    assert few == asked_for(place.browser, path) <= MOST_OF_A_LIST
    assert "App 29" in place.browser.get(path).get_data(as_text=True)


def test_the_apps_of_a_member_are_too(place: Place) -> None:
    """Whoever has roles in many apps sees just these, and what is theirs is found at once."""
    person = make_member(place.organization_id, "mia@example.org")
    mia, path = signed_in(place.server, "mia@example.org"), f"/o/{place.organization_id}/"
    none = asked_for(mia, path)
    with as_tenant(place.organization_id), transaction():
        for n in range(20):
            apps.create(f"Hidden {n}", place.owner)
        roles.assign(apps.find(place.app_id), key("r", "Reader"), f"user/{person}")
    assert asked_for(mia, path) <= none + 1 <= MOST_OF_A_LIST
    shown = mia.get(path).get_data(as_text=True)
    assert "Sample CRM" in shown and "Hidden" not in shown


def test_backups_are_listed_with_as_few_questions_for_many_as_for_few(place: Place) -> None:
    """Each with who made it, what state it is in, and whether it is being checked."""
    place.back_up()
    few = asked_for(place.browser, place.root)
    with as_tenant(place.organization_id), transaction():
        one = {column.key: getattr(place.backups()[0], column.key) for column in Backup.__table__.columns}
        db.session.execute(insert(Backup.__table__), [{**one, "id": new_key("b"), "run_id": None} for _ in range(299)])
        assert 300 == len(list(db.session.scalars(select(Backup.id))))
    assert few == asked_for(place.browser, place.root) <= MOST_OF_BACKUPS


@pytest.mark.parametrize("more", [0, 40])
def test_a_grid_asks_as_often_for_many_rows_as_for_few(place: Place, more: int) -> None:
    """Rows and what they are linked to are read together, and all that the page is made of at once."""
    with as_tenant(place.organization_id), transaction():
        for n in range(more):
            worksheets.put_record(apps.find(place.app_id), COMPANIES, None, {key("f", "CoName"): f"Firm {n}"}, place.owner)
    assert asked_for(place.browser, f"/o/{place.organization_id}/apps/{place.app_id}/worksheet/{COMPANIES}") <= MOST_OF_A_GRID


def test_a_plan_looks_up_the_objects_of_its_backup_together(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many indexes and documents it has: those of each kind with one question."""
    monkeypatch.setattr(state, "COMPARE", False)  # as a server does; tests read everything a second time
    backup = place.back_up()
    place.change()
    with counted() as found:
        assert 200 == place.browser.get(f"{place.root}/{backup}/restore", headers={"Sec-Fetch-Dest": "document"}).status_code
    objects = [one for one in found if "FROM stored_object" in one]
    assert len(objects) <= MOST_OF_A_CATALOGUE < len(found) <= MOST_OF_A_PLAN, (len(objects), len(found))
