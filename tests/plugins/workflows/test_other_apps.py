"""Workflows that act in another app: by a workflow there that takes calls from theirs, because an admin there said so."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from core.api import App, NotFound, apps, as_tenant, db, direct, documents, transaction
from core.apps import locks
from core.backups.catalog import find_backup
from plugins.workflows import service as flows
from plugins.workflows import starting
from plugins.workflows.models import WorkflowCaller, WorkflowRun
from plugins.worksheets import service
from tenants import service as tenants
from tests.forms import untouched
from tests.plugins.workflows.building import NAME, WORKSHEET, put, ref, runs, sheet, work, workflow
from tests.web import make_organization, make_person, signed_in


@dataclass(frozen=True)
class Two:
    """Two apps: what happens here starts a workflow there."""

    here: str
    there: str
    flow: str
    called: str

    @property
    def home(self) -> App:
        """The app that calls."""
        return apps.find(self.here)

    @property
    def other(self) -> App:
        """The app that is called."""
        return apps.find(self.there)


@pytest.fixture
def two(organization: str) -> Two:
    """A record made here makes one there, of the same name; nobody has allowed it yet."""
    with transaction():
        here, there = (apps.create(name, "system").id for name in ("Here", "There"))
    sheet(apps.find(here))
    sheet(apps.find(there))
    called = workflow(apps.find(there), {"type": "webhook"}, [
        {"type": "create_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": {"template": "{0}", "uses": [{"trigger": "body.name"}]}}]}],
        name="Take over")
    flow = workflow(apps.find(here), {"type": "record_created"}, [
        {"type": "run_workflow", "workflow": {"org": f"app/{there}/workflow/{called}"},
         "body": {"template": '{"name": "{0} from here"}', "uses": [{"field": ref(NAME)}]}}])
    return Two(here, there, flow, called)


def names(app: App) -> list[str]:
    """Return what the tasks of an app are called."""
    return [service.loads(row.vals)[NAME] for row in service.all_rows(app, "w_1111111111")]


def allow(two: Two, *, on: bool = True) -> None:
    """Let the app here start the workflow there, or no more."""
    with transaction():
        starting.allow(two.other, two.called, two.here, on=on)


def test_it_acts_there_once_an_admin_there_allows_it(two: Two) -> None:
    """Before, and after it was taken back, the run fails with a sentence and nothing happens there."""
    put(two.home, name="One")
    work(two.home)
    assert "takes no calls from this app" in str(runs(two.home)[0].note) and [] == names(two.other)
    allow(two)
    put(two.home, name="Two")
    work(two.home)
    work(two.other)
    assert ["Two from here"] == names(two.other)
    assert ["succeeded"] == [one.state for one in runs(two.other)] and runs(two.home)[-1].state == "succeeded"
    allow(two, on=False)
    put(two.home, name="Three")
    work(two.home)
    work(two.other)
    assert ["Two from here"] == names(two.other) and runs(two.home)[-1].state == "failed"


def test_one_that_is_off_or_waits_for_something_else_is_not_started(two: Two) -> None:
    """The same is said as where it is not allowed."""
    allow(two)
    with transaction():
        flows.change(two.other, two.called, "system", enabled=False)
    put(two.home, name="One")
    work(two.home)
    assert "takes no calls from this app, is turned off, or was deleted" in str(runs(two.home)[0].note) and [] == runs(two.other)


def test_a_ring_over_two_apps_is_stopped(two: Two) -> None:
    """The chain goes along: a workflow that led to itself is not begun again."""
    back = workflow(two.home, {"type": "webhook"}, [{"type": "create_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": "Again"}]}])
    workflow(two.other, {"type": "record_created"}, [
        {"type": "run_workflow", "workflow": {"org": f"app/{two.here}/workflow/{back}"}}])
    allow(two)
    with transaction():
        starting.allow(two.home, back, two.there, on=True)
    put(two.home, name="One")
    for _ in range(6):
        work(two.home)
        work(two.other)
    assert ["One", "Again"] == names(two.home) and ["One from here"] == names(two.other)
    assert any("stopped" == one.state and one.note for one in runs(two.home))


def test_it_waits_while_the_other_app_is_restored(two: Two) -> None:
    """And goes on afterwards: nothing is lost and nothing written meanwhile."""
    allow(two)
    backup = direct.back_up(two.other)
    with transaction():
        app = two.other
        app.restoring_run_id = "r_1111111111"
    kept = locks._still_closed
    locks._still_closed = lambda _run: True  # a restore that goes on in another process
    try:
        put(two.home, name="One")
        work(two.home)
        assert "waiting" == runs(two.home)[0].state and [] == names(two.other)
    finally:
        locks._still_closed = kept
    with transaction():
        two.other.restoring_run_id = None
        db.session.execute(WorkflowRun.__table__.update().values(due_at=0))
    work(two.home)
    work(two.other)
    assert ["One from here"] == names(two.other) and find_backup(backup.id) is not None


def test_a_copy_takes_no_calls_and_makes_none(two: Two) -> None:
    """Who may call is in no backup; a copy of the app that calls is another app."""
    allow(two)
    backup = direct.back_up(two.other)
    copy = direct.restore_as_new(find_backup(backup.id), name="Copy")
    assert [] == db.session.scalars(select(WorkflowCaller).where(WorkflowCaller.app_id == copy.id)).all()
    with pytest.raises(Exception, match="takes no calls"), transaction():
        starting.called_from(two.there, two.called, apps.find(copy.id), {}, "system", ())


def test_an_app_of_another_organization_is_not_there(two: Two, server: Flask) -> None:
    """It cannot be allowed, and cannot be called although its own admin had allowed it."""
    elsewhere = make_organization("Elsewhere", "else@example.org")
    with as_tenant(elsewhere), transaction():
        other = apps.create("Other", "system").id
    with pytest.raises(NotFound), transaction():
        starting.allow(two.other, two.called, other, on=True)
    with as_tenant(elsewhere), pytest.raises(Exception, match="takes no calls"), transaction():
        starting.called_from(two.there, two.called, apps.find(other), {}, "system", ())


def test_an_admin_allows_it_on_the_page_and_chooses_it_in_the_step(two: Two, server: Flask, organization: str) -> None:
    """An app that they do not see is not offered; the step's form offers workflows of apps that they manage."""
    person = make_person("both@example.org")
    with transaction():
        tenants.add_member(tenants.user_by_email("both@example.org"))
        hidden = apps.create("Hidden", "system").id
        for app in (two.home, two.other):
            tenants.name_admin(app, person)
    client = signed_in(server, "both@example.org")
    there = f"/o/{organization}/apps/{two.there}/manage/workflow/{two.called}"
    page = client.get(there).get_data(as_text=True)
    assert f'value="{two.here}"' in page and hidden not in page
    assert 404 == client.post(f"{there}/callers", data={"caller": hidden, "on": "1"}).status_code
    assert 302 == client.post(f"{there}/callers", data={"caller": two.here, "on": "1"}).status_code
    assert [two.here] == [one.id for one in starting.callers(two.other, two.called)]
    step = documents.get(two.home, f"workflow/{two.flow}").body["steps"][0]["key"]
    address = f"/o/{organization}/apps/{two.here}/manage/workflow/{two.flow}/step/{step}"
    form = client.get(address).get_data(as_text=True)
    assert f"app/{two.there}/workflow/{two.called}" in form and "Take over" in form
    before = documents.get(two.home, f"workflow/{two.flow}").body
    assert 302 == client.post(address, data=untouched(client, address)).status_code
    assert before == documents.get(two.home, f"workflow/{two.flow}").body
    assert "Start a workflow of another app" in re.sub("<[^>]+>", "", client.get(address.partition("/step/")[0]).get_data(as_text=True))
    client.post(f"{there}/callers", data={"caller": two.here, "on": "0"})
    assert [] == starting.callers(two.other, two.called)
