"""The wall: every address × every kind of visitor, found mechanically, so that a page made tomorrow is tried too.

Nobody learns of what they may not see: the answer is 404, the same as for what does not exist. What one sees and may
not do answers 403. Who has not signed in is asked to.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from core.api import API_ROOT, as_tenant, csrf
from core.web.gate import Needs, needs_of
from tests import walled
from tests.conftest import fresh_database, opened_server
from tests.program import make_token
from tests.walled import Place
from tests.web import Browser, browser, make_organization, make_person, signed_in

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
INSIDE = frozenset(range(200, 500)) - {401}
"""Whoever may enter gets any answer but a failure."""
TO_SIGN_IN = frozenset({302, 401})
LACKING = ("/page/<key>/file/<content>", "/file/<field>/<content>", "/files/<field>/<content>", "/rows/<field>/add")
"""Ends of addresses that name a file of a certain page or record, or a row of its own, which the first of each lacks."""
VISITORS = ("nobody", "stranger", "outside", "roleless", "reader", "admin", "owner")
SEES = {"reader", "outside", "owner"}
OPEN_TO: dict[Needs, set[str]] = {
    Needs.MEMBER: {"roleless", "reader", "admin", "owner"},
    Needs.ORG_ADMIN: {"admin", "owner"},
    Needs.OWNER: {"owner"},
    Needs.APP: SEES,
    Needs.APP_ADMIN: {"outside", "owner"},
    Needs.BACKUP: {"owner"},
}


@dataclass
class World:
    """Two organizations that have everything, and the browsers of whoever visits the first."""

    server: Flask
    here: Place
    there: Place
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, visitor: str) -> Browser:
        """Return a browser of a kind of visitor of the first organization."""
        if visitor == "nobody":
            return browser(self.server)
        where = self.there if visitor == "stranger" else self.here
        client = signed_in(self.server, f"{'owner' if visitor == 'stranger' else visitor}@{where.salt}.example")
        client.get("/no-such-page")  # so that no later answer is the first, which alone sets a cookie
        client.api_token = self.tokens.setdefault(visitor, "") or self._token(visitor, where)
        return client

    def _token(self, visitor: str, where: Place) -> str:
        person = make_person(f"{'owner' if visitor == 'stranger' else visitor}@{where.salt}.example")
        self.tokens[visitor] = made = make_token(where.organization_id, person)
        return made


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, Place, Place]:
    """The home of a server on SQLite that has both organizations, to be copied."""
    home = tmp_path_factory.mktemp("wall")
    for _ in opened_server(home, fresh_database("sqlite", home, request)):
        here, there = walled.build("Walrus", "here"), walled.build("Quagga", "there")
    return home, here, there


@pytest.fixture
def world(home: Path, built: tuple[Path, Place, Place]) -> Iterator[World]:
    """The world on SQLite, as new for each test."""
    shutil.copytree(built[0], home, dirs_exist_ok=True)
    for server in opened_server(home, ""):
        yield World(server, *built[1:])


def routes(server: Flask, *, guests: bool = False) -> list[tuple[Rule, str, Needs]]:
    """Return every rule with each of its methods and what it needs: those for members, or those for *guests* of an app."""
    found = []
    for rule in sorted(server.url_map.iter_rules(), key=lambda rule: rule.rule):
        needs = needs_of(server.view_functions[rule.endpoint], rule)
        if rule.endpoint != "static" and needs is not None and rule.rule.startswith("/portal/") is guests:
            found += [(rule, method, needs) for method in METHODS if method in (rule.methods or ())]
    return found


def variables(rule: Rule) -> list[tuple[str, str]]:
    """Return the variables of a rule, each with the fixed word that stands before it."""
    return [(name, before) for before, name in re.findall(r"([a-z_]*)/<(?:[a-z_]+(?:\([^)]*\))?:)?([a-z_]+)>", rule.rule)]


def filled(rule: Rule, place: Place, other: dict[str, str] | None = None) -> str:
    """Return a rule's address with real values; *other* values go first."""
    path, given = rule.rule, {}
    with as_tenant(place.organization_id):
        for name, before in variables(rule):
            if name not in walled.VALUES:
                pytest.fail(f"The rule {rule.rule} has a variable <{name}> that the test of the wall does not know: "
                            "say in VALUES of tests/walled.py what real value stands for it.")
            kind = given.get("kind", before) if before == "" else before
            given[name] = walled.VALUES[name](place, kind)
    for name, value in {**given, **(other or {})}.items():
        path = re.sub(rf"<(?:[a-z_]+(?:\([^)]*\))?:)?{name}>", value, path)
    return path


def allowed(needs: Needs, visitor: str, *, names_app: bool) -> frozenset[int]:
    """Return the answers that a visitor may get."""
    if needs is Needs.NOTHING:
        return INSIDE | {401}
    if visitor == "nobody":
        return TO_SIGN_IN
    if needs is Needs.SIGNED_IN:
        return INSIDE
    if visitor in OPEN_TO[needs]:
        return INSIDE
    known = visitor in SEES if names_app else visitor in OPEN_TO[Needs.MEMBER]
    return frozenset({403} if known else {404})


