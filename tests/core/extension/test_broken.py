"""Strangers' plugins that raise, end the process, or want what is not theirs: the server does its work beside each of them."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from flask import Blueprint, current_app
from markupsafe import Markup
from sqlalchemy import func, select, text

from core.api import (
    API_ROOT,
    BlockType,
    Channel,
    Component,
    Document,
    FieldInput,
    FieldType,
    FormulaFunction,
    Importer,
    Kind,
    Needs,
    Operations,
    Pages,
    RunKind,
    StoreKind,
    apps,
    direct,
    documents,
    transaction,
)
from core.app import OWN
from core.backups.catalog import find_backup
from core.base.db import db
from core.base.errors import AppkeepError, Forbidden
from core.cli.verbs import registry_commands
from core.extension import hook_calls, hookspecs
from core.extension.declared import check_declared
from core.extension.registry import BROUGHT as BROUGHT_AS
from core.extension.registry import load_plugins
from core.imports.apply import find_importer
from core.processes.scheduler import tick
from core.server import server
from core.tenancy.migrate import ensure_schema
from core.tenancy.wall import as_server
from plugins.worksheets import service
from tenants.notifications.models import Delivery
from tests.conftest import fresh_database, made_organization
from tests.core.extension.strangers import Entry, installed, plugin, started
from tests.program import make_token
from tests.web import OWNER, make_organization, make_person, signed_in


def raising(*_: object) -> Any:
    """Raise, as a mistake does."""
    raise ValueError("a mistake")


def ending(*_: object) -> Any:
    """Want to end the process."""
    raise SystemExit(3)


def writing(*_: object) -> Any:
    """Write half of something, then fail."""
    db.session.execute(text("UPDATE app SET name = 'Half'"))
    raise ValueError("half-way")


def nothing(*_: object) -> None:
    """Give nothing."""


TOLD = ("app_created", "app_deleted", "run_finished", "backup_acted", "app_menu", "manage_menu", "mobile_menu", "app_look", "apps_listed", "shuts",
        "app_roles", "sees_app", "organization_time_zone", "person_name", "org_choices", "may_schedule", "record_changed", "record_purged",
        "record_panels", "records_there", "rights_on", "colleagues_of", "addresses_of", "runs_referred", "clock_ticked", "database_ready",
        "objects_recorded", "objects_released", "org_reference_exists", "schedules_need", "schedule_paused", "secrets_resealed")
BROUGHT = ("register_component", "register_field_type", "register_formula_function", "register_importer", "register_run_kind",
           "register_store", "register_field_input", "register_block_type", "register_step_type", "register_channel")
SHEET = Document(kind="worksheet", key="w_1111111111", position=0, body={"name": "People", "fields": [
    {"key": "f_1111111111", "type": "text", "name": "Name", "options": {}}]})


def a_number(*_: object) -> Any:
    """Give what no hook gives."""
    return 7


def a_text(*_: object) -> Any:
    """Give a text, which is no list of texts."""
    return "nonsense"


def a_list_of_numbers(*_: object) -> Any:
    """Give a list of something else."""
    return [7, None, object()]


def without_end(*_: object) -> Any:
    """Give a list that has no end."""
    return count()


def failing_halfway(*_: object) -> Any:
    """Give a list that fails while it is read."""
    yield object()
    raise ValueError("half-way")


def impl(hook: str, does: Any) -> Any:
    """Return an implementation of a hook that takes what the hook gives."""
    names = ", ".join(server_arguments(hook))
    made: dict[str, Any] = {}
    exec(f"def {hook}({names}):\n    return does({names})", {"does": does}, made)
    return made[hook]


def server_arguments(hook: str) -> list[str]:
    """Return the names of a hook's arguments."""
    return list(inspect.signature(getattr(hookspecs, hook)).parameters)


