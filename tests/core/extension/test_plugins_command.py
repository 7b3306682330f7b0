"""`appkeep plugins`: what it lists, taking a plugin out and bringing it back, dropping what it made, writing a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.api import apps, direct, documents, transaction
from core.apps import plugins
from core.base.errors import AppkeepError
from core.cli.main import main
from core.extension.hook_calls import MOST_FAILURES
from core.server import server
from core.tenancy import plugin_states
from core.tenancy.migrate import ensure_schema
from tests.conftest import made_organization
from tests.core.extension.strangers import database, installed, plugin, started, version
from tests.core.extension.test_migrations import TABLE, tables
from tests.core.extension.test_versions import BOOK, Books, old_book
from tests.test_example import ROOT, install, run
from tests.web import browser, make_member, signed_in


def test_a_plugin_is_taken_out_brought_back_and_dropped(
        engine: str, home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken out, it is not loaded and nothing of it goes; with its tables dropped, they and its documents are gone and all else stays."""
    url, folder = database(engine, home, request), version(tmp_path / "versions", "1a2b3c4d5e6f", TABLE)
    books = plugin("library", register_component=lambda: Books(), register_migrations=lambda: str(folder))
    with installed(monkeypatch, books), started(home, url):
        ensure_schema()
        with made_organization("Example"), transaction():
            app_id = apps.create("Library", "system").id
            documents.put(apps.find(app_id), old_book(), "system")
        plugins.remove("library", drop_tables=False)
    with installed(monkeypatch, books), started(home, url):
        ensure_schema()
        assert "appkeep plugins restore library" in plugins.listed()["broken"]["library"] and "stranger_note" in tables()
        with apps.opened(app_id) as app:
            assert "books" in json.loads(direct.back_up(app).content)["components"]
        plugins.restore("library")
    with installed(monkeypatch, books), started(home, url):
        ensure_schema()
        with apps.opened(app_id) as app:
            assert old_book() == documents.get(app, BOOK)
        assert {"tables_dropped": ["stranger_note"], "documents_removed": 1} == {
            name: value for name, value in plugins.remove("library", drop_tables=True).items() if name not in ("plugin", "removed")}
    for entries in ([books], []):
        with installed(monkeypatch, *entries), started(home, url):
            ensure_schema()
            assert "stranger_note" not in tables() and [] == plugins.listed()["absent"]
    with installed(monkeypatch, books), started(home, url):
        ensure_schema()
        plugins.restore("library")
    with installed(monkeypatch, books), started(home, url):
        ensure_schema()
        assert "stranger_note" in tables() and {} == plugins.listed()["broken"]


@pytest.mark.parametrize(("name", "says"), [("plugins.pages.plugin", "part of Appkeep"), ("nonsense", "There is no plugin")])
def test_what_cannot_be_taken_out_is_refused(server: object, name: str, says: str) -> None:
    """Appkeep's own, and what nobody knows."""
    with pytest.raises(AppkeepError, match=says):
        plugins.remove(name, drop_tables=True)


def test_failures_are_kept_and_shown_to_operators_and_admins(
        engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that fails on every page: counted, switched off, told by the command line, and on a page without what the error says."""
    def failing(app: object) -> object:
        raise ValueError("a secret of the server")

    url = database(engine, home, request)
    with installed(monkeypatch, plugin("menus", app_menu=failing)), started(home, url) as flask:
        ensure_schema()
        with made_organization("Example") as organization:
            client = signed_in(flask)
            with transaction():
                app_id = apps.create("Sales", "system").id
            make_member(organization, "member@example.org")
            registry = server().registry
            for _ in range(MOST_FAILURES):
                registry.hook.app_menu(app=apps.find(app_id))
            page = client.get(f"/o/{organization}/plugins").get_data(as_text=True)
            assert MOST_FAILURES == plugins.listed()["plugins"][0]["failures"]
            page = client.get(f"/o/{organization}/plugins").get_data(as_text=True)
            assert "menus" in page and "Switched off" in page and "a secret of the server" not in page
            told = plugins.listed()["plugins"][0]
            assert "a secret of the server" in told["error"] and "switched_off_at" in told
            assert 403 == signed_in(flask, "member@example.org").get(f"/o/{organization}/plugins").status_code
            assert browser(flask).get(f"/o/{organization}/plugins").status_code in (302, 303, 401)


def test_new_plugins_are_written_and_their_tests_pass(tmp_path: Path, home: Path) -> None:
    """As `appkeep plugins new` says: install both, run their tests; here some of the laws, on one database."""
    for name, more in (("recipes", []), ("cooks", ["--table"])):
        written = run("-m", "core.cli", "plugins", "new", name, "--folder", str(tmp_path), "--json", *more, path=[ROOT], home=home)
        assert str(tmp_path / f"appkeep-{name}") == json.loads(written.stdout)["folder"], written.stderr
        install(tmp_path / "beside", f"appkeep-{name}", "0.1.0", {name: f"appkeep_{name}.plugin"})
    path = [tmp_path / "beside", tmp_path / "appkeep-recipes", tmp_path / "appkeep-cooks", ROOT]
    ended = run("-m", "pytest", "-p", "no:cacheprovider", "-q", "-k", "sqlite and (full or faithful or refuses or undone)", "--import-mode=importlib",
                str(tmp_path / "appkeep-recipes"), str(tmp_path / "appkeep-cooks"), path=path, home=home, folder=tmp_path)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "6 passed" in ended.stdout, ended.stdout


@pytest.mark.parametrize(("name", "says"), [("pages", "already"), ("No", "not a name"), ("class", "not a name"), ("../x", "not a name")])
def test_a_name_that_cannot_be_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    """Nothing is written."""
    monkeypatch.setenv("APPKEEP_HOME", str(home))
    ended = CliRunner().invoke(main, ["plugins", "new", name, "--folder", str(tmp_path)])
    assert 1 == ended.exit_code and says in ended.output + (ended.stderr or "")
    assert [] == list(tmp_path.iterdir())


def test_states_are_those_of_a_plugin(server: object) -> None:
    """None is kept of a plugin that never failed and made no table."""
    assert {} == plugin_states.states()
