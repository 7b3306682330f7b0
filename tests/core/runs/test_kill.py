"""kill -9 at every named step: the app is old or new, the next attempt finishes, and nothing half-done is seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from core.api import App, apps, db, direct, transaction
from core.backups import catalog
from core.backups.catalog import find_backup
from core.backups.models import Backup
from core.base.time import moved, now_us
from core.gc import mark, sweep
from core.objects.index import StoredObject
from core.objects.packs import pack_name
from core.runs.service import find, recover, report_of, request, work
from tests.core.runs.making import KINDS, ask, change, fill, restoring, state_of, types_of_backups, write
from tests.core.runs.processes import work_in_a_process

TAKING = ("backup.reading", "backup.read", "backup.objects_stored", "backup.catalogued", "backup.committed")
STEPS = {
    "backup": TAKING,
    "restore": ("restore.planned", "restore.verified", "restore.app_closed", *TAKING, "restore.safety_backup_taken",
                "restore.merged", "restore.before_commit", "restore.committed"),
    "restore_as_new": ("copy.begun", "copy.put", "copy.before_commit", "copy.committed"),
    "check": ("check.begun", "check.read", "check.tried"),
    "upload": ("upload.begun", "upload.verifying", "upload.before_commit", "upload.committed"),
    "collect": ("collect.begun", "collect.condemned", "collect.rows_removed", "collect.packs_tidied"),
    "look": ("look.begun", "look.listed"),
}
LAST = {"backup": "backup.committed", "restore": "restore.committed", "restore_as_new": "copy.committed", "upload": "upload.committed"}
CASES = [(kind, step) for kind in KINDS for step in STEPS[kind]]
LEASE_S = 15


def test_every_named_step_is_tried() -> None:
    """A step that is new in core/backups or core/gc has to be added to STEPS here."""
    core = Path(__file__).parents[3] / "core"
    sources = [*core.joinpath("backups").rglob("*.py"), *core.joinpath("gc").rglob("*.py")]
    named = {name for path in sources for name in re.findall(r'\.step\(\s*"([^"]+)"', path.read_text())}
    assert named == {step for steps in STEPS.values() for step in steps}
    assert 0 == sum(len(re.findall(r"\.step\(\s*[^\s\"]", path.read_text())) for path in sources)


@pytest.mark.parametrize(("kind", "step"), CASES, ids=[f"{kind}-{step}" for kind, step in CASES])
def test_a_worker_killed_at_any_step_leaves_old_or_new_and_the_run_is_finished(
        server: Flask, app: App, home: Path, kind: str, step: str) -> None:
    """Its work-horse is killed there; the app is as it was or as it shall be, and another attempt ends the run well."""
    app = fill(app)
    old_backup = None if kind == "backup" else direct.back_up(app)
    changed = direct.content_id(change(app))
    run_id = ask(kind, app, old_backup)

    work_in_a_process(die_at=step)
    assert (home / f"died_at_{step}").exists()
    over = step == LAST.get(kind)
    wanted = old_backup.content_id if kind == "restore" and old_backup else changed
    assert (wanted if over else changed) == direct.content_id(app)
    assert ("succeeded" if over else "running", None) == state_of(run_id)
    assert _backups(kind, over=over, safety=_safety_backup_taken(step)) == types_of_backups(app)
    assert (2 if kind == "restore_as_new" and over else 1) == len(apps.all_apps())

    with moved(LEASE_S + 1):
        assert ([] if over else [run_id]) == recover()
    work(run_id)
    assert (1 if over else 2, "succeeded") == (find(run_id).attempt, find(run_id).state)
    assert wanted == direct.content_id(app)
    assert _backups(kind, over=True, safety=True) == types_of_backups(app)
    _check_report(kind, app, old_backup, run_id)
    assert restoring(app) is None
    write(app)


@pytest.mark.parametrize("step", STEPS["collect"])
def test_a_worker_killed_while_it_collects_leaves_what_is_needed(server: Flask, app: App, home: Path, step: str) -> None:
    """The next attempt ends the pass; what was deleted is gone, what is left of a pack is read as before, no byte stays behind."""
    app = fill(app)
    gone = direct.back_up(app).id
    change(app)
    with moved(400):
        kept = direct.back_up(apps.find(app.id)).id
    with transaction():
        catalog.delete(gone, "system")
    wanted = mark.needed(mark.NullProgress())
    needless = [row for row in db.session.scalars(select(StoredObject.content)) if row not in wanted]
    table, long_ago = StoredObject.__table__, now_us() - 9 * 24 * 3600 * 1_000_000
    with transaction():
        db.session.execute(update(table).values(added_at=long_ago))
        db.session.execute(update(table).where(table.c.content.in_(needless)).values(condemned_at=long_ago))
        run_id = request("collect", None, {}, "system", send=True).id
    assert needless

    work_in_a_process(die_at=step)
    assert (home / f"died_at_{step}").exists()
    with moved(LEASE_S + 1):
        assert [run_id] == recover()
        work(run_id)
    assert (2, "succeeded") == (find(run_id).attempt, find(run_id).state)
    assert set(needless).isdisjoint(db.session.scalars(select(StoredObject.content)))
    direct.check(find_backup(kept), deep=True)
    with moved(2 * 24 * 3600):
        sweep.one_pass(0)
    named = {pack_name(app.organization_id, pack) for pack in db.session.scalars(select(StoredObject.pack))}
    assert named == {path.relative_to(home / "objects").as_posix() for path in (home / "objects").rglob("*.zst")}
    direct.check(find_backup(kept), deep=True)


@pytest.mark.parametrize("step", STEPS["look"])
def test_a_worker_killed_while_it_looks_at_backups_is_followed_by_another(server: Flask, app: App, home: Path, step: str) -> None:
    """Which ends the look; what is in the rows is what it found."""
    backup = direct.back_up(fill(app)).id
    with transaction():
        run_id = request("look", None, {}, "system", send=True).id
    work_in_a_process(die_at=step)
    assert (home / f"died_at_{step}").exists()
    with moved(LEASE_S + 1):
        assert [run_id] == recover()
        work(run_id)
    assert (2, "succeeded") == (find(run_id).attempt, find(run_id).state)
    assert (True, None) == (find_backup(backup).quick_at is not None, find_backup(backup).check_error)


def _safety_backup_taken(step: str) -> bool:
    """Say whether a restore that died at the step had taken its safety backup for good."""
    steps = STEPS["restore"]
    return step in steps and steps.index(step) >= steps.index("backup.committed")


def _backups(kind: str, *, over: bool, safety: bool) -> list[str]:
    if kind == "backup":
        return ["manual"] if over else []
    if kind == "upload":
        return ["manual", "uploaded"] if over else ["manual"]
    return ["manual", "pre_restore"] if kind == "restore" and safety else ["manual"]


def _check_report(kind: str, app: App, old_backup: Backup | None, run_id: str) -> None:
    report = report_of(find(run_id))
    if kind == "backup":
        assert direct.content_id(app) == find_backup(report["backup"]).content_id
    if kind == "restore":
        assert "pre_restore" == find_backup(report["safety_backup"]).type
    if kind == "restore_as_new":
        assert {app.id, report["app"]} == {one.id for one in apps.all_apps()}
    if kind == "check":
        assert old_backup is not None
        checked = find_backup(old_backup.id)
        assert (True, None) == (checked.checked_at is not None, checked.check_error)