def works(home: Path, name: str) -> None:
    """Prove that an app is made, seen on its pages, backed up and restored."""
    with made_organization(name) as organization:
        person = make_person(OWNER)
        with transaction():
            app = apps.create("Sales", person)
            documents.put(app, SHEET, person)
            for name in ("Ann", "Bob"):
                service.put_record(app, "w_1111111111", None, {"f_1111111111": name}, person)
        app_id = app.id
        backup_id = direct.back_up(app, person=person).id
        with transaction():
            documents.put(apps.find(app_id), Document(kind="app", key="main", body={"name": "Other"}, position=0), "system")
            service.delete_record(apps.find(app_id), "w_1111111111", 1, person)
            service.purge_record(apps.find(app_id), "w_1111111111", 1, person)
        direct.restore(apps.find(app_id), find_backup(backup_id))
        assert "Sales" == apps.find(app_id).name and 2 == len(list(service.all_rows(apps.find(app_id), "w_1111111111")))
    tick()
    with as_server():
        assert db.session.scalar(select(func.count()).select_from(Delivery)), "nobody was told by mail that the backup is done"
    client = signed_in(server_app())
    for path in ("", "log", "members", f"apps/{app_id}/worksheet/w_1111111111", f"apps/{app_id}/worksheet/w_1111111111/record/1",
                 f"apps/{app_id}/manage", f"apps/{app_id}/manage/backups"):
        assert 200 == client.get(f"/o/{organization}/{path}", follow_redirects=True).status_code, path


def server_app() -> Any:
    """Return the application of the current context."""
    return current_app._get_current_object()  # type: ignore[attr-defined]


def looping(*_: object) -> Any:
    """Never return, and take no error that it could take."""
    while True:
        with suppress(Exception):
            sum(range(1000))


def sleeping(*_: object) -> Any:
    """Sleep for long."""
    time.sleep(1000)


@pytest.mark.parametrize("does", [raising, ending, writing, a_number, a_text, a_list_of_numbers, without_end, failing_halfway, looping, sleeping],
                         ids=lambda does: does.__name__)
def test_one_that_fails_in_every_hook_stops_nobody(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, does: Any) -> None:
    """Whatever it raises: apps, pages, backups and restores go on, nothing of what it wrote stays, and the log names it."""
    if does in (looping, sleeping):
        monkeypatch.setattr(hook_calls, "PAGE_S", 0.1)
        monkeypatch.setattr(hook_calls, "ELSEWHERE_S", 0.1)
    bad = plugin("bad", **{hook: impl(hook, does) for hook in TOLD})
    with installed(monkeypatch, bad), started(home, fresh_database("sqlite", home, request)), caplog.at_level(logging.ERROR):
        works(home, "Example")
    assert "The plugin bad" in caplog.text


@pytest.mark.parametrize("hook", BROUGHT)
@pytest.mark.parametrize("does", [raising, ending, a_number, a_text, a_list_of_numbers, without_end, failing_halfway, looping, sleeping],
                         ids=lambda does: does.__name__)
def test_one_that_brings_nonsense_is_left_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, hook: str, does: Any) -> None:
    """The server starts without it, says which, and has all that others bring."""
    monkeypatch.setattr(hook_calls, "ELSEWHERE_S", 0.5)
    with installed(monkeypatch, plugin("bad", **{hook: impl(hook, does)})), started(home, fresh_database("sqlite", home, request)):
        registry = server().registry
        assert ["bad"] == list(registry.broken)
        assert registry.components and registry.field_types and registry.importers and registry.run_kinds


