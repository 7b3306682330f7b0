"""API tokens: made and shown once, kept as a digest, good for one person in one organization until they end."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import inspect
from werkzeug.test import TestResponse

from core.api import App, apps, as_server, as_tenant, db, now_us, transaction
from core.base.errors import Conflict, InvalidInput
from core.base.time import moved
from tenants import api_tokens, audit, members, organizations, second_factor, service, sessions
from tenants.models import ApiToken
from tests.program import Program, make_token
from tests.tenants.test_second_factor import code, enrol
from tests.web import OWNER, PASSWORD, Browser, make_member, make_organization, make_person, signed_in
from tests.writing import at_once

PAGE = "/account/api-tokens"
DAY_S = 86_400
TOKEN = re.compile(r"akt_[0-9a-f]{60}")


@pytest.fixture
def owner(server: Flask, organization: str) -> str:
    """The id of the organization's owner, who has a password."""
    person = service.user_by_email(OWNER)
    with as_server(), transaction():
        service.set_password(service.user_by_email(OWNER), PASSWORD)
    return person.id


def form(organization: str, **given: object) -> dict[str, object]:
    """Return what a browser sends to make a token."""
    return {"organization": organization, "name": "Nightly", "scope": ["read"], "days": "30", **given}


def made(client: Browser, organization: str, **given: object) -> str:
    """Make a token on the page, and return the text that is shown."""
    answer = client.post(PAGE, data=form(organization, **given))
    assert 200 == answer.status_code, answer.get_data(as_text=True)
    (found,) = set(TOKEN.findall(answer.get_data(as_text=True)))
    return found


def status(server: Flask, token: str, path: str = "/me") -> int:
    """Return how the API answers a program with that token."""
    return Program(server, token).ask("GET", path).status_code


def errors(answer: TestResponse) -> list[str]:
    """Return what a form says is wrong with its fields."""
    return re.findall(r'class="error"[^>]*>([^<]*)<', answer.get_data(as_text=True))


def kept(organization: str) -> list[ApiToken]:
    """Return the tokens of an organization."""
    with as_tenant(organization):
        return api_tokens.tokens()


def test_a_token_is_shown_once_and_only_its_digest_is_kept(server: Flask, organization: str, owner: str) -> None:
    """In no later page, in no cookie, and in no column of any table."""
    client = signed_in(server)
    token = made(client, organization)
    assert 200 == status(server, token)
    for path in (PAGE, "/account", f"/o/{organization}/api-tokens", f"/o/{organization}/log", f"/o/{organization}/log.csv"):
        page = client.get(path).get_data(as_text=True)
        assert token not in page and sessions.digest(token) not in page
    with client.session_transaction() as session:
        assert token not in str(dict(session))
    assert [] == columns_with(token) + columns_with(token.removeprefix("akt_")[:48])
    assert ["api_token.digest"] == columns_with(sessions.digest(token))


def columns_with(text: str) -> list[str]:
    """Return the columns of the whole database that hold a text."""
    found, connection = [], db.session.connection()
    for name in inspect(connection).get_table_names():
        for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"').mappings():
            found += [f"{name}.{column}" for column, value in row.items() if text in str(value)]
    return found


def test_a_token_is_good_for_one_organization(server: Flask, organization: str, owner: str) -> None:
    """Another of the same person's is out of its reach, with all that is in it."""
    other = make_organization("Other")
    with as_tenant(other), transaction():
        app = apps.create("Theirs", owner)
    program = Program(server, made(signed_in(server), organization))
    assert organization == program.get("/me")["organization"]
    assert [] == program.get("/apps")["items"]
    program.send("GET", f"/apps/{app.id}", status=404)


def test_an_organization_of_strangers_is_not_there(server: Flask, organization: str, owner: str) -> None:
    """To make a token, and to remove one; the same as one that does not exist."""
    strange = make_organization("Strange", "stranger@example.org")
    make_token(strange, make_person("stranger@example.org"))
    client, theirs = signed_in(server), kept(strange)[0].id
    for place in (strange, "o_ZZZZZZZZZZ", ""):
        assert (404 if place else 422) == client.post(PAGE, data=form(place)).status_code
        assert 404 == client.post(f"{PAGE}/{theirs}/remove", data={"organization": place}).status_code
    assert 404 == client.post(f"{PAGE}/{theirs}/remove", data={"organization": organization}).status_code
    assert 404 == client.post(f"/o/{organization}/api-tokens/{theirs}/remove").status_code
    assert 404 == client.get(f"/o/{organization}/api-tokens?after={theirs}").status_code
    assert (1, 0) == (len(kept(strange)), len(kept(organization)))


