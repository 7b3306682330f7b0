"""Pages on what runs: runs and steps, tests, starting, secrets, the secret address, approvals; and who may not see them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.api import App, apps, as_tenant, documents, transaction
from plugins.workflows import secrets
from tests.plugins.workflows.building import (
    NAME,
    POINTS,
    SHEET,
    TASKS,
    admin,
    put,
    ref,
    runs,
    sheet,
    tasks,
    use,
    work,
    workflow,
)
from tests.plugins.workflows.test_steps import WORKSHEET, value
from tests.web import make_member, signed_in

SET = {"type": "update_record", **WORKSHEET, "values": [value(POINTS, 1)]}


@pytest.fixture
def client(server: Flask, app: App) -> FlaskClient:
    """The browser of an admin of the app, which has a worksheet of tasks."""
    admin(app)
    sheet(app)
    return signed_in(server, "admin@example.org")


def manage(app: App, path: str) -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


def text(client: FlaskClient, url: str) -> str:
    """Return a page's text."""
    answer = client.get(url)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_runs_are_listed_looked_into_run_again_and_stopped(client: FlaskClient, app: App) -> None:
    """With trigger, steps, input and result; by their status."""
    key = workflow(app, {"type": "record_created"}, [SET, {"type": "update_record", **WORKSHEET, "record": 3, "values": [value(POINTS, 4)]}])
    put(app, name="One")
    work(app)
    page = text(client, manage(app, f"workflow/{key}/runs"))
    assert "Failed" in page and "Record created, record 1" in page
    assert "No run has this status" in text(client, manage(app, f"workflow/{key}/runs?state=waiting"))
    page = text(client, manage(app, f"workflow/{key}/runs/1"))
    assert "Run again from the failed step" in page and "does not exist" in page and "Points" in page
    assert 302 == client.post(manage(app, f"workflow/{key}/runs/1/again")).status_code
    put(app, name="Two")
    put(app, name="Three")
    work(app)
    assert runs(app)[0].state == "succeeded"
    assert "Run again" not in text(client, manage(app, f"workflow/{key}/runs/1"))
    waiting = workflow(app, {"type": "record_created"}, [{"type": "delay", "minutes": 5}, SET])
    put(app, name="Four")
    work(app)
    number = runs(app, waiting)[0].number
    assert "Continues" in text(client, manage(app, f"workflow/{waiting}/runs/{number}"))
    client.post(manage(app, f"workflow/{waiting}/runs/{number}/stop"))
    assert runs(app, waiting)[0].state == "stopped"
    assert 404 == client.get(manage(app, f"workflow/{key}/runs/{number}")).status_code
    assert "1 failed" not in text(client, manage(app, "workflows"))


def test_a_test_and_a_start_lead_to_their_run(client: FlaskClient, app: App) -> None:
    """A test says that it was one; a workflow that is off, or is started by something else, is not started."""
    put(app, name="One")
    key = workflow(app, {"type": "manual", "worksheet": {"ref": SHEET}}, [SET])
    answer = client.post(manage(app, f"workflow/{key}/test"), data={"seq": "1"})
    assert "This was a test" in text(client, answer.headers["Location"]) and POINTS not in tasks(app)[1]
    answer = client.post(manage(app, f"workflow/{key}/start"), data={"seq": "1"})
    assert answer.headers["Location"].endswith("/runs/2")
    work(app)
    assert tasks(app)[1][POINTS] == 1
    assert answer.headers["Location"].endswith("/runs/2")
    client.post(manage(app, f"workflow/{key}/start"), data={"seq": "99"})
    assert len(runs(app)) == 2


def test_a_record_s_page_starts_and_tells(client: FlaskClient, server: Flask, app: App) -> None:
    """A workflow that is started by hand for its worksheet is a button there; what workflows changed is said, and on whose behalf."""
    put(app, name="One")
    key = workflow(app, {"type": "manual", "worksheet": {"ref": SHEET}}, [SET], name="Give a point")
    url = f"/o/{app.organization_id}/apps/{app.id}/worksheet/{TASKS}/record/1"
    assert "Give a point" in text(client, url)
    client.post(f"/o/{app.organization_id}/apps/{app.id}/workflow/{key}/start/{TASKS}/1")
    work(app)
    page = text(client, url)
    assert "Changed by" in page and "on behalf of admin" in page
    make_member(app.organization_id, "else@example.org")
    assert 404 == signed_in(server, "else@example.org").post(
        f"/o/{app.organization_id}/apps/{app.id}/workflow/{key}/start/{TASKS}/1").status_code