def test_one_that_does_not_return_leaves_requests_for_everybody_else(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Those of one plugin's places wait with it, within the C library where nothing interrupts; the next does without it."""
    monkeypatch.setattr(hook_calls, "SLOW_S", 0.2)
    inside, go_on = threading.Semaphore(0), threading.Event()

    def waiting(app: Any) -> Any:
        inside.release()
        go_on.wait()
        return ()

    bad = plugin("bad", app_menu=waiting)
    with installed(monkeypatch, bad), started(home, fresh_database("sqlite", home, request)) as flask_app, made_organization("Example"):
        manager, implementation = server().registry.manager, server().registry.hook.app_menu.get_hookimpls()[-1]
        assert "bad" == implementation.plugin_name

        def asked() -> Any:
            with flask_app.test_request_context():
                return manager.call_one("app_menu", implementation, [None])

        threads = [threading.Thread(target=asked, daemon=True) for _ in range(hook_calls.AT_ONCE)]
        for one in threads:
            one.start()
        for _ in threads:
            inside.acquire()
        assert asked() is None
        assert f"{hook_calls.AT_ONCE} requests are within it and do not come out" in caplog.text
        go_on.set()
        for one in threads:
            one.join()
        assert [] == asked()


def test_an_import_that_does_not_end_leaves_its_plugin_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a loop or by a sleep."""
    monkeypatch.setattr(hook_calls, "ELSEWHERE_S", 0.3)
    slow = [Entry("looping", ModuleType("looping")), Entry("sleeping", ModuleType("sleeping"))]
    for entry, does in zip(slow, (looping, sleeping), strict=True):
        entry.load = does  # type: ignore[method-assign]
    with installed(monkeypatch, *slow), started(home, fresh_database("sqlite", home, request)):
        assert {"looping", "sleeping"} == set(server().registry.broken)
        assert all("did not return within" in reason for reason in server().registry.broken.values())


def test_one_that_goes_on_failing_is_not_called_any_more(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many times; what it registered stays."""
    called: list[str] = []

    def failing(app: Any, person: str) -> None:
        called.append(person)
        raise ValueError("again")

    with installed(monkeypatch, plugin("bad", app_created=failing)), started(home, fresh_database("sqlite", home, request)), \
            made_organization("Example"):
        for number in range(hook_calls.MOST_FAILURES + 5):
            with transaction():
                apps.create(f"App {number}", "system")
        assert hook_calls.MOST_FAILURES == len(called)
        assert "failed 20 times" in server().registry.manager.off["bad"]
        assert "bad" in server().registry.versions


def test_only_hooks_that_may_refuse_refuse(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload may be refused by a stranger; the creation of an app may only be followed."""
    def refuse(*_: object, **__: object) -> None:
        raise Forbidden("Not today.")

    bad = plugin("bad", app_created=impl("app_created", refuse), objects_reserved=impl("objects_reserved", refuse))
    with installed(monkeypatch, bad), started(home, fresh_database("sqlite", home, request)), made_organization("Example"):
        with transaction():
            app = apps.create("Sales", "system")
        with pytest.raises(AppkeepError, match="Not today"):
            direct.back_up(app)


def test_appkeeps_own_are_asked_first(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's answer counts where nobody else has one."""
    with installed(monkeypatch, plugin("other", organization_time_zone=lambda organization_id: "Asia/Tokyo")), \
            started(home, fresh_database("sqlite", home, request)), made_organization("Example") as organization:
        assert "Asia/Tokyo" != server().registry.hook.organization_time_zone(organization_id=organization)


def pages(name: str, address: str, *, gated: bool = True) -> Blueprint:
    """Return a page of a stranger's."""
    made = Pages(name, __name__)
    if gated:
        made.page(address, Needs.NOTHING)(nothing)
    else:
        made.add_url_rule(address, "page", lambda: "")
    return made


@pytest.mark.parametrize("given", [
    lambda: pages("stranger", "/sign-in"), lambda: pages("stranger", "/new", gated=False), lambda: Blueprint("plain", __name__),
    lambda: 7, lambda: pages("apps", "/new"), raising], ids=["shadow", "no gate", "plain", "number", "name", "raises"])
def test_pages_that_cannot_be_served_leave_their_plugin_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, given: Any) -> None:
    """At an address that is taken, past the gate, of another kind, under a name that is taken."""
    with installed(monkeypatch, plugin("bad", register_blueprint=given)), started(home, fresh_database("sqlite", home, request)):
        assert "its pages cannot be served" in server().registry.broken["bad"]
        works(home, "Example")


STOPPING = [GeneratorExit(), asyncio.CancelledError("in the middle")]


def stopping(error: BaseException) -> Any:
    """Return what raises what is no error, whatever it is called with."""
    def stop(*_: object, **__: object) -> Any:
        raise error

    return stop


WIDE: dict[str, Any] = {
    "before_app_request": lambda: None, "after_app_request": lambda response: None, "teardown_app_request": lambda error: None,
    "app_context_processor": lambda: {"csrf_token": "x"}, "app_url_defaults": lambda endpoint, values: None,
    "app_url_value_preprocessor": lambda endpoint, values: None}


@pytest.mark.parametrize("wide", [*WIDE, "app_errorhandler", "filter", "global", "test"])
def test_what_a_plugin_adds_to_every_page_leaves_it_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, wide: str) -> None:
    """One that fails would fail them all; a filter of its own by a name that templates use would change them all."""
    made = pages("stranger", "/strange")
    if wide in WIDE:
        getattr(made, wide)(WIDE[wide])
    elif wide == "app_errorhandler":
        made.app_errorhandler(404)(a_text)
    else:
        name = {"filter": "when", "global": "csrf_token", "test": "defined"}[wide]
        getattr(made, f"app_template_{wide}")(name)(a_text)
    with installed(monkeypatch, plugin("bad", register_blueprint=lambda: made)), started(home, fresh_database("sqlite", home, request)):
        assert "every page" in server().registry.broken["bad"] or "have already" in server().registry.broken["bad"]
        works(home, "Example")


