"""The API on workflows: listed, called by programs of the app's admins, and their runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, documents, import_file, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key as sample_key
from plugins.workflows import secrets, starting, testing
from plugins.workflows.web.running import MOST_CALL
from tenants import service
from tests.conftest import fresh_database, made_organization, opened_server
from tests.plugins.workflows.building import NAME, WORKSHEET, admin, put, runs, sheet, steps_of, tasks, work, workflow
from tests.plugins.workflows.test_steps import value
from tests.program import Program, make_token
from tests.tenants.notifications import receiving
from tests.web import make_member, make_organization, make_person, signed_in
from tests.writing import at_once

HOOK = {"type": "webhook"}
KEEP = {"type": "create_record", **WORKSHEET, "values": [value(NAME, {"template": "{0} by {1}", "uses": [
    {"trigger": "body.order.name"}, {"about": "person_email"}]})]}


@pytest.fixture
def person(server: Flask, app: App) -> str:
    """An admin of the app, who is a member."""
    sheet(app)
    return admin(app)


@pytest.fixture
def program(server: Flask, app: App, person: str) -> Program:
    """A program of theirs."""
    return Program(server, make_token(app.organization_id, person))


def call(program: Program, app_id: str, key: str, body: Any = None, status: int = 202, **headers: str) -> Any:
    """Call a workflow."""
    return program.send("POST", f"/apps/{app_id}/workflows/{key}/call", {"body": body}, status=status, **headers)


def test_workflows_are_listed(app: App, program: Program) -> None:
    """With what starts each; one that lacks a secret is not on, although it is turned on. Deleted ones are left out."""
    hook, off = workflow(app, HOOK, [], name="Hook"), workflow(app, {"type": "manual"}, [], enabled=False, name="By hand")
    lacking = workflow(app, HOOK, [{"type": "webhook", "url": "https://x.example", "headers": [
        {"name": "Authorization", "value": {"secret": "token"}}]}], name="Lacking")
    gone = workflow(app, HOOK, [], name="Gone")
    app_id = app.id
    with transaction():
        documents.hide(apps.find(app_id), f"workflow/{gone}", "system")
    found = {one["workflow"]: one for one in program.get(f"/apps/{app_id}/workflows")["items"]}
    assert {hook: ("Hook", "webhook", True), off: ("By hand", "manual", False), lacking: ("Lacking", "webhook", False)} == {
        key: (one["name"], one["trigger"], one["on"]) for key, one in found.items()}


def test_a_call_starts_a_run_on_behalf_of_whose_token_it_is(app: App, program: Program, person: str) -> None:
    """Its steps find what was sent; the run is asked for until it has ended."""
    key, app_id = workflow(app, HOOK, [KEEP]), app.id
    number = call(program, app_id, key, {"order": {"name": "Chairs"}})["run"]
    run = f"/apps/{app_id}/workflows/runs/{number}"
    waiting = program.get(run)
    assert ("queued", "webhook", person, []) == (waiting["state"], waiting["cause"], waiting["person"], waiting["steps"])
    assert waiting["started_at"] is None and waiting["ended_at"] is None
    work(app)
    told = program.get(run)
    assert ("succeeded", key, False, None) == (told["state"], told["workflow"], told["test"], told["note"])
    (step,) = told["steps"]
    assert ("done", "t_1111111111", 1) == (step["state"], step["step"], step["tries"]) and step["began_at"] <= step["ended_at"]
    assert "Chairs by admin@example.org" in str(step["given"]) and "record" in " ".join(step["results"])
    assert "Chairs by admin@example.org" == tasks(app)[1][NAME]


@pytest.mark.parametrize("body", [None, True, 0, -1.5, "", "text", [], [1, [2]], {}, {"a": {"b": [None]}}, "🥐\u2028", {"": ""}])
def test_any_json_is_sent(app: App, program: Program, body: Any) -> None:
    """And arrives as it was."""
    key, app_id = workflow(app, HOOK, []), app.id
    call(program, app_id, key, body)
    work(app)
    (run,) = runs(app, key)
    assert "succeeded" == run.state
    assert {"type": "webhook", "body": body} == json.loads(run.cause)


def test_a_call_is_done_once(app: App, program: Program) -> None:
    """Asked again with the same key it answers the same; another call under that key is refused."""
    key, other, app_id = workflow(app, HOOK, []), workflow(app, HOOK, []), app.id
    first = call(program, app_id, key, 1, Idempotency_Key="order-7")
    assert first == call(program, app_id, key, 1, Idempotency_Key="order-7")
    assert 1 == len(runs(app))
    assert "key_used" == call(program, app_id, key, 2, 422, Idempotency_Key="order-7")["code"]
    assert "key_used" == call(program, app_id, other, 1, 422, Idempotency_Key="order-7")["code"]
    assert first != call(program, app_id, key, 1, Idempotency_Key="order-8")
    assert 2 == len(runs(app))


def test_two_at_once_with_one_key_start_one_run(server: Flask, app: App, program: Program) -> None:
    """On both databases; both are told its number."""
    key, app_id, told = workflow(app, HOOK, []), app.id, list[int]()

    def ask() -> None:
        told.append(call(Program(server, program.token), app_id, key, 1, Idempotency_Key="order-7")["run"])

    assert [] == at_once(server, app.organization_id, *[ask] * 4)
    assert [1] * 4 == told and 1 == len(runs(app))


def test_what_takes_no_calls_is_refused(app: App, program: Program) -> None:
    """One that is off, lacks a secret, or has another trigger; the refusal names it, and nothing begins."""
    app_id = app.id
    off = workflow(app, HOOK, [], enabled=False, name="Sleeper")
    lacking = workflow(app, HOOK, [{"type": "webhook", "url": "https://x.example", "headers": [
        {"name": "Authorization", "value": {"secret": "token"}}]}], name="Lacking")
    by_hand, of_records = workflow(app, {"type": "manual"}, [], name="By hand"), workflow(app, {"type": "record_created"}, [], name="Records")
    for key, name, why in ((off, "Sleeper", "turned off"), (lacking, "Lacking", "secret"), (by_hand, "By hand", "another trigger"),
                           (of_records, "Records", "another trigger")):
        refused = call(program, app_id, key, {}, 409)
        assert "conflict" == refused["code"] and f"“{name}”" in refused["detail"] and why in refused["detail"]
    with transaction():
        documents.hide(apps.find(app_id), f"workflow/{off}", "system")
    for key, status in ((off, 404), ("f_9999999999", 404), ("%00", 404), ("x" * 300, 422)):
        assert status == program.ask("POST", f"/apps/{app_id}/workflows/{key}/call", json={"body": 1}).status_code
    assert [] == runs(app)


def test_a_call_that_was_refused_is_done_when_it_can_be(app: App, program: Program) -> None:
    """Its key is not used up."""
    key, app_id = workflow(app, HOOK, [], enabled=False), app.id
    call(program, app_id, key, 1, 409, Idempotency_Key="order-7")
    workflow(app, HOOK, [], key=key)
    call(program, app_id, key, 1, Idempotency_Key="order-7")
    assert 1 == len(runs(app, key))


@pytest.mark.parametrize(("sent", "status"), [
    ({"json": {}}, 422), ({"json": {"body": 1, "more": 2}}, 422), ({"json": [1]}, 422), ({"data": b"{", "content_type": "application/json"}, 422),
    ({"data": b'{"body": 1}', "content_type": "text/plain"}, 422), ({"data": b'{"body": NaN}', "content_type": "application/json"}, 422),
    ({"data": b'{"body": "\\u0000"}', "content_type": "application/json"}, 422), ({}, 422), ({"json": {"body": "x" * MOST_CALL}}, 413),
    ({"data": b'{"body": ' + b"[" * 5000 + b"]" * 5000 + b"}", "content_type": "application/json"}, 422),
])
def test_what_is_no_call_is_refused(app: App, program: Program, sent: dict[str, Any], status: int) -> None:
    """Too little, too much, no JSON."""
    key, app_id = workflow(app, HOOK, []), app.id
    assert status == program.ask("POST", f"/apps/{app_id}/workflows/{key}/call", **sent).status_code
    assert [] == runs(app)


def test_only_admins_of_the_app_call_and_look(server: Flask, app: App, program: Program) -> None:
    """As on the pages: an admin from elsewhere may, a member with a role may not, to others there is no app."""
    key, app_id, organization = workflow(app, HOOK, []), app.id, app.organization_id
    call(program, app_id, key)
    outside, stranger = make_person("ext@example.net"), make_person("stranger@example.org")
    with transaction():
        service.name_admin(apps.find(app_id), outside)
    theirs = make_organization("Other", "stranger@example.org")
    tokens = {"outside": make_token(organization, outside), "roleless": make_token(organization, make_member(organization, "mia@example.org")),
              "owner": make_token(organization, make_member(organization, "boss@example.org", "owner")), "stranger": make_token(theirs, stranger)}
    for who, expected in (("outside", 200), ("roleless", 404), ("owner", 404), ("stranger", 404)):
        one = Program(server, tokens[who])
        assert [expected] * 2 == [one.ask("GET", f"/apps/{app_id}/workflows{path}").status_code for path in ("", "/runs/1")], who
        assert (202 if expected == 200 else 404) == one.ask("POST", f"/apps/{app_id}/workflows/{key}/call", json={"body": 1}).status_code
    for number in (0, 2000, 2**63 - 1):
        assert 404 == program.ask("GET", f"/apps/{app_id}/workflows/runs/{number}").status_code
    assert 2 == len(runs(app))


def test_somebody_with_a_role_in_the_app_is_no_admin(sqlite_server: Flask) -> None:
    """They see the app, and are refused."""
    organization = make_organization("Example")
    with as_tenant(organization):
        app_id = import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"]
        reader = make_member(organization, "reader@example.org")
        with transaction():
            roles.assign(apps.find(app_id), sample_key("r", "Reader"), f"user/{reader}")
    program = Program(sqlite_server, make_token(organization, reader))
    assert 403 == program.ask("GET", f"/apps/{app_id}/workflows").status_code
    assert 403 == program.ask("POST", f"/apps/{app_id}/workflows/{sample_key('f', 'Hook')}/call", json={"body": 1}).status_code


@pytest.mark.parametrize(("scopes", "expected"), [(["read"], (200, 403, 404)), (["write"], (403, 202, 403)), (["backup", "restore"], (403, 403, 403))])
def test_a_token_reaches_as_far_as_its_scopes(
        server: Flask, app: App, person: str, scopes: list[str], expected: tuple[int, ...]) -> None:
    """Reading is *read*, calling is *write*."""
    key, where = workflow(app, HOOK, []), f"/apps/{app.id}/workflows"
    program = Program(server, make_token(app.organization_id, person, scopes))
    assert expected == (program.ask("GET", where).status_code, program.ask("POST", f"{where}/{key}/call", json={"body": 1}).status_code,
                        program.ask("GET", f"{where}/runs/9").status_code)


def test_no_secret_is_in_a_run(engine: str, home: Path, request: pytest.FixtureRequest) -> None:
    """Neither one that a step names, nor the token in the workflow's address."""
    for server in opened_server(home, fresh_database(engine, home, request), webhook_private_addresses=True):
        with receiving.receiver() as receiver, made_organization("Example") as organization:
            with transaction():
                app = apps.create("App", "system")
            sheet(app)
            person = admin(app)
            with transaction():
                secrets.put(apps.find(app.id), "token", "s3cret", "system")
            key = workflow(app, HOOK, [{"type": "webhook", "url": receiver.url, "method": "POST", "headers": [
                {"name": "Authorization", "value": {"secret": "token"}}]}])
            with transaction():
                address = starting.make_token(apps.find(app.id), key)
            program = Program(server, make_token(organization, person))
            call(program, app.id, key, {"a": 1})
            work(app)
            told = program.get(f"/apps/{app.id}/workflows/runs/1")
            assert "succeeded" == told["state"] and "s3cret" == receiver.got[0][1]["Authorization"]
            assert not [one for one in ("s3cret", address) if one in str(told) + str(program.get(f"/apps/{app.id}/workflows"))]


