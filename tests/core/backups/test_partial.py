"""Restoring a part: what is named comes back, everything else stays as it is now."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from core.api import App, InvalidInput, apps, db, direct, documents, import_file, transaction
from core.backups.create import state
from core.backups.models import Backup
from core.cli.main import main
from plugins.worksheets import service as records
from tests.wrecking import wreck


@pytest.fixture
def wrecked(server: Flask, organization: str) -> tuple[App, Backup, dict[str, object]]:
    """The sample app, wrecked after a backup; and the state of each component before."""
    app = apps.find(import_file(Path("sample"), organization, "system", importer="sample")["app"])
    backup = direct.back_up(app)
    before = dict(state(app).content.components)
    wreck(app)
    return apps.find(app.id), backup, before


def bodies(app: App, but: str = "") -> dict[str, object]:
    """Return the live documents but those of a kind."""
    return {d.address: d.body for d in documents.live(app) if d.kind != but}


def test_only_a_component(wrecked: tuple[App, Backup, dict[str, object]]) -> None:
    """The pages are what they were, and nothing else has changed."""
    app, backup, before = wrecked
    others = bodies(app, but="page")
    plan = direct.plan(app, backup, only=["pages"])
    report = direct.restore(app, backup, only=["pages"])
    assert {"pages"} == set(plan["components"]) == set(report["components"])
    assert before["pages"] == state(apps.find(app.id)).content.components["pages"]
    assert others == bodies(apps.find(app.id), but="page")


def test_only_one_worksheet_with_its_records(wrecked: tuple[App, Backup, dict[str, object]]) -> None:
    """Its definition and records come back; records of the others stay deleted."""
    app, backup, _ = wrecked
    saved = {d.key: d for d in documents.live(app, "worksheet")}
    chosen, other = sorted(saved)[:2]
    deleted = [row.seq for row in records.all_rows(app, other, deleted=True)]
    report = direct.restore(app, backup, only=[f"worksheet/{chosen}"])
    assert [chosen] == [w["worksheet"] for w in report["components"]["worksheets"]["data"]["worksheets"]]
    assert [] == list(records.all_rows(apps.find(app.id), chosen, deleted=True))
    assert deleted == [row.seq for row in records.all_rows(apps.find(app.id), other, deleted=True)]


def test_only_data_of_one_worksheet(wrecked: tuple[App, Backup, dict[str, object]]) -> None:
    """Without the configuration, only records change."""
    app, backup, _ = wrecked
    chosen = sorted(d.key for d in documents.live(app, "worksheet"))[0]
    before = bodies(app)
    direct.restore(app, backup, config=False, only=[f"worksheet/{chosen}"])
    assert before == bodies(apps.find(app.id))


def test_what_is_not_there_is_refused(wrecked: tuple[App, Backup, dict[str, object]]) -> None:
    """With its name; and the app stays as it is."""
    app, backup, _ = wrecked
    before = bodies(app)
    for name in ("nothing", "worksheet/w_9999999999", "page/../x", "worksheet/w_1111111111/field/f_1111111111", "x/y"):
        with pytest.raises(InvalidInput, match=re.escape(name[:20])):
            direct.plan(app, backup, only=[name])
    assert before == bodies(apps.find(app.id))


def test_all_parts_one_after_the_other_are_the_whole(wrecked: tuple[App, Backup, dict[str, object]]) -> None:
    """Component by component, the configuration is what a whole restore makes of it."""
    app, backup, before = wrecked
    for name in before:
        with transaction():
            current = apps.find(app.id)
        direct.restore(current, backup, data=False, only=[name])
    after = state(apps.find(app.id), data=False).content.components
    assert {n: c.config for n, c in before.items()} == {n: c.config for n, c in after.items()}  # type: ignore[attr-defined]


def test_the_command_line_names_records_and_what_they_need(wrecked: tuple[App, Backup, dict[str, object]], home: Path, engine: str) -> None:
    """`appkeep plan --records` has each record's values before and after; a need is told with the name that takes it along."""
    app, backup, _ = wrecked
    env = {"APPKEEP_HOME": str(home), **({"APPKEEP_DATABASE_URL": db.engine.url.render_as_string(False)} if engine != "sqlite" else {})}
    collection = f"worksheet/{sorted(d.key for d in documents.live(app, 'worksheet'))[0]}"
    told = json.loads(CliRunner().invoke(main, ["plan", backup.id, "--records", collection, "--json"], env=env).stdout)
    data = next(one for one in told["components"]["worksheets"]["data"]["worksheets"] if f"worksheet/{one['worksheet']}" == collection)
    lists = told["records"][collection]
    assert {what: data[what] for what in ("brought_back", "overwritten") if data[what]} == {
        what: len(lists[what]) for what in ("brought_back", "overwritten") if what in lists}
    assert all(value["before"] != value["after"] for record in lists.get("overwritten", ()) for value in record["values"])
    shown = CliRunner().invoke(main, ["plan", backup.id, "--records", collection], env=env)
    assert 0 == shown.exit_code and f"{collection}/record/" in shown.output
    assert 1 == CliRunner().invoke(main, ["plan", backup.id, "--records", "worksheet/w_9999999999"], env=env).exit_code