@pytest.mark.parametrize("given", [nothing, a_number, raising, stopping(GeneratorExit())], ids=["none", "number", "raises", "generator"])
def test_what_fails_after_a_page_takes_nothing_from_it(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, given: Any) -> None:
    """The page is answered as it was, and the log names the plugin; what its own templates may add is its own."""
    made = Pages("stranger", __name__)
    made.page("/right", Needs.NOTHING)(a_text)
    made.after_request(given)
    made.teardown_request(raising)
    made.app_template_filter("strangely")(a_text)
    with installed(monkeypatch, plugin("bad", register_blueprint=lambda: made)), started(home, fresh_database("sqlite", home, request)) as flask:
        answer = flask.test_client().get("/right")
        assert (200, "nonsense") == (answer.status_code, answer.text)
        assert "The plugin bad failed after its page" in caplog.text or "The plugin bad gave" in caplog.text
        assert "The plugin bad failed when a request for its page had ended" in caplog.text


def operations(*, name: str = "mine", rule: str = f"{API_ROOT}/mine", **said: Any) -> Operations:
    """Return an operation of a stranger's."""
    made = Operations("stranger", __name__)
    made.operation("GET", rule, Needs.SIGNED_IN, name=name, scope="", subject="Mine", summary="Mine", **said)(a_number)
    return made


@pytest.mark.parametrize(("said", "why"), [
    ({"answer": {"type": "nonsense"}}, "not described rightly"), ({"answer": {"type": {1, 2}}}, "not described rightly"),
    ({"query": {"q": 7}}, "not described rightly"), ({"name": "me"}, "name of another"), ({"rule": f"{API_ROOT}/me"}, "which another page has")])
def test_operations_that_would_spoil_the_document_leave_their_plugin_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], why: str) -> None:
    """What is no schema, or a name or an address that another operation has: the document of all others stays right."""
    made = operations(**said)
    with installed(monkeypatch, plugin("bad", register_blueprint=lambda: made)), started(home, fresh_database("sqlite", home, request)) as flask:
        assert why in server().registry.broken["bad"]
        assert 200 == flask.test_client().get(f"{API_ROOT}/openapi.json").status_code