def test_secrets_are_saved_and_never_shown(client: FlaskClient, app: App) -> None:
    """A missing one is named with the workflows that wait for it."""
    key = workflow(app, {"type": "manual"}, [{"type": "webhook", "url": "https://x.example", "headers": [
        {"name": "A", "value": {"secret": "token"}}]}], name="Caller")
    assert "The secret “<bdi>token</bdi>” is missing" in text(client, manage(app, "workflow-secrets"))
    assert "stays off" in text(client, manage(app, f"workflow/{key}"))
    assert 302 == client.post(manage(app, "workflow-secrets"), data={"name": "token", "value": "hunter2hunter2"}).status_code
    page = text(client, manage(app, "workflow-secrets"))
    assert "Caller" in page and "hunter2" not in page and "is missing" not in page
    assert secrets.read(app.id, "token") == "hunter2hunter2"
    for name, given in (("", "x"), ("x", ""), ("x" * 101, "x")):
        assert 422 == client.post(manage(app, "workflow-secrets"), data={"name": name, "value": given}).status_code
    client.post(manage(app, "workflow-secrets/remove"), data={"name": "token"})
    assert "The secret “<bdi>token</bdi>” is missing" in text(client, manage(app, "workflow-secrets"))


def test_a_call_from_outside_begins_a_run(client: FlaskClient, server: Flask, app: App) -> None:
    """At the address that the page shows, with JSON or text; any other address is as if it did not exist."""
    key = workflow(app, {"type": "webhook"}, [{"type": "create_record", **WORKSHEET, "values": [value(NAME, {
        "template": "{0} {1}", "uses": [{"trigger": "body.name"}, {"trigger": "body.list.1"}]})]}])
    client.post(manage(app, f"workflow/{key}/address"))
    found = re.search(r'value="[^"]*(/in/[^"]+)"', text(client, manage(app, f"workflow/{key}")))
    assert found is not None
    stranger = server.test_client()
    assert 202 == stranger.post(found[1], json={"name": "From outside", "list": [1, 2]}).status_code
    assert 202 == stranger.post(found[1], data="just text").status_code
    for wrong in (found[1] + "x", found[1].replace(app.id, "a_9999999999"), found[1].replace(app.id, "x")):
        assert 404 == stranger.post(wrong, json={}).status_code
    assert 413 == stranger.post(found[1], data=b"x" * 300_000).status_code
    with as_tenant(app.organization_id):
        work(app)
        assert [one.get(NAME) for one in tasks(app).values()] == ["From outside 2", None] and len(runs(app)) == 2


def test_whoever_is_asked_decides_on_a_page(client: FlaskClient, server: Flask, app: App) -> None:
    """It is listed until then; others do not find it, members of other organizations least of all."""
    ann = make_member(app.organization_id, "ann@example.org")
    workflow(app, {"type": "record_created"}, [{"type": "approval", "approvers": [{"org": f"user/{ann}"}], "message": {
        "template": "May {0} go?", "uses": [{"field": ref(NAME)}]}}, SET])
    put(app, name="One")
    work(app)
    hers = signed_in(server, "ann@example.org")
    listed = f"/o/{app.organization_id}/approvals"
    assert "May One go?" in text(hers, listed)
    url = f"{listed}/{app.id}/1/0"
    assert "May One go?" in text(hers, url) and 404 == client.get(url).status_code
    assert 422 == hers.post(url, data={"said": "perhaps"}).status_code
    assert 302 == hers.post(url, data={"said": "yes", "comment": "Go"}).status_code
    assert "You approved this" in text(hers, url) and "Nothing to approve" in text(hers, listed)
    assert hers.post(url, data={"said": "no"}).status_code in (409, 422)
    work(app)
    assert tasks(app)[1][POINTS] == 1
    with as_tenant(app.organization_id):
        assert apps.find(app.id).id == app.id


def test_values_are_typed_as_tokens(client: FlaskClient, app: App) -> None:
    """What is there at that point can be used; anything else in braces is refused, unless it is like JSON."""
    key = workflow(app, {"type": "record_updated"}, [
        {"type": "find_records", **WORKSHEET}, {"type": "update_record", **WORKSHEET, "values": [value(NAME, use(NAME))]},
        {"type": "webhook", "url": "https://x.example", "body": "{}"}])
    url = manage(app, f"workflow/{key}/step/t_1111111112")
    page = text(client, url)
    assert "{before.Name}" in page and "{step 1.count}" in page and "{step 2" not in page and ">{Name}<" in page
    form = {"v~digest": re.search(r'name="v~digest" value="([^"]*)"', page)[1], "do": "save"}  # type: ignore[index]
    names = re.findall(r'name="(v\.values\.[^"]+)"', page)
    assert any(name.endswith(".value") for name in names)
    sent = {**form, "v.name": "", "v.worksheet": SHEET, "v.values.0.field": f"{SHEET}/field/{NAME}"}
    good = client.post(url, data={**sent, "v.values.0.value": "{Name} was {before.Name}, {step 1.count} found"})
    assert good.status_code == 302, good.get_data(as_text=True)[:500]
    with as_tenant(app.organization_id), transaction():
        step = documents.get(apps.find(app.id), f"workflow/{key}").body["steps"][1]
    assert step["values"][0]["value"]["template"] == "{0} was {1}, {2} found" and len(step["values"][0]["value"]["uses"]) == 3