def is_of_token(rule: Rule) -> bool:
    """Say whether a rule is of the API: there the token says which organization is meant."""
    return rule.rule.startswith(API_ROOT)


def not_made_up(rule: Rule) -> bool:
    """Say whether the two organizations have what a rule names, so that its owner gets in."""
    return "token" not in rule.arguments and not rule.rule.endswith(LACKING)


def ask(client: Browser, method: str, path: str) -> TestResponse:
    """Send a request without anything in it; to the API with the visitor's token."""
    headers = {"Authorization": f"Bearer {client.api_token}"} if path.startswith(API_ROOT) and client.api_token else {}
    answer = client.open(path, method=method, headers=headers)
    answer.get_data()
    return answer


def test_every_page_says_who_may_enter(sqlite_server: Flask) -> None:
    """A page without needs is closed, and is a mistake."""
    silent = [rule.endpoint for rule in sqlite_server.url_map.iter_rules()
              if rule.endpoint != "static" and not isinstance(getattr(sqlite_server.view_functions[rule.endpoint], "needs", None), Needs)]
    assert [] == silent


def test_every_address_that_needs_an_organization_names_it(sqlite_server: Flask) -> None:
    """The gate reads the organization and the app from the address, so each page that needs them names them."""
    for rule, _, needs in routes(sqlite_server):
        names = {name for name, _ in variables(rule)}
        if needs not in (Needs.NOTHING, Needs.SIGNED_IN) and not is_of_token(rule):
            assert "organization_id" in names, rule.rule
        if needs in (Needs.APP, Needs.APP_ADMIN, Needs.BACKUP):
            assert "app_id" in names, rule.rule
        if needs in (Needs.NOTHING, Needs.SIGNED_IN):
            assert not names & {"organization_id", "app_id"}, rule.rule


@pytest.mark.parametrize("visitor", VISITORS)
def test_each_visitor_gets_in_where_they_may_and_nowhere_else(world: World, visitor: str) -> None:
    """Every address × every method: only the allowed answers, and no refusal tells a secret."""
    wrong, client = [], world.client(visitor)
    order = sorted(routes(world.server), key=lambda route: METHODS.index(route[1]))  # asking first, changing last
    addresses = [(rule, method, needs, filled(rule, world.here)) for rule, method, needs in order]
    for rule, method, needs, path in addresses:
        if needs is Needs.SIGNED_IN and method != "GET":
            client = world.client(visitor)
        answer = ask(client, method, path)
        may = allowed(needs, visitor, names_app="app_id" in path or "<app_id>" in rule.rule)
        if visitor == "stranger" and is_of_token(rule) and "app_id" not in rule.arguments:
            may = INSIDE  # their token leads to their own organization
        if answer.status_code not in may:
            wrong.append(f"{method} {rule.rule}: {answer.status_code}, not one of {sorted(may)[:3]}")
        elif visitor in ("nobody", "stranger", "roleless"):
            told = [secret for secret in world.here.secrets if secret in answer.get_data(as_text=True)]
            wrong += [f"{method} {rule.rule} tells {secret}" for secret in told]
        if visitor == "owner" and method == "GET" and answer.status_code >= 400 and not_made_up(rule):
            wrong.append(f"GET {path}: {answer.status_code} for its owner: a value in tests/walled.py is not real")
        if needs in (Needs.NOTHING, Needs.SIGNED_IN) and method != "GET":
            client = world.client(visitor)
    assert [] == wrong, "\n".join(wrong)


def test_a_stranger_cannot_tell_what_exists(world: World) -> None:
    """Another organization's things and things that do not exist answer alike: status, headers and body."""
    _alike(world, world.client("stranger"))


def test_somebody_without_a_role_cannot_tell_what_exists(world: World) -> None:
    """A member without a role gets the same answer for an app of the organization and for none."""
    client, wrong = world.client("roleless"), []
    for rule, method, needs in routes(world.server):
        if needs in (Needs.APP, Needs.APP_ADMIN, Needs.BACKUP):
            real, made_up = (filled(rule, world.here, other) for other in ({}, {"app_id": walled.MADE_UP["app_id"]}))
            one, other = same(ask(client, method, real)), same(ask(client, method, made_up))
            if one != other:
                wrong.append(f"{method} {rule.rule}: {one}\n{other}")
    assert [] == wrong, "\n".join(wrong)


