"""Blocks and steps of types that plugins bring: added, filled in, shown, backed up and restored; without their plugin kept as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from core.api import (
    AppkeepError,
    BlockShown,
    BlockType,
    Document,
    RecordsAsked,
    StepType,
    apps,
    ask_records,
    direct,
    documents,
    schemas,
    transaction,
)
from core.backups.catalog import find_backup
from core.base.errors import InvalidInput
from core.server import server
from core.tenancy.migrate import ensure_schema
from plugins.worksheets import service
from tests.conftest import fresh_database, made_organization
from tests.core.extension.strangers import database, installed, plugin, started
from tests.plugins.pages.test_editing import save
from tests.web import OWNER, Browser, make_person, signed_in

SETTINGS = {"worksheet": {"title": "Counted worksheet", **schemas.ref("worksheet")}, "goal": {"title": "Goal", **schemas.whole(1, 10**6)}}
SHEET = Document(kind="worksheet", key="w_1111111111", position=0, body={"name": "People", "fields": [
    {"key": "f_1111111111", "type": "text", "name": "Name", "options": {}}]})
GAUGE = {"key": "b_1111111111", "type": "plugin", "plugin_type": "gauge",
         "settings": {"worksheet": {"ref": "worksheet/w_1111111111"}, "goal": 5}}
CALL = {"key": "t_1111111111", "type": "plugin", "plugin_type": "call", "settings": {"number": "030 1234"}}
PAGE = Document(kind="page", key="p_1111111111", position=0, body={"name": "Start", "blocks": [GAUGE]})
FLOW = Document(kind="workflow", key="f_1111111111", position=0,
                body={"name": "Ring", "enabled": False, "trigger": {"type": "manual"}, "steps": [CALL]})


def show_gauge(block: BlockShown) -> Markup:
    """Count the records that the visitor may read."""
    found = ask_records(block.app, block.person, RecordsAsked(worksheet=block.settings["worksheet"]["ref"]))
    count = len(found.records) if found is not None else 0
    return Markup("<meter max='{}' value='{}'></meter> {} of {} for {}").format(
        block.settings["goal"], count, count, block.settings["goal"], block.page)


def says_call(settings: Any) -> str:
    """Say whom it calls."""
    return f"Call {settings['number']}"


def bringing(**more: Any) -> Any:
    """Return a plugin with one of each."""
    gauge = BlockType(**{"name": "gauge", "title": "Gauge", "about": "How far along", "settings": SETTINGS, "needed": ["worksheet", "goal"],
                         "starts": {"goal": 10}, "show": show_gauge, **more})
    step = StepType(name="call", title="Call somebody", settings={"number": {"title": "Number", **schemas.text(40)}}, starts={"number": ""},
                    needed=["number"], says=says_call)
    return plugin("more", register_block_type=lambda: gauge, register_step_type=lambda: [step])


def made() -> str:
    """Make an app that has both, and return its id."""
    with transaction():
        app = apps.create("Sales", make_person(OWNER))
        for document in (SHEET, PAGE, FLOW):
            documents.put(app, document, "system")
        for name in ("Ann", "Bob"):
            service.put_record(app, "w_1111111111", None, {"f_1111111111": name}, "system")
        return app.id


def text(client: Browser, address: str) -> str:
    """Return a page."""
    answer = client.get(address)
    assert 200 == answer.status_code, address
    found: str = answer.get_data(as_text=True)
    return found


def test_they_are_added_filled_in_and_shown(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the editors, with settings asked for as the plugin says."""
    with installed(monkeypatch, bringing()), started(home, fresh_database("sqlite", home, request)) as flask, \
            made_organization("Example") as organization:
        app_id = made()
        client, here = signed_in(flask), f"/o/{organization}/apps/{app_id}"
        assert "2 of 5 for page/p_1111111111" in text(client, f"{here}/page/p_1111111111")
        editor = f"{here}/manage/page/p_1111111111"
        page = text(client, editor)
        assert '<option value="plugin:gauge">Gauge: how far along</option>' in page
        seen = page.partition('name="digest" value="')[2].partition('"')[0]
        address = client.post(f"{editor}/blocks", data={"do": "add ", "type": "plugin:gauge", "digest": seen}).headers["Location"]
        form = text(client, address)
        assert "Counted worksheet" in form and "Goal" in form and 'value="10"' in form
        assert 303 == save(client, address, **{"settings.worksheet": "worksheet/w_1111111111", "settings.goal": "7"}).status_code
        assert "2 of 7 for page/p_1111111111" in text(client, f"{here}/page/p_1111111111")
        flow = f"{here}/manage/workflow/f_1111111111"
        assert "Call 030 1234" in text(client, flow) and '<option value="plugin:call">Call somebody</option>' in text(client, flow)
        address = client.post(f"{flow}/steps", data={"type": "plugin:call", "where": "", "after": "t_1111111111"}).headers["Location"]
        form = text(client, address)
        assert "Number" in form
        save(client, address, **{"settings.number": "112"})
        assert "Call 112" in text(client, flow)
        assert 422 == client.post(f"{flow}/steps", data={"type": "plugin:nobodys", "where": "", "after": ""}).status_code