@pytest.mark.parametrize(("given", "told"), [
    ({"name": " "}, "1 to 100 characters"), ({"name": "x" * 101}, "1 to 100 characters"), ({"name": "a\u202eb"}, "control characters"),
    ({"scope": []}, "at least one permission"), ({"scope": ["read", "magic"]}, "“magic” is not a scope"), ({"days": "31"}, "7, 30, 90 or 365"),
    ({"days": ""}, "7, 30, 90 or 365"), ({"days": "-30"}, "7, 30, 90 or 365"),
    ({"scope": ["restore"], "days": "365", "answer": PASSWORD}, "90 days at most"),
    ({"scope": ["restore"]}, "Confirm your identity"), ({"scope": ["restore"], "answer": "wrong"}, "Wrong password"),
])
def test_what_cannot_be_made_is_said_beside_its_field(
        server: Flask, organization: str, owner: str, given: dict[str, object], told: str) -> None:
    """What was typed stays, but for the password; no token is made."""
    answer = signed_in(server).post(PAGE, data=form(organization, **{"name": "Typed & kept", **given}))
    page = answer.get_data(as_text=True)
    assert 422 == answer.status_code and [True] == [told in one for one in errors(answer)], errors(answer)
    assert "name" in given or 'value="Typed &amp; kept"' in page
    for scope in given.get("scope", ["read"]):  # type: ignore[attr-defined]
        assert scope == "magic" or f'value="{scope}" checked' in page
    assert PASSWORD not in page and [] == kept(organization)


def test_a_token_that_restores_asks_who_one_is(server: Flask, organization: str, owner: str) -> None:
    """The password; with a second factor a code, once. A form that is refused for something else uses none up."""
    client = signed_in(server)
    assert 200 == status(server, made(client, organization, scope=["read", "restore"], answer=PASSWORD))
    secret, _ = enrol(owner)
    good = code(secret)
    wrong = client.post(PAGE, data=form(organization, scope=["restore"], days="365", answer=good))
    assert ["A token that can restore is valid for 90 days at most."] == errors(wrong)
    assert "One-time code" in wrong.get_data(as_text=True)
    assert ["Wrong code, or it was already used. Wait for the next one."] == errors(
        client.post(PAGE, data=form(organization, scope=["restore"], answer=PASSWORD)))
    made(client, organization, scope=["restore"], answer=good)
    assert 422 == client.post(PAGE, data=form(organization, scope=["restore"], answer=good)).status_code
    made(client, organization, scope=["read", "write", "backup", "organization"])
    assert 3 == len(kept(organization))


def test_guesses_at_the_password_are_counted(server: Flask, organization: str, owner: str) -> None:
    """After some the right one is refused, too, and each is in the log."""
    client = signed_in(server)
    for _ in range(12):
        answer = client.post(PAGE, data=form(organization, scope=["restore"], answer="wrong"))
    assert 422 == client.post(PAGE, data=form(organization, scope=["restore"], answer=PASSWORD)).status_code
    assert "Wrong" not in errors(answer)[0] and [] == kept(organization)
    with as_tenant(organization):
        assert 12 <= len(audit.entries(act="sign_in_failed", most=50))


def test_a_token_expires(server: Flask, organization: str, owner: str) -> None:
    """It works on its last day and not after; its owner sees that it has expired, and removes it."""
    client = signed_in(server)
    token = made(client, organization, days="7")
    with moved(6 * DAY_S + 86_000):
        assert 200 == status(server, token)
        assert "Expired" not in client.get(PAGE).get_data(as_text=True)
    with moved(7 * DAY_S + 1):
        assert 401 == status(server, token)
        page = client.get(PAGE).get_data(as_text=True)
        assert "Expired" in page
        assert "lets a program work with Appkeep as you. It keeps" in client.get("/account").get_data(as_text=True)


def test_removing_ends_a_token_at_once(server: Flask, organization: str, owner: str) -> None:
    """By its owner; again there is nothing to remove. Nobody removes another's on the account page."""
    client, token = signed_in(server), make_token(organization, owner)
    (row,) = kept(organization)
    mate = make_member(organization, "mate@example.org", "admin")
    assert 404 == signed_in(server, "mate@example.org").post(f"{PAGE}/{row.id}/remove", data={"organization": organization}).status_code
    assert 200 == status(server, token)
    assert 302 == client.post(f"{PAGE}/{row.id}/remove", data={"organization": organization}).status_code
    assert 401 == status(server, token)
    assert 404 == client.post(f"{PAGE}/{row.id}/remove", data={"organization": organization}).status_code
    assert mate and [] == kept(organization)