def test_a_run_that_failed_says_why(app: App, program: Program) -> None:
    """With each step's own state; one started by a record is told alike, one of a deleted workflow is not there, as on its page."""
    app_id = app.id
    key = workflow(app, {"type": "record_created"}, [
        {"type": "delete_record", **WORKSHEET, "record": {"template": "999", "uses": []}}])
    put(app, name="One")
    work(app)
    (run,) = runs(app, key)
    told = program.get(f"/apps/{app_id}/workflows/runs/{run.number}")
    assert ("failed", "record_created", None) == (told["state"], told["cause"], told["person"]) and told["note"]
    assert [one.state for one in steps_of(app, run.number)] == [one["state"] for one in told["steps"]]
    with transaction():
        documents.hide(apps.find(app_id), f"workflow/{key}", "system")
    program.send("GET", f"/apps/{app_id}/workflows/runs/{run.number}", status=404)
    page = f"/o/{app.organization_id}/apps/{app_id}/manage/workflow/{key}/runs/{run.number}"
    assert 404 == signed_in(program.server, "admin@example.org").get(page).status_code


def test_a_test_run_is_told_as_one(app: App, program: Program, person: str) -> None:
    """Nothing waits, and what goes outside was not done."""
    key, app_id = workflow(app, HOOK, [{"type": "webhook", "url": "https://x.example"}, {"type": "set_variable", "variable": "a", "value": "b"}]), app.id
    with transaction():
        number = testing.try_out(apps.find(app_id), key, person)
    told = program.get(f"/apps/{app_id}/workflows/runs/{number}")
    assert told["test"] and ["skipped", "done"] == [one["state"] for one in told["steps"]]
