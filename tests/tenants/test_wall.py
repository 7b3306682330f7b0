"""The pages of tenants from the other side: as somebody else, as nobody, and without a forgery token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from core.api import API_ROOT, apps, as_tenant, transaction
from tenants import api_tokens, departments, invitations, org_roles, service
from tenants.notifications import deliveries, inbox, webhooks
from tenants.notifications.notify import Notice, tell
from tenants.web import BLUEPRINTS
from tests.web import OWNER, Browser, browser, make_member, make_organization, signed_in


@pytest.fixture
def names(sqlite_server: Flask) -> dict[str, Any]:
    """One of everything that an address names, all of one organization."""
    organization_id = make_organization("Acme")
    make_member(organization_id, "member@example.org")
    with as_tenant(organization_id), transaction():
        owner = service.user_by_email(OWNER)
        url = invitations.invite("new@example.org", owner, "owner", "member")
        webhook_id = webhooks.add("https://hooks.example/", ["quota_full"], owner.id)[0].id
        tell(Notice("quota_full", "q/1", "Full", "All of it.", "/"), [owner.id])
        return {"webhook_id": webhook_id, "delivery_id": deliveries.deliveries()[0].id, "notification_id": inbox.items(owner.id)[0].id,
                "organization_id": organization_id, "app_id": apps.create("CRM", "system").id, "user_id": owner.id,
                "department_id": departments.add("Sales", None).id, "role_id": org_roles.add("Boss").id,
                "invitation_id": invitations.open_invitations()[0].id, "token_id": api_tokens.make(owner.id, "Nightly", ["read"], 30)[0].id,
                "token": url.rpartition("/")[2]}


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Yield the rules of the pages of tenants, each with what it needs; those of the API look at no cookie."""
    ours = {blueprint.name for blueprint in BLUEPRINTS}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in ours and rule.endpoint != "static" and not rule.rule.startswith(API_ROOT):
            yield rule, app.view_functions[rule.endpoint].needs.name  # type: ignore[attr-defined]


def answers(app: Flask, client: Browser, names: dict[str, str], *, of: str = "organization_id") -> dict[tuple[str, str], int]:
    """Return (method, rule) -> status of every page whose address names *of*."""
    found = {}
    for rule, _ in rules(app):
        if of in rule.arguments:
            path = app.url_map.bind("localhost").build(rule.endpoint, names)
            for method in (rule.methods or set()) & {"GET", "POST"}:
                found[method, rule.rule] = client.open(path, method=method).status_code
    return found


def test_another_organizations_owner_finds_nothing(sqlite_server: Flask, names: dict[str, str]) -> None:
    """Every page of an organization answers 404, whether what it names exists or not."""
    make_organization("Other", "other@example.org")
    client = signed_in(sqlite_server, "other@example.org")
    found = answers(sqlite_server, client, names)
    assert len(found) > 25
    assert {404} == set(found.values())
    assert found == answers(sqlite_server, client, {**names, "organization_id": "o_nothing"})


def test_ones_own_organization_does_not_open_what_another_has(sqlite_server: Flask, names: dict[str, str]) -> None:
    """Ids of another organization under one's own address: 404."""
    other = make_organization("Other", "other@example.org")
    client = signed_in(sqlite_server, "other@example.org")
    for of in ("app_id", "user_id", "department_id", "role_id", "invitation_id", "webhook_id", "delivery_id", "token_id"):
        found = answers(sqlite_server, client, {**names, "organization_id": other}, of=of)
        assert {404} == set(found.values()), (of, found)


def test_a_member_who_manages_nothing_is_refused(sqlite_server: Flask, names: dict[str, str]) -> None:
    """403 for the pages of the organization, 404 for an app that they do not see."""
    found = answers(sqlite_server, signed_in(sqlite_server, "member@example.org"), names)
    assert {403, 404} == set(found.values())
    assert {403} == {status for (_, rule), status in found.items() if "<app_id>" not in rule}


def test_nobody_is_asked_to_sign_in(sqlite_server: Flask, names: dict[str, str]) -> None:
    """All pages but those made for people who have not signed in."""
    client = browser(sqlite_server)
    for rule, needs in rules(sqlite_server):
        if needs != "NOTHING":
            path = sqlite_server.url_map.bind("localhost").build(rule.endpoint, names)
            for method in (rule.methods or set()) & {"GET", "POST"}:
                answer = client.open(path, method=method)
                assert (302, True) == (answer.status_code, answer.location.startswith("/sign-in?next=")), rule.rule


def test_nothing_is_done_without_a_forgery_token(sqlite_server: Flask, names: dict[str, str]) -> None:
    """Every page that changes something refuses what another site lets the browser send."""
    client = signed_in(sqlite_server, csrf=True)
    posts = [rule for rule, _ in rules(sqlite_server) if "POST" in (rule.methods or set())]
    assert len(posts) > 25
    for rule in posts:
        path = sqlite_server.url_map.bind("localhost").build(rule.endpoint, names)
        answer = client.post(path, data={"name": "Evil", "role": "owner", "typed_name": "Acme", "email": "eve@example.org"})
        assert (400, True) == (answer.status_code, "forgery_refused" in answer.text), rule.rule


def test_the_token_of_a_page_lets_its_form_through(sqlite_server: Flask, names: dict[str, str]) -> None:
    """The other half of the promise: with its token, a form works."""
    client = signed_in(sqlite_server, csrf=True)
    home = f"/o/{names['organization_id']}/departments"
    assert 302 == client.post(f"{home}/add", data={"name": "Berlin", "csrf_token": client.token(home)}).status_code