def test_owners_and_admins_see_and_remove_the_tokens_of_all(server: Flask, organization: str, owner: str) -> None:
    """Whose, what for, when used; a member is refused."""
    member = make_member(organization, "mia@example.org")
    make_member(organization, "admin@example.org", "admin")
    token, path = make_token(organization, member, ["backup"], name="Mia’s own"), f"/o/{organization}/api-tokens"
    admin = signed_in(server, "admin@example.org")
    assert "Never used" in admin.get(path).get_data(as_text=True)
    assert 200 == status(server, token)
    page = admin.get(path).get_data(as_text=True)
    for text in ("Mia’s own", "<bdi>mia</bdi>", "Make, list, download", "Last used", "127.0.0.1"):
        assert text in page
    assert token not in page and "Start and undo restores" not in page
    (row,) = kept(organization)
    for visitor, expected in (("mia@example.org", 403), ("nobody@example.org", 404)):
        client = signed_in(server, visitor)
        assert [expected] * 2 == [client.get(path).status_code, client.post(f"{path}/{row.id}/remove").status_code]
    assert 302 == admin.post(f"{path}/{row.id}/remove").status_code
    assert 401 == status(server, token)
    log = admin.get(f"/o/{organization}/log?act=api_token_removed").get_data(as_text=True)
    assert "API token removed" in log and "mia" in log and "“<bdi>Mia’s own</bdi>”" in log


def test_all_tokens_are_listed_a_page_at_a_time(server: Flask, organization: str, owner: str) -> None:
    """Newest first, each once."""
    mate = make_member(organization, "mate@example.org")
    for number in range(60):
        make_token(organization, owner if number % 2 else mate, name=f"No{number:02}.")
    client, path, seen = signed_in(server), f"/o/{organization}/api-tokens", []
    while path:
        page = client.get(path).get_data(as_text=True)
        seen += re.findall(r"<strong>(No\d\d\.)</strong>", page)
        further = re.search(r'href="([^"]+\?after=[^"]+)"', page)
        path = further[1] if further else ""
    assert [f"No{number:02}." for number in reversed(range(60))] == seen


@pytest.mark.parametrize("how", ["removed", "closed"])
def test_whoever_leaves_comes_with_no_token(server: Flask, organization: str, owner: str, how: str) -> None:
    """A member who is removed, and everybody of an organization that is closed, until it is opened again."""
    member = make_member(organization, "mia@example.org")
    token = make_token(organization, member)
    assert 200 == status(server, token, "/apps")
    with as_tenant(organization), transaction():
        if how == "removed":
            members.remove(member, "owner", from_apps=True)
        else:
            organizations.close(organizations.current().name)
    assert 401 == status(server, token, "/apps")
    mia = signed_in(server, "mia@example.org")
    assert 404 == mia.post(PAGE, data=form(organization)).status_code
    assert "No organization" in mia.get(PAGE).get_data(as_text=True)
    if how == "closed":
        with transaction():
            organizations.open_again(organization)
    else:
        with as_tenant(organization), transaction():
            service.add_member(service.user_by_email("mia@example.org"))
    assert (401 if how == "removed" else 200) == status(server, token, "/apps"), "who comes back makes new ones"


def test_an_app_admin_from_elsewhere_has_tokens_until_they_manage_nothing(server: Flask, organization: str, app: App, owner: str) -> None:
    """They reach the app, and nothing that needs a member."""
    person = make_person("ext@example.net", password=PASSWORD)
    with transaction():
        service.name_admin(apps.find(app.id), person)
    token = made(signed_in(server, "ext@example.net"), organization)
    assert [200, 404, 200] == [status(server, token, path) for path in ("/me", "/apps", f"/apps/{app.id}")]
    assert "Not a member" not in signed_in(server).get(f"/o/{organization}/api-tokens").get_data(as_text=True)
    with transaction():
        apps.delete(apps.find(app.id))
    assert 401 == status(server, token)
    assert "Not a member: refused" in signed_in(server).get(f"/o/{organization}/api-tokens").get_data(as_text=True)


def test_a_second_factor_that_is_asked_for_is_asked_of_programs(server: Flask, organization: str, owner: str) -> None:
    """Until their person has set it up they are refused, with what to do; a person cannot make tokens either."""
    token = make_token(organization, owner)
    with as_tenant(organization), transaction():
        service.find_organization(organization).second_factor_required = True
    refused = Program(server, token).send("GET", "/apps", status=403)
    assert "second factor" in refused["detail"]
    assert "/account/second-factor" == signed_in(server).post(PAGE, data=form(organization)).location
    assert 1 == len(kept(organization))
    enrol(owner)
    assert second_factor.required_by(owner) and 200 == status(server, token, "/apps")