def test_an_operation_of_a_stranger_is_served_behind_the_gate(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the document, and asks for a token as all do."""
    made = operations(answer={"type": "integer"})
    with installed(monkeypatch, plugin("good", register_blueprint=lambda: made)), started(home, fresh_database("sqlite", home, request)) as flask:
        client = flask.test_client()
        assert "mine" == client.get(f"{API_ROOT}/openapi.json").get_json()["paths"][f"{API_ROOT}/mine"]["get"]["operationId"]
        assert 401 == client.get(f"{API_ROOT}/mine").status_code
        token = make_token(make_organization("Example"), make_person("owner@example.org"))
        assert 7 == client.get(f"{API_ROOT}/mine", headers={"Authorization": f"Bearer {token}"}).get_json()


@pytest.mark.parametrize("error", STOPPING, ids=["generator", "task"])
@pytest.mark.parametrize("hook", ["entry", "register_component", "register_migrations", "register_blueprint", "app_created"])
def test_what_ends_a_generator_or_a_task_ends_no_server(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
        error: BaseException, hook: str) -> None:
    """Raised while a plugin is loaded, brings something or is told of something: it counts as the plugin's failure, with its name."""
    bad = Entry("bad", error) if hook == "entry" else plugin("bad", **{hook: impl(hook, stopping(error))})
    with installed(monkeypatch, bad), started(home, fresh_database("sqlite", home, request)):
        ensure_schema()
        works(home, "Example")
        registry = server().registry
        assert f"it raised {type(error).__name__}" in registry.broken.get("bad", caplog.text)
        assert "The plugin bad " in caplog.text and ("bad" in registry.versions) == (hook == "app_created")


@pytest.mark.parametrize(("given", "why"), [
    (nothing, "gave NoneType"), (a_number, "gave int"), (lambda: ("x", "y", "z", "more"), "gave tuple"), (ending, "stopped in the middle"),
    (stopping(GeneratorExit()), "stopped in the middle"), (raising, "")], ids=["none", "int", "tuple", "exit", "generator", "raises"])
def test_a_page_that_gives_no_page_names_its_plugin(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, given: Any, why: str) -> None:
    """To whoever asked for it where it is no mistake of the code itself, and in the log."""
    made = Pages("stranger", __name__)
    made.page("/strange", Needs.NOTHING)(given)
    made.page("/right", Needs.NOTHING)(a_text)
    with installed(monkeypatch, plugin("bad", register_blueprint=lambda: made)), started(home, fresh_database("sqlite", home, request)) as flask:
        answer = flask.test_client().get("/strange")
        assert 500 == answer.status_code and why in answer.text and (not why or "plugin “bad”" in answer.text)
        assert any("plugin bad" in one for one in caplog.messages)
        assert "nonsense" == flask.test_client().get("/right").text


def test_a_function_or_a_control_of_appkeeps_own_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that formulas have would never be called, a control would stand for all fields: the plugin is left out, with the reason."""
    function = FormulaFunction(name="sum", usage="sum(text)", says="Something.", call=str)
    given = FieldInput(type="text", control=lambda *_: Markup(), read=lambda *_: None)
    with installed(monkeypatch, plugin("first", register_formula_function=lambda: function), plugin("second", register_field_input=lambda: given)):
        broken = load_plugins(own=OWN).broken
    assert "Two plugins bring a function of formulas called “sum”" in broken["first"]
    assert "The field type “text” is one of Appkeep’s own" in broken["second"]


def test_a_command_is_not_replaced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither one of the first level nor one within a group; its own command is there."""
    def register(cli: click.Group) -> None:
        cli.add_command(click.Command("backup", help="Mine."))
        within = cli.commands["app"]
        assert isinstance(within, click.Group)
        within.add_command(click.Command("list", help="Mine."))
        cli.add_command(click.Command("stranger", help="Mine."))

    main, app = click.Group("appkeep"), click.Group("app")
    for group, name in ((main, "backup"), (app, "list")):
        group.add_command(click.Command(name, help="Ours."))
    main.add_command(app)
    with installed(monkeypatch, plugin("bad", register_commands=register)):
        registry_commands(main)
    assert ["Ours.", "Ours.", "Mine."] == [main.commands["backup"].help, app.commands["list"].help, main.commands["stranger"].help]
    assert 2 == capsys.readouterr().err.count("may not replace the command")


class Bad(Component):
    """A component with a kind that is wrong in some way."""

    name, title = "bad", "Bad"

    def __init__(self, kind: Kind) -> None:
        self.kinds = (kind,)  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "why"), [
    (Kind(name="Bad Name", title="Bad", schema={}, letter="x"), "needs a name"), (Kind(name="bad", title="Bad", schema={}), "needs a letter"),
    (Kind(name="bad", title="Bad", schema={}, letter="w"), "has the letter"), (Kind(name="page", title="Bad", schema={}, letter="x"), "name a kind"),
    (Kind(name="bad", title="Bad", schema={"type": "nothing"}, letter="x"), "a schema that is none")])