def _alike(world: World, client: Browser) -> None:
    wrong = []
    for rule, method, needs in routes(world.server):
        if needs in (Needs.NOTHING, Needs.SIGNED_IN):
            continue
        names = {name for name, _ in variables(rule)}
        if is_of_token(rule) and not names:
            continue  # a token leads to its own organization, whatever an address says
        made_up = {name: value for name, value in walled.MADE_UP.items() if name in names}
        real, not_there = ask(client, method, filled(rule, world.here)), ask(client, method, filled(rule, world.here, made_up))
        if 404 != real.status_code or same(real) != same(not_there):
            wrong.append(f"{method} {rule.rule}: {real.status_code} and {not_there.status_code}")
    assert [] == wrong


def same(answer: TestResponse) -> tuple[int, list[tuple[str, str]], str]:
    """Return what can be told of an answer, without the ids of its address, tokens and the time."""
    headers = [(name, _plain(value) if name != "Set-Cookie" else value.partition("=")[0])
               for name, value in answer.headers if name != "Date"]
    # JSON writes a quotation mark as an escape, whose last letter would stand right before an id.
    told = json.dumps(answer.get_json(), ensure_ascii=False) if answer.is_json else answer.get_data(as_text=True)
    return answer.status_code, sorted(headers), _plain(told)


def _plain(text: str) -> str:
    return re.sub(r"\b[a-z]_[A-Za-z0-9]{10}\b", "ID", re.sub(r'(X-CSRFToken": "|csrf_token" value=")[^"]*', r"\1", text))


def test_ids_of_another_organization_open_nothing_under_ones_own(world: World) -> None:
    """Under one's own organization and app, each id of the other organization's answers 404, one at a time.

    Taking out what is not there may be no error; then it is none either for what there never was.
    """
    client, wrong, addresses = world.client("owner"), [], []
    for rule, method, needs in routes(world.server):
        for name, _ in variables(rule):
            if needs is not Needs.NOTHING and name not in walled.COMMON:
                theirs = _value(rule, name, world.there)
                made_up = theirs[:2] + "Z" * (len(theirs) - 2)
                addresses.append((rule, method, name, *(filled(rule, world.here, {name: one}) for one in (theirs, made_up))))
    for rule, method, name, path, nowhere in addresses:
        answer = ask(client, method, path)
        told = [secret for secret in world.there.secrets if secret in answer.get_data(as_text=True)]
        refused = answer.status_code == 404 or (method != "GET" and same(answer) == same(ask(client, method, nowhere)))
        if not refused or told:
            wrong.append(f"{method} {rule.rule} with another's {name}: {answer.status_code} {told}")
    assert [] == wrong, "\n".join(wrong)


def _value(rule: Rule, name: str, place: Place) -> str:
    with as_tenant(place.organization_id):
        before = dict(variables(rule))[name]
        return walled.VALUES[name](place, before or "worksheet")


def test_every_change_needs_a_token(world: World) -> None:
    """Each address that changes something refuses a request that another site could have made."""
    world.server.config["WTF_CSRF_ENABLED"] = True
    client, wrong = signed_in(world.server, f"owner@{world.here.salt}.example", csrf=True), []
    for rule, method, _ in routes(world.server):
        view = world.server.view_functions[rule.endpoint]
        if method != "GET" and f"{view.__module__}.{view.__name__}" not in csrf._exempt_views and not is_of_token(rule):
            answer = ask(client, method, filled(rule, world.here))
            if answer.status_code != 400 or "open for too long" not in answer.get_data(as_text=True):
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert [] == wrong


def test_an_operation_looks_at_no_cookie(world: World) -> None:
    """Whoever has signed in in a browser gets nothing of the API by that: so no other site can make a browser use it."""
    client = signed_in(world.server, f"owner@{world.here.salt}.example")
    open_to_all = [rule.rule for rule, method, needs in routes(world.server) if is_of_token(rule) and needs is not Needs.NOTHING
                   and 401 != ask(client, method, filled(rule, world.here)).status_code]
    assert [] == open_to_all


@pytest.mark.parametrize("visitor", ["stranger", "roleless"])
def test_the_wall_stands_on_each_engine(home: Path, engine: str, visitor: str, request: pytest.FixtureRequest) -> None:
    """The pages that are asked most refuse alike on SQLite and PostgreSQL."""
    for server in opened_server(home, fresh_database(engine, home, request)):
        world = World(server, walled.build("Walrus", "here"), walled.build("Quagga", "there"))
        client = world.client(visitor)
        for rule, method, needs in routes(world.server):
            if method == "GET" and needs in (Needs.APP, Needs.APP_ADMIN, Needs.BACKUP):
                assert 404 == ask(client, method, filled(rule, world.here)).status_code, rule.rule


def test_an_organization_that_is_gone_is_not_there(sqlite_server: Flask) -> None:
    """A member of one organization gets 404 for another, whether it exists or not."""
    mine, other = make_organization("Mine", "me@example.org"), make_organization("Other", "you@example.org")
    client = signed_in(sqlite_server, "me@example.org")
    assert [200, 404, 404] == [client.get(f"/o/{one}/").status_code for one in (mine, other, "o_ZZZZZZZZZZ")]