def test_signing_out_and_a_new_password_end_no_token(server: Flask, organization: str, owner: str) -> None:
    """As the account page says."""
    client = signed_in(server)
    token = made(client, organization)
    client.post("/account/sessions/end", data={})
    client.post("/account/password", data={"old_password": PASSWORD, "new_password": "a hen lays 3 eggs a day"})
    assert 200 == status(server, token)
    page = client.get("/account").get_data(as_text=True)
    assert "Signing out everywhere or changing your password does not end it" in page


def test_nobody_has_more_than_so_many(server: Flask, organization: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired ones count; another person's and another organization's do not."""
    monkeypatch.setattr(api_tokens, "MOST", 2)
    client, mate = signed_in(server), make_member(organization, "mate@example.org")
    for _ in range(2):
        made(client, organization, days="7")
    with moved(8 * DAY_S):
        answer = client.post(PAGE, data=form(organization))
        assert 422 == answer.status_code and "You have 2 tokens in this organization" in answer.get_data(as_text=True)
    make_token(organization, mate)
    other = make_organization("Other")
    made(client, other)
    client.post(f"{PAGE}/{next(row.id for row in kept(organization) if row.user_id == owner)}/remove", data={"organization": organization})
    made(client, organization)


def test_two_at_once_do_not_pass_the_bound(server: Flask, organization: str, owner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is last is refused, on both databases."""
    monkeypatch.setattr(api_tokens, "MOST", 3)

    def make() -> None:
        with server.test_request_context("/"), transaction():
            api_tokens.make(owner, "Nightly", ["read"], 30)

    raised = at_once(server, organization, *[make] * 8)
    assert [Conflict] * 5 == [type(error) for error in raised], raised
    assert 3 == len(kept(organization))


def test_a_token_may_restore_for_so_long_only(server: Flask, organization: str, owner: str) -> None:
    """Whoever makes it: the bound is not the page's."""
    for days, scopes, good in ((90, ["restore"], True), (365, ["restore"], False), (365, ["backup"], True), (8, ["read"], False)):
        with as_tenant(organization), transaction():
            if good:
                api_tokens.make(owner, "Nightly", scopes, days)
            else:
                with pytest.raises(InvalidInput):
                    api_tokens.make(owner, "Nightly", scopes, days)


def test_the_log_says_who_and_by_which_token(server: Flask, organization: str, owner: str) -> None:
    """That a token was made, and what a program did by it: on the page and in the file."""
    client = signed_in(server)
    program = Program(server, made(client, organization, scope=["read", "write"], name="Nightly <i>"))
    made_app = program.send("POST", "/apps", {"name": "Sales"}, status=201)
    page = client.get(f"/o/{organization}/log").get_data(as_text=True)
    assert "For 30 days; scopes: read, write" in page
    assert "By the token “Nightly &lt;i&gt;”" in page and "<i>" not in page
    with as_tenant(organization):
        (entry,) = audit.entries(act="app_made")
    assert (owner, f"app/{made_app['app']}", "127.0.0.1") == (entry.person, entry.subject, entry.address)
    assert "By the token “Nightly <i>”" in client.get(f"/o/{organization}/log.csv?act=app_made").get_data(as_text=True)


def test_use_is_noted_once_a_minute(server: Flask, organization: str, owner: str) -> None:
    """When and from where; who asks without a good token notes nothing."""
    token = make_token(organization, owner)
    assert 401 == status(server, token[:-1] + ("0" if token[-1] != "0" else "1"))
    assert [(None, "")] == [(row.used_at, row.used_address) for row in kept(organization)]
    assert 200 == status(server, token)
    first = kept(organization)[0].used_at
    assert first is not None and now_us() - first < 60_000_000
    assert 200 == status(server, token) and first == kept(organization)[0].used_at
    with moved(61):
        assert 200 == status(server, token)
    assert first != kept(organization)[0].used_at


def test_whoever_belongs_to_several_chooses(server: Flask, organization: str, owner: str) -> None:
    """Without a choice the form says so and keeps what was typed; tokens are listed by organization."""
    other = make_organization("Other place")
    client = signed_in(server)
    answer = client.post(PAGE, data=form("", name="Mine to keep"))
    assert ["Choose an organization."] == errors(answer) and "Mine to keep" in answer.get_data(as_text=True)
    made(client, other, name="There")
    made(client, organization, name="Here")
    page = client.get(PAGE).get_data(as_text=True)
    assert page.index("<h2>Other place</h2>") < page.index("<strong>There</strong>")


def test_a_page_without_forgery_token_makes_nothing(server: Flask, organization: str, owner: str) -> None:
    """No other site can have a browser make a token, or remove one."""
    client = signed_in(server, csrf=True)
    assert 400 == client.post(PAGE, data=form(organization)).status_code
    assert 200 == client.post(PAGE, data=form(organization, csrf_token=client.token(PAGE))).status_code