def test_a_kind_that_cannot_be_kept_leaves_its_plugin_out(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: Kind, why: str) -> None:
    """Its name, its letter, its schema; and the server works."""
    with installed(monkeypatch, plugin("bad", register_component=lambda: Bad(kind))), started(home, fresh_database("sqlite", home, request)):
        assert why in server().registry.broken["bad"]
        works(home, "Example")


class Own(Component):
    """A component that says of itself what a test says."""

    name, title, kinds = "own", "Own", ()

    def __init__(self, **says: object) -> None:
        vars(self).update(says)


class Ribbon(FieldType):
    """A field type that says of itself what a test says."""

    name, title = "ribbon", "Ribbon"

    def __init__(self, **says: object) -> None:
        vars(self).update(says)


class Untold(Importer):
    """An importer that says nothing of itself."""


def kind(**says: Any) -> Own:
    """Return a component with a kind that says of itself what a test says."""
    return Own(kinds=(Kind(**{"name": "own", "title": "Own", "letter": "own", "schema": {"type": "object"}, **says}),))


def pointing(target: str) -> dict[str, Any]:
    """Return a schema that points somewhere."""
    return {"type": "object", "properties": {"name": {"$ref": target}}, "$defs": {"name": {"type": "string"}}}


def block(**says: Any) -> BlockType:
    """Return a type of blocks that says of itself what a test says."""
    return BlockType(**{"name": "own", "title": "Own", "show": str, **says})


WRONG: list[tuple[str, Any, str]] = [
    ("register_component", Own(rank=None), "the “rank” None, which should be int"), ("register_component", Own(about=None), "the “about” None"),
    ("register_component", Own(note_words=["x"]), "the “note_words”"), ("register_component", Own(key_words=None), "the “key_words” None"),
    ("register_component", Own(first_step="Begin"), "the “first_step”"), ("register_component", Own(kinds=None), "the “kinds” None"),
    ("register_component", Own(kinds=iter([])), "the “kinds”"), ("register_component", kind(title=None), "the “title” None"),
    ("register_component", kind(letter=None), "the “letter” None"), ("register_component", kind(schema=pointing("#/$defs/x")), "#/$defs/x"),
    ("register_component", kind(schema=pointing("http://127.0.0.1:9/x")), "http://127.0.0.1:9/x"),
    ("register_component", kind(parts={"row": "rows"}), "parts in the property “rows”"), ("register_field_type", Ribbon(title=None), "the “title” None"),
    ("register_field_type", Ribbon(name="A b"), "needs a name"), ("register_field_type", Ribbon(name="x" * 41), "needs a name"),
    ("register_field_type", Ribbon(name=7), "the “name” 7"), ("register_field_type", Ribbon(like="banana"), "like “banana”"),
    ("register_field_type", Ribbon(options={"type": "banana"}), "a schema that is none"), ("register_importer", Untold(), "has no “name”"),
    ("register_formula_function", FormulaFunction(name="own", usage="own()", says="Own.", call=None), "the “call” None"),  # type: ignore[arg-type]
    ("register_formula_function", FormulaFunction(name="own", usage="own()", says="Own.", call=str, least=2), "2 to 1 arguments"),
    ("register_run_kind", RunKind(name="own", title="Own", work="nowhere"), "package.module:function"),
    ("register_run_kind", RunKind(name="own", title="Own", work="a:b", most_open="x"), "the “most_open”"),  # type: ignore[arg-type]
    ("register_store", StoreKind(name="s3", open=str), "none of file, s3"), ("register_block_type", block(show=None), "the “show” None"),  # type: ignore[arg-type]
    ("register_block_type", block(needed=["goal"]), "the setting “goal”"), ("register_block_type", block(settings=["x"]), "the “settings”"),
    ("register_block_type", block(starts={"goal": 1}), "do not fit"),
    ("register_channel", Channel(name="own", title=None, send=str), "the “title” None")]  # type: ignore[arg-type]


