"""How well apps are backed up: what is wrong with each, the worst first, with few questions however many there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import insert, update

from core.api import App, as_server, db, direct, transaction
from core.backups.health import AppHealth, counts, health_of, health_of_all, overall, share_of_apps
from core.backups.models import Backup, BackupSchedule
from core.base.ids import new_key
from core.base.time import now_us
from core.cli.main import main
from core.runs.models import Run
from core.tenancy.models import App as AppRow
from tests.core.runs.test_ticks import asked

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def row(app: App) -> dict[str, object]:
    """The columns of a backup of the app, to make others of."""
    backup = direct.back_up(app)
    found = {column.key: getattr(backup, column.key) for column in Backup.__table__.columns}
    with transaction():
        db.session.delete(backup)
        db.session.query(Run).delete()
    return found


def made(row: dict[str, object], *backups: dict[str, object]) -> None:
    """Put backups into the catalogue; `days` is how old each is."""
    rows = [{**row, "id": new_key("b"), "run_id": None, "created_at": now_us() - int(str(given["days"])) * DAY_US,
             **{name: value for name, value in given.items() if name != "days"}} for given in backups]
    with transaction():
        db.session.execute(insert(Backup.__table__), rows)


def codes(app: App) -> list[str]:
    """Return what is wrong with an app's backups, apart from its schedule."""
    return [problem.code for problem in health_of(app).content_problems]


def test_an_app_without_a_backup_says_so(app: App) -> None:
    """The way out is a backup."""
    (problem,) = health_of(app).content_problems
    assert ("none", True, "back_up") == (problem.code, problem.bad, problem.act)


@pytest.mark.parametrize(("backups", "expected"), [
    ([{"days": 1}], ["unproven"]),
    ([{"days": 1, "quick_at": 1}], ["unproven"]),
    ([{"days": 1, "read_at": 1}], []),
    ([{"days": 1, "deep_at": 1}], []),
    ([{"days": 1}, {"days": 39, "read_at": 1}], []),
    ([{"days": 1}, {"days": 41, "read_at": 1}], ["old"]),
    ([{"days": 41, "read_at": 1}], ["old"]),
    ([{"days": 1, "check_error": "x"}, {"days": 2, "read_at": 1}], ["newest_damaged"]),
    ([{"days": 1, "check_error": "x"}], ["no_good"]),
    ([{"days": 1, "read_at": 1}, {"days": 2, "check_error": "x"}, {"days": 3, "check_error": "x", "read_at": 9}], ["some_damaged"]),
    ([{"days": 1, "check_error": "x"}, {"days": 2, "check_error": "x"}, {"days": 3, "read_at": 1}], ["newest_damaged", "some_damaged"]),
    ([{"days": 1, "read_at": 1, "deleted_at": 5}], ["none"]),
])
def test_what_is_wrong_is_told_of_the_newest_the_newest_good_and_the_newest_proven(
        app: App, row: dict[str, object], backups: list[dict[str, object]], expected: list[str]) -> None:
    """A damaged one is none, a deleted one is not there."""
    made(row, *backups)
    assert expected == codes(app)


def test_an_old_proof_is_renewed_by_a_check_where_there_is_a_newer_backup_else_by_a_backup(app: App, row: dict[str, object]) -> None:
    """Each warning has its way out."""
    made(row, {"days": 50, "read_at": 1})
    assert ["back_up"] == [problem.act for problem in health_of(app).content_problems]
    made(row, {"days": 2})
    found = health_of(app)
    assert ["check"] == [problem.act for problem in found.content_problems]
    assert "The newest proven backup was made 50 days ago." == found.content_problems[0].sentence


def test_a_backup_that_failed_counts_until_one_went_well(app: App, row: dict[str, object]) -> None:
    """One that was cancelled is no failure."""
    made(row, {"days": 3, "read_at": 1})
    run = {"organization_id": app.organization_id, "app_id": app.id, "person": "system", "options": "{}", "kind": "backup", "lane": "general",
           "attempt": 1, "phase": "", "steps": "[]", "done": 0, "total": 0, "bytes": 0, "cancel_requested": False, "outages": 0}
    for number, (state, expected) in enumerate((("failed", ["failed"]), ("cancelled", ["failed"]), ("succeeded", []))):
        at = now_us() - DAY_US + number
        with transaction():
            db.session.execute(insert(Run), [{**run, "id": f"n_{number}", "state": state, "requested_at": at, "ended_at": at}])
        assert expected == codes(app)


