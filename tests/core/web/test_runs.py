"""The page of a run: who sees it, what it shows while it goes on, how it ends."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import update

from core.api import App, apps, as_tenant, transaction
from core.base.db import db
from core.base.time import now_us
from core.runs.models import Run
from core.runs.service import find, request
from core.web import runs
from tenants import service
from tests.web import Browser, make_member, make_organization, signed_in


@pytest.fixture
def organization(sqlite_server: Flask) -> str:
    """The id of an organization with an admin and two members."""
    found = make_organization("Example")
    make_member(found, "admin@example.org", "admin")
    for name in ("asks", "other"):
        make_member(found, f"{name}@example.org")
    return found


def asked(organization: str, email: str = "asks@example.org", app: App | None = None, **values: object) -> str:
    """Make a run that a person asked for, in the state that *values* say, and return its id."""
    with as_tenant(organization), transaction():
        run = request("backup" if app else "import", app, {}, service.user_by_email(email).id, send=False)
        if values:
            db.session.execute(update(Run).where(Run.id == run.id).values(**values))
        return run.id


def page(browser: Browser, organization: str, run_id: str, part: str = "") -> str:
    """Return the page of a run."""
    return browser.get(f"/o/{organization}/runs/{run_id}{part}").get_data(as_text=True)


def test_a_run_is_seen_by_who_asked_and_by_admins(sqlite_server: Flask, organization: str) -> None:
    """Other members, and people of other organizations, get 404."""
    run_id = asked(organization)
    make_organization("Else", "else@example.org")
    codes = {name: signed_in(sqlite_server, f"{name}@example.org").get(f"/o/{organization}/runs/{run_id}").status_code
             for name in ("asks", "admin", "owner", "other", "else")}
    assert codes == {"asks": 200, "admin": 200, "owner": 200, "other": 404, "else": 404}


def test_a_run_of_an_app_is_seen_by_its_admins(sqlite_server: Flask, organization: str) -> None:
    """They come to its page in the app; an admin of the organization who is none of the app's gets 404."""
    with as_tenant(organization), transaction():
        app = apps.create("Sales", service.user_by_email("asks@example.org").id)
    run_id = asked(organization, "asks@example.org", app)
    codes = [signed_in(sqlite_server, f"{name}@example.org").get(f"/o/{organization}/runs/{run_id}").status_code
             for name in ("asks", "admin", "other")]
    assert codes == [302, 404, 404]


def test_a_run_that_goes_on_asks_again(sqlite_server: Flask, organization: str) -> None:
    """The part that changes polls, shows the phase and the records, and offers to cancel."""
    run_id = asked(organization, state="running", phase="import.reading", done=1234)
    shown = page(signed_in(sqlite_server, "asks@example.org"), organization, run_id)
    assert all(part in shown for part in ("every 1s", "Reading the file", "1,234", "Cancel", 'http-equiv="refresh"'))


def test_a_run_that_waits_says_since_when_another_goes_on(sqlite_server: Flask, organization: str) -> None:
    """Another organization's, of which nothing else is told."""
    run_id = asked(organization, sent_at=1)
    browser = signed_in(sqlite_server, "asks@example.org")
    assert "Waiting to start" in page(browser, organization, run_id)
    started = 1_795_788_120_000_000
    other = asked(make_organization("Else", "else@example.org"), "else@example.org", sent_at=1, state="running", started_at=started,
                  lease_until=now_us() + 10**10)
    shown = page(browser, organization, run_id)
    assert "Waiting for another job (started <time" in shown and ">14:02</time>)" in shown
    assert "Waiting to start" not in shown and "Else" not in shown and other not in shown


def test_a_run_that_has_ended_does_not_ask_again(sqlite_server: Flask, organization: str) -> None:
    """Why it failed and what to do is told, without polling."""
    run_id = asked(organization, state="failed", error_code="import_failed", error_message="x.csv <b> is broken")
    shown = page(signed_in(sqlite_server, "asks@example.org"), organization, run_id, "/progress")
    assert "hx-trigger" not in shown and "x.csv &lt;b&gt; is broken" in shown and "Fix the file" in shown


def test_a_queued_run_is_cancelled_at_once(sqlite_server: Flask, organization: str) -> None:
    """Its page says so afterwards; a second cancel changes nothing."""
    run_id = asked(organization)
    browser = signed_in(sqlite_server, "asks@example.org")
    browser.post(f"/o/{organization}/runs/{run_id}/cancel")
    browser.post(f"/o/{organization}/runs/{run_id}/cancel")
    with as_tenant(organization):
        assert find(run_id).state == "cancelled"
    assert "Cancelled" in page(browser, organization, run_id)


def test_nobody_else_cancels_a_run(sqlite_server: Flask, organization: str) -> None:
    """Another member's request answers 404 and the run goes on."""
    run_id = asked(organization)
    code = signed_in(sqlite_server, "other@example.org").post(f"/o/{organization}/runs/{run_id}/cancel").status_code
    with as_tenant(organization):
        assert (code, find(run_id).state) == (404, "queued")


def test_what_had_no_counterpart_is_searched(sqlite_server: Flask, organization: str) -> None:
    """A long list shows its first hundred, and those that hold what is asked for."""
    notes = ",".join(f'{{"count":1,"name":"Field {n}","reason":"lost {n}","what":"field"}}' for n in range(300))
    report = f'{{"app":"a_1111111111","documents":1,"files":0,"name":"X","records":0,"unsupported":[{notes}],"unsupported_count":300}}'
    run_id = asked(organization, state="succeeded", report=report)
    browser = signed_in(sqlite_server, "asks@example.org")
    everything, some = page(browser, organization, run_id), page(browser, organization, run_id, "?q=field+299")
    assert everything.count("<td data-label=\"Reason\">") == 100 and "The first 100 of 300" in everything
    assert some.count("<td data-label=\"Reason\">") == 1 and "Field 299" in some


@pytest.mark.parametrize(("done", "expected"), [(0, None), (250, 3000), (500, 1000), (1000, 0)])
def test_how_long_the_rest_takes_follows_from_what_is_done(done: int, expected: int | None) -> None:
    """A quarter in a thousand seconds leaves three thousand; nothing done says nothing."""
    begun = now_us() - 1000 * 1_000_000
    run = Run(state="running", steps=json.dumps([["import.begun", 1], ["backup.reading", begun]]), done=done, total=1000)
    assert expected == runs.left_s(run)


@pytest.mark.parametrize(("state", "steps"), [("queued", [["backup.reading", 1]]), ("running", [])])
def test_before_it_has_begun_nothing_is_said_of_the_rest(state: str, steps: list[object]) -> None:
    """Not while it waits, nor before its first step."""
    assert runs.left_s(Run(state=state, steps=json.dumps(steps), done=5, total=10)) is None


def test_in_the_first_moments_nothing_is_said_of_the_rest() -> None:
    """It would be a guess."""
    assert runs.left_s(Run(state="running", steps=json.dumps([["backup.reading", now_us()]]), done=5, total=10)) is None