def test_settings_that_do_not_fit_are_refused(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a type that nobody brings, with the key of the culprit."""
    with installed(monkeypatch, bringing()), started(home, fresh_database("sqlite", home, request)), made_organization("Example"):
        app = apps.find(made())
        for change, said in (({"settings": {"gaol": 5}}, "'gaol' was unexpected"), ({"plugin_type": "nobodys"}, "no plugin on"),
                             ({"settings": {**GAUGE["settings"], "goal": "a lot"}}, "goal: ")):  # type: ignore[dict-item]
            block = {**GAUGE, **change}
            with pytest.raises(AppkeepError, match=f"b_1111111111.*{said}"), transaction():
                documents.put(app, Document(kind="page", key=PAGE.key, position=0, body={"name": "Start", "blocks": [block]}), "system")


def failing(_: object) -> Any:
    """Make a mistake."""
    raise KeyError("a mistake")


@pytest.mark.parametrize(("show", "note"), [
    (failing, "cannot be shown"), (lambda _: 7, "cannot be shown"), (lambda _: "x" * 600_000, "cannot be shown"),
    (lambda _: (_ for _ in ()).throw(InvalidInput("Choose another goal.")), "Choose another goal."),
    (lambda _: "<script>alert(1)</script>", "&lt;script&gt;alert(1)")], ids=["raises", "number", "long", "refuses", "text"])
def test_a_block_that_fails_is_a_note_to_those_who_manage_the_app(
        home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, show: Any, note: str) -> None:
    """The rest of the page is shown; a text that is not marked as HTML is a text."""
    with installed(monkeypatch, bringing(show=show)), started(home, fresh_database("sqlite", home, request)) as flask, \
            made_organization("Example") as organization:
        app_id = made()
        assert note in text(signed_in(flask), f"/o/{organization}/apps/{app_id}/page/p_1111111111")


def test_without_their_plugin_they_stay(engine: str, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Backups before and between, restores, copies, edits of everything else; put back, they are shown again."""
    url = database(engine, home, request)
    with installed(monkeypatch, bringing()), started(home, url, backup_interval_s=0), made_organization("Example") as organization:
        app_id = made()
        first = direct.back_up(apps.find(app_id)).id
    with installed(monkeypatch), started(home, url, backup_interval_s=0) as flask, apps.opened(app_id):
        ensure_schema()
        client, here = signed_in(flask), f"/o/{organization}/apps/{app_id}"
        assert "No plugin on this server brings blocks of the type “gauge”" in text(client, f"{here}/page/p_1111111111")
        editor = f"{here}/manage/page/p_1111111111"
        assert "gauge (plugin not installed)" in text(client, editor)
        address = f"{editor}/block/b_1111111111"
        assert 303 == save(client, address, name="Named").status_code
        assert {**GAUGE, "name": "Named"} == documents.get(apps.find(app_id), "page/p_1111111111").body["blocks"][0]
        assert "a step of a plugin that is not installed" in text(client, f"{here}/manage/workflow/f_1111111111")
        assert 200 == client.get(f"{here}/manage/workflow/f_1111111111/step/t_1111111111").status_code
        direct.restore(apps.find(app_id), find_backup(first))
        assert [GAUGE] == documents.get(apps.find(app_id), "page/p_1111111111").body["blocks"]
        second = direct.back_up(apps.find(app_id)).id
        direct.check(find_backup(second), deep=True)
        with transaction():
            documents.hide(apps.find(app_id), "page/p_1111111111", "system")
            documents.hide(apps.find(app_id), "workflow/f_1111111111", "system")
    with installed(monkeypatch, bringing()), started(home, url, backup_interval_s=0) as flask, apps.opened(app_id):
        ensure_schema()
        assert find_backup(first).content_id == find_backup(second).content_id
        direct.restore(apps.find(app_id), find_backup(second))
        assert "2 of 5 for" in text(signed_in(flask), f"/o/{organization}/apps/{app_id}/page/p_1111111111")
        assert "gauge" in server().registry.block_types