def test_the_worst_comes_first_and_is_counted(app: App, row: dict[str, object]) -> None:
    """Then by name; the sentences say of how many apps."""
    ids = {}
    with transaction():
        for name in ("Good", "Empty", "Unproven"):
            ids[name] = new_key("a")
            db.session.add(AppRow(id=ids[name], organization_id=app.organization_id, name=name, created_at=1, created_by="system", revision=0))
        db.session.flush()
        for name in ids:
            db.session.add(BackupSchedule(app_id=ids[name], every="daily", minute=0, weekday=0, day=1, data=True, enabled=True,
                                          paused=name == "Unproven", next_at=5, changed_at=1, changed_by="system"))
    made(row, {"days": 1, "read_at": 1, "app_id": ids["Good"]}, {"days": 1, "app_id": ids["Unproven"]})
    found = health_of_all()
    assert ["Sales", "Empty", "Unproven", "Good"] == [one.app_name for one in found]
    assert [("off", None), ("on", 5), ("paused", 5), ("on", 5)] == [(one.schedule, one.next_at) for one in found]
    assert ["2 of 4 apps have no backup", "1 of 4 apps has no proven backup", "2 of 4 apps have no active schedule"] == [
        one.sentence for one in counts(found)]


@pytest.fixture
def many(server: Flask, app: App, row: dict[str, object]) -> Iterator[int]:
    """How many apps there are, half of them with backups."""
    ids = [new_key("a") for _ in range(300)]
    with transaction():
        db.session.execute(insert(AppRow.__table__), [
            {"id": one, "organization_id": app.organization_id, "name": f"App {n}", "created_at": 1, "created_by": "system", "revision": 0}
            for n, one in enumerate(ids)])
    made(row, *({"days": n % 5, "app_id": one} for n, one in enumerate(ids * 3) if n % 2))
    yield len(ids)


def test_all_apps_take_as_few_questions_as_one(many: int) -> None:
    """Four."""
    with asked() as statements:
        found = health_of_all()
    assert (many + 1, 4) == (len(found), len(statements))


def test_an_organization_sees_its_own(app: App, row: dict[str, object]) -> None:
    """What another has is not among it."""
    with as_server(), transaction():
        db.session.execute(update(AppRow).values(name="Mine"))
        db.session.add(AppRow(id="a_other", organization_id="o_other", name="Theirs", created_at=1, created_by="system", revision=0))
    assert ["Mine"] == [one.app_name for one in health_of_all()]


def test_health_of_nothing_has_no_proof(app: App) -> None:
    """And is bad."""
    assert (None, True) == (AppHealth("a_1", "Sales", 1).proof, AppHealth("a_1", "Sales", 1).bad)


def test_the_command_line_prints_the_same(app: App, row: dict[str, object], home: Path, engine: str) -> None:
    """As lines and as JSON; of an organization that is not there, it says so."""
    made(row, {"days": 2, "read_at": now_us()}, {"days": 3, "check_error": "x"})
    env = {"APPKEEP_HOME": str(home), **({"APPKEEP_DATABASE_URL": db.engine.url.render_as_string(False)} if engine != "sqlite" else {})}
    told = CliRunner().invoke(main, ["health", "--org", "Example"], env=env)
    assert 0 == told.exit_code, told.output
    assert "1 of 1 app has no active schedule" in told.output and "“Sales”" in told.output and "read whole" in told.output
    (one,) = json.loads(CliRunner().invoke(main, ["health", "--org", "Example", "--json"], env=env).stdout)["apps"]
    assert (2, 1, "off", "read") == (one["backups"], one["damaged"], one["schedule"], one["proven"]["level"])
    assert ["some_damaged", "no_schedule"] == [problem["code"] for problem in one["problems"]]
    assert 1 == CliRunner().invoke(main, ["health", "--org", "Nobody"], env=env).exit_code


def test_what_is_so_on_the_whole_is_fine_only_where_an_app_is() -> None:
    """None that is fine is no good news, and as bad as the worst of them."""
    now, kept = now_us(), Backup(created_at=now_us())
    failed, no_schedule, fine = (
        AppHealth(key, key, now, newest=kept, good=kept, proven=kept, schedule=schedule, failed_at=failed_at)
        for key, schedule, failed_at in (("a", "on", 1), ("b", "off", None), ("c", "on", None)))
    assert ["fine: 1 of 3 apps has no problems", "attention: 2 of 2 apps need attention", "attention: 1 of 1 app needs attention"] == [
        f"{one.code}: {one.sentence}" for one in (overall([failed, no_schedule, fine]), overall([failed, no_schedule]), overall([no_schedule]))]
    assert [False, True, False] == [overall(given).bad for given in ([failed, fine], [failed, no_schedule], [no_schedule])]


def test_how_many_of_the_apps_is_said_in_good_english() -> None:
    """One, none and several of one and of many."""
    said = [share_of_apps(number, total, "needs", "need") for number, total in ((0, 1), (1, 1), (0, 2), (1, 3), (2, 1200))]
    assert ["0 of 1 app needs", "1 of 1 app needs", "0 of 2 apps need", "1 of 3 apps needs", "2 of 1,200 apps need"] == said
