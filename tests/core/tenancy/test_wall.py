"""The tenants' wall, tested from the other side."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from core.api import App, Document, DocumentRow, NotFound, apps, as_server, as_tenant, db, documents, transaction
from core.backups.models import Backup
from core.base.errors import NoTenant
from core.runs.models import Run
from core.tenancy.owned import Owned, OwnedByApp
from tests.conftest import made_organization


def _two(server: Flask) -> tuple[str, str, str]:
    """Return two organizations and an app of the first."""
    with made_organization("First") as first, transaction():
        app = apps.create("Theirs", "system").id
    with made_organization("Second") as second:
        pass
    return first, second, app


def test_another_organization_finds_nothing(server: Flask) -> None:
    """A thing of another organization answers like one that does not exist."""
    first, second, app = _two(server)
    with as_tenant(second):
        assert apps.all_apps() == []
        with pytest.raises(NotFound) as hidden:
            apps.find(app)
        with pytest.raises(NotFound) as absent:
            apps.find("a_1111111111")
    assert hidden.value.message.replace(app, "X") == absent.value.message.replace("a_1111111111", "X")


def test_session_get_does_not_slip_through(server: Flask) -> None:
    """The identity map of one tenant is gone when the next one comes."""
    first, second, app = _two(server)
    with as_tenant(first):
        assert db.session.get(App, app) is not None
        with as_tenant(second):
            assert db.session.get(App, app) is None
        assert db.session.get(App, app) is not None


def test_rows_that_hang_on_an_app_are_behind_the_wall_too(server: Flask) -> None:
    """Documents carry an app's id only, and are seen through its organization."""
    first, second, app = _two(server)
    with as_tenant(first):
        own = db.session.scalar(select(func.count()).select_from(DocumentRow))
    assert own
    with as_tenant(second):
        assert db.session.scalar(select(func.count()).select_from(DocumentRow)) == 0
        assert db.session.scalars(select(DocumentRow).where(DocumentRow.app_id == app)).all() == []
        assert db.session.get(DocumentRow, (app, "app", "main")) is None


def test_updates_and_deletes_stop_at_the_wall(server: Flask) -> None:
    """Statements that write are filtered like those that read."""
    first, second, app = _two(server)
    with as_tenant(second), transaction():
        assert db.session.execute(update(App).values(name="Taken")).rowcount == 0
        assert db.session.execute(update(DocumentRow).values(position=9)).rowcount == 0
    with as_tenant(first):
        assert apps.find(app).name == "Theirs"


def test_joins_and_aliases_are_filtered(server: Flask) -> None:
    """The wall follows a table wherever it stands in a query."""
    first, second, app = _two(server)
    with as_tenant(second):
        from sqlalchemy.orm import aliased

        other = aliased(App)
        assert db.session.execute(select(other.id)).all() == []
        assert db.session.execute(select(DocumentRow.key, other.id).join(other, other.id == DocumentRow.app_id)).all() == []


def test_without_an_organization_owned_tables_refuse(server: Flask) -> None:
    """It fails closed: forgetting to say for whom is an error, not everything."""
    _two(server)
    for model in (App, DocumentRow, Backup, Run):
        with pytest.raises(NoTenant):
            db.session.scalars(select(model)).all()


def test_a_row_cannot_be_made_for_another_organization(server: Flask) -> None:
    """Not even by saying so."""
    first, second, _ = _two(server)
    with as_tenant(second), pytest.raises(NoTenant), transaction():
        db.session.add(App(id="a_2222222222", organization_id=first, name="x", created_at=0, created_by="system"))


def test_writing_into_another_organizations_app_is_refused(server: Flask) -> None:
    """An App object carried over the wall opens nothing."""
    first, second, app_id = _two(server)
    with as_tenant(first):
        app = apps.find(app_id)
        db.session.expunge_all()
    with as_tenant(second), pytest.raises(NotFound), transaction():
        documents.change(app, "system", hide=["group/g_1111111111"])
    with as_tenant(first):
        assert apps.find(app_id).name == "Theirs"
    with as_tenant(second), pytest.raises(NotFound), transaction():
        documents.put(app, Document(kind="app", key="main", body={"name": "Mine"}, position=0), "system")


def test_the_server_itself_sees_all(server: Flask) -> None:
    """The clock and the command line look things up in every organization."""
    _, _, app = _two(server)
    with as_server():
        assert [app] == list(db.session.scalars(select(App.id)))


def test_every_table_is_owned_or_known_to_be_the_servers(server: Flask) -> None:
    """A new table without an owner fails here until somebody thought about it."""
    free = {m.class_.__tablename__ for m in db.Model.registry.mappers
            if not issubclass(m.class_, Owned | OwnedByApp)} if hasattr(db.Model, "registry") else set()
    # An inbox is a person's, who reads there of all their organizations: it is asked for by person, and of those they belong to.
    # A token leads to its organization, which is not known before it is found.
    of_people = {"api_token", "user_account", "user_session", "notification", "notification_choice", "channel_choice"}
    assert free <= {"organization", "mailed_link", "attempt", "component_standing", "plugin_state", "table_standing"} | of_people