@pytest.mark.parametrize(("hook", "given", "why"), WRONG)
def test_what_says_nonsense_of_itself_leaves_its_plugin_out(monkeypatch: pytest.MonkeyPatch, hook: str, given: Any, why: str) -> None:
    """What is brought is of the right class; an attribute of it would break pages of everybody. The reason names it."""
    with installed(monkeypatch, plugin("bad", **{hook: lambda: given})):
        assert why in load_plugins(own=OWN).broken["bad"]


def test_appkeeps_own_say_what_they_are() -> None:
    """What judges strangers' things finds nothing wrong with Appkeep's own, nor with a right thing."""
    registry = load_plugins(own=OWN, strangers=False)
    for brought in set(BROUGHT_AS) - {"kinds"}:
        for thing in getattr(registry, brought).values():
            check_declared(thing)
    check_declared(kind(schema=pointing("#/$defs/name")))


@pytest.mark.parametrize("name", ["tenants.plugin", "good"])
def test_a_name_that_is_taken_takes_nobody_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An entry point that is called as Appkeep's own plugin is, or another package's: the first stays, the second is left out."""
    twin = plugin(name, register_component=lambda: Own(name="twin"))
    with installed(monkeypatch, plugin("good", register_component=lambda: Own()), twin):
        registry = load_plugins(own=OWN)
    assert registry.manager.has_plugin("tenants.plugin") and {"good"} == registry.manager.strangers and "own" in registry.components
    assert f"another plugin is called “{name}”" in registry.broken[f"{name} of another package"]


def test_one_module_is_one_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entry points that lead to one module: the second is left out, with the name of the first."""
    first = plugin("first", register_component=lambda: Own())
    with installed(monkeypatch, first, Entry("second", first.given)):
        registry = load_plugins(own=OWN)
    assert "the module of the plugin “first”" in registry.broken["second"] and "own" in registry.components


@pytest.mark.parametrize(("sure", "reads"), [(True, "csv"), (0.4, "csv"), (0.9, "other"), (float("nan"), "csv"), ("yes", "csv"), (None, "csv")])
def test_the_surest_importer_reads_a_file_and_appkeeps_own_where_none_is_surer(
        home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, sure: Any, reads: str) -> None:
    """Whatever a stranger's says of a file, or raises."""
    class Other(Importer):
        """Says that it knows every file."""

        name, title = "a_other", "Other"

        def recognizes(self, path: Path) -> Any:
            if sure is None:
                raise ValueError("a mistake")
            return sure

    (tmp_path / "a.csv").write_text("Name,Age\nAnn,7\n")
    with installed(monkeypatch, plugin("other", register_importer=lambda: Other())), \
            started(home, fresh_database("sqlite", home, request)):
        assert ("a_other" if reads == "other" else reads) == find_importer(tmp_path / "a.csv", None).name
