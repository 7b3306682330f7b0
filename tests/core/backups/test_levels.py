"""Three levels of proof: what each of them finds, what it counts for, and which backups are told when content is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from core.api import App, AppkeepError, apps, as_server, as_tenant, db, direct, transaction
from core.backups import check_due, ingest
from core.backups.catalog import find_backup
from core.backups.damage import damaged_by
from core.backups.models import Backup
from core.backups.proof import LEVELS, Proof, failed, how_proven, passed, proofs_of, touched
from core.backups.requests import request_check
from core.base.time import moved, now_us
from core.cli.main import main
from core.objects.index import StoredObject
from core.objects.reader import ObjectReader
from core.runs.service import find, report_of, request, work
from plugins.worksheets import service
from tests.conftest import made_organization, opened_server
from tests.core.runs.making import FIELD, SHEETS, fill

DAY_S = 24 * 3600
DAY_US = DAY_S * 1_000_000


@pytest.fixture
def server(database_url: str, home: Path) -> Iterator[Flask]:
    """A server on each engine; backups may follow each other at once."""
    yield from opened_server(home, database_url, backup_interval_s=0)


def prove(backup_id: str, level: str) -> tuple[str, str | None]:
    """Have a backup checked at a level, and return how the run ended."""
    with transaction():
        run_id = request_check(find_backup(backup_id), "u_somebody", deep=level == "deep", quick=level == "quick", send=False).id
    work(run_id)
    run = find(run_id)
    return run.state, run.error_code


def looked() -> dict[str, object]:
    """Look at all backups of the organization, and return what the run says."""
    with transaction():
        run_id = request("look", None, {}, "system", send=False).id
    assert work(run_id).state == "succeeded"  # type: ignore[union-attr]
    return report_of(find(run_id))


def proven(backup_id: str) -> list[str]:
    """Return the levels that once went well."""
    row = find_backup(backup_id)
    return [level for level in LEVELS if getattr(row, f"{level}_at") is not None]


def is_damaged(backup_id: str) -> bool:
    """Say whether a backup counts as damaged."""
    db.session.rollback()
    return find_backup(backup_id).check_error is not None


def packs(home: Path) -> list[Path]:
    """Return all that lies in the store."""
    return sorted((home / "objects").rglob("packs/*.zst"))


def lose(home: Path, before: list[Path]) -> None:
    """Remove what came into the store since."""
    for path in set(packs(home)) - set(before):
        path.unlink()


def change(app: App, key: str, value: str) -> None:
    """Write one value of a worksheet."""
    with transaction():
        service.put_record(apps.find(app.id), key, 1, {FIELD: value}, "system")


@pytest.mark.parametrize(("level", "counts_for"), [("quick", 1), ("read", 2), ("deep", 3)])
def test_a_level_counts_for_those_below_it(app: App, level: str, counts_for: int) -> None:
    """And for none above."""
    backup = direct.back_up(fill(app)).id
    assert [] == proven(backup)
    assert ("succeeded", None) == prove(backup, level)
    assert list(LEVELS[:counts_for]) == proven(backup)


def test_a_quick_check_reads_lists_only_and_finds_what_is_missing_or_cut_short(app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there with other bytes of the same size is for a check that reads."""
    before = packs(home)
    backup = direct.back_up(fill(app)).id
    (pack,) = set(packs(home)) - set(before)
    read: list[int] = []
    monkeypatch.setattr(ObjectReader, "verify", lambda *of: read.append(1))
    assert ("succeeded", None) == prove(backup, "quick") and [] == read
    monkeypatch.undo()
    lists = {entry.index for _, _, entry in direct_content(backup)}
    last = db.session.scalars(select(StoredObject).where(StoredObject.content.not_in(lists)).order_by(StoredObject.place.desc())).first()
    assert last is not None
    whole = pack.read_bytes()
    end = db.session.scalar(select(func.max(StoredObject.place + StoredObject.size)).where(StoredObject.pack == last.pack)) or 0
    pack.write_bytes(whole[:end - 1])
    assert ("failed", "object_damaged") == prove(backup, "quick") and is_damaged(backup)
    pack.write_bytes(whole)
    pack.unlink()
    assert ("failed", "object_missing") == prove(backup, "quick")


def direct_content(backup_id: str):  # type: ignore[no-untyped-def]
    """Return the lists of a backup."""
    from core.backups.reader import BackupReader

    return BackupReader(find_backup(backup_id)).content.entries()


def test_damage_clears_by_a_check_of_at_least_its_level(app: App) -> None:
    """A look does not make good what reading found; reading does what a look found; whatever counts for more does, too."""
    for found in range(3):
        for after in range(3):
            row = Backup(id="b_1")
            failed(row, LEVELS[found], 1, "It is broken.", "n_1", None)
            passed(row, LEVELS[after], 2)
            assert (after >= found) == (row.check_error is None), (found, after)
            assert (row.check_error is None) == (row.failed_level is None)


def test_content_found_lost_by_reading_is_cleared_by_reading_only(app: App) -> None:
    """Even where a look had found the backup damaged before; what was said first is kept."""
    row = Backup(id="b_1")
    touched(row, "quick", "n_1", 2)
    assert ("2 parts that it needs are lost or damaged.", "quick", "n_1") == (row.check_error, row.failed_level, row.check_run_id)
    touched(row, "read", "n_2", 1)
    assert ("2 parts that it needs are lost or damaged.", "read", "n_2") == (row.check_error, row.failed_level, row.check_run_id)
    touched(row, "quick", "n_3", 1)
    assert ("read", "n_2") == (row.failed_level, row.check_run_id)


def test_how_a_backup_is_proven_is_said_in_words(app: App) -> None:
    """The strongest proof first, and a weaker one where it is newer."""
    row, now = Backup(id="b_1"), 100 * DAY_US
    assert "Not proven yet" == how_proven(row, now)
    row.quick_at, row.read_at = now - DAY_US, now - 12 * DAY_US
    assert "Read whole 12 days ago, looked at yesterday" == how_proven(row, now)
    row.deep_at = now
    assert "Restored on trial today" == how_proven(row, now)
    assert [Proof("deep", now)] == proofs_of(row)


@pytest.mark.parametrize("by", ["quick", "read", "deep", "look"])
def test_damage_in_a_shared_object_is_told_of_all_that_name_it_and_of_no_other(app: App, home: Path, by: str) -> None:
    """Also of another app's that came as a file of the first; a backup without it stays good, and so does another organization's."""
    filled = fill(app)
    old = direct.back_up(filled).id
    before = packs(home)
    change(app, SHEETS[0], "shared")
    first, second = direct.back_up(apps.find(app.id)).id, direct.back_up(apps.find(app.id)).id
    with transaction():
        twin = apps.create("Twin", "system").id
    others = ingest.upload(io.BytesIO(direct.file_of(find_backup(first))), apps.find(twin), "system", None).id
    added = set(packs(home)) - set(before)
    change(app, SHEETS[0], "another value")
    third = direct.back_up(apps.find(app.id)).id
    with made_organization("Elsewhere"), transaction():
        theirs = apps.create("Theirs", "system")
    with as_tenant(theirs.organization_id):
        foreign = direct.back_up(fill(apps.find(theirs.id))).id
    for path in added:
        path.unlink()
    if by == "look":
        report = looked()
        assert {first, second, others} == set(report["newly_damaged"])  # type: ignore[call-overload]
        assert 5 == report["backups"]
    else:
        assert ("failed", "object_missing") == prove(first, by)
    assert [False, True, True, True, False] == [is_damaged(one) for one in (old, first, second, others, third)]
    told = {one.backup_id for one in damaged_by(find_backup(first).check_run_id)}
    assert {first, second, others} == told
    with as_server():
        assert db.session.get(Backup, foreign).check_error is None  # type: ignore[union-attr]


def test_what_was_stored_again_is_good_after_a_look_where_a_look_had_found_it(app: App, home: Path) -> None:
    """The next backup mends it."""
    fill(app)
    before = packs(home)
    change(app, SHEETS[0], "shared")
    backup = direct.back_up(apps.find(app.id)).id
    lose(home, before)
    looked()
    assert is_damaged(backup) and find_backup(backup).lost_parts
    direct.back_up(apps.find(app.id))
    report = looked()
    assert ({"backups": 2, "damaged": 0} | {"lost": 0}) == {name: report[name] for name in ("backups", "damaged", "lost")}
    assert not is_damaged(backup)


def test_what_reading_found_lost_and_was_stored_again_is_read_first(app: App, home: Path) -> None:
    """The look says that nothing is missing any more; it is good once it has been read, which the clock asks for at once."""
    fill(app)
    before = packs(home)
    backup = direct.back_up(apps.find(app.id)).id
    lose(home, before)
    prove(backup, "read")
    assert check_due.tick() is None
    direct.back_up(apps.find(app.id))
    looked()
    assert (True, 0) == (is_damaged(backup), find_backup(backup).lost_parts)
    run_id = check_due.tick()
    assert run_id is not None and backup == json.loads(find(run_id).options)["backup"]
    work(run_id)
    assert not is_damaged(backup)


def test_a_look_tells_only_once_what_is_new(app: App, home: Path) -> None:
    """The next one finds the same, and says that it is known; who found it first stays in the row."""
    fill(app)
    before = packs(home)
    backup = direct.back_up(apps.find(app.id)).id
    lose(home, before)
    assert [backup] == looked()["newly_damaged"]
    found_by = find_backup(backup).check_run_id
    again = looked()
    assert ([], 1) == (again["newly_damaged"], again["damaged"])
    assert found_by == find_backup(backup).check_run_id


def test_a_backup_that_was_proven_while_others_were_looked_at_is_left_alone(app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a look saw is older than what the check read."""
    from core.backups import damage, look

    backup = direct.back_up(fill(app)).id
    given = damage.lost_parts

    def late(run):  # type: ignore[no-untyped-def]
        found = {**given(run), backup: 1}
        with moved(1):
            assert ("succeeded", None) == prove(backup, "read")
        return found

    monkeypatch.setattr(look.damage, "lost_parts", late)
    looked()
    assert not is_damaged(backup)


def test_what_a_check_finds_while_a_look_goes_on_is_not_cleared(app: App, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look began before, and saw everything there."""
    from core.backups import damage, look

    fill(app)
    before = packs(home)
    backup = direct.back_up(apps.find(app.id)).id
    given = damage.lost_parts

    def late(run):  # type: ignore[no-untyped-def]
        found = given(run)
        monkeypatch.undo()
        lose(home, before)
        prove(backup, "quick")
        return found

    monkeypatch.setattr(look.damage, "lost_parts", late)
    looked()
    assert is_damaged(backup)


def test_a_store_that_is_away_damages_nothing(app: App, home: Path) -> None:
    """The look fails, and is made again later."""
    backup = direct.back_up(fill(app)).id
    (home / "objects").rename(home / "elsewhere")
    with transaction():
        run_id = request("look", None, {}, "system", send=False).id
    work(run_id)
    assert "store_unavailable" == find(run_id).error_code
    assert ("failed", "store_unavailable") == prove(backup, "quick")
    (home / "elsewhere").rename(home / "objects")
    assert not is_damaged(backup) and 1 == looked()["backups"]


def test_what_the_catalogue_has_lost_is_found(app: App) -> None:
    """A backup that names what no row speaks of is damaged, for all that the store has it."""
    backup = direct.back_up(fill(app)).id
    lists = {entry.index for _, _, entry in direct_content(backup)}
    with transaction():
        one = db.session.scalars(select(StoredObject).where(StoredObject.content.not_in(lists))).first()
        db.session.delete(one)
    assert [backup] == looked()["newly_damaged"]
    assert ("failed", "object_missing") == prove(backup, "quick")


def test_the_command_line_names_what_else_is_affected_and_what_to_do(app: App, home: Path, engine: str) -> None:
    """In its sentence and in its JSON; `--quick` says that it read nothing."""
    fill(app)
    before = packs(home)
    first, second = direct.back_up(apps.find(app.id)).id, direct.back_up(apps.find(app.id)).id
    env = {"APPKEEP_HOME": str(home), **({"APPKEEP_DATABASE_URL": db.engine.url.render_as_string(False)} if engine != "sqlite" else {})}
    good = CliRunner().invoke(main, ["check", first, "--quick"], env=env)
    assert 0 == good.exit_code and "nothing of it was read" in good.output
    lose(home, before)
    bad = CliRunner().invoke(main, ["check", first, "--quick", "--json"], env=env)
    error = json.loads(bad.stdout)["error"]
    assert (1, "object_missing") == (bad.exit_code, error["code"])
    assert [second] == [one["backup"] for one in error["also_affected"]]
    assert "This also affects 1 other backup" in error["detail"] and "Back up now" in error["detail"]
    both = CliRunner().invoke(main, ["check", first, "--quick", "--deep"], env=env)
    assert 1 == both.exit_code and "quick or deep, not both" in both.output


def test_a_check_that_is_both_quick_and_deep_is_refused(app: App) -> None:
    """It is said, not chosen silently."""
    backup = direct.back_up(fill(app))
    with pytest.raises(AppkeepError, match="not both"):
        request_check(backup, "system", deep=True, quick=True, send=False)


def test_how_old_a_proof_is_does_not_follow_a_clock_that_is_behind(app: App) -> None:
    """What seems to be proven on a day yet to come was proven today."""
    row = Backup(id="b_1")
    row.read_at = now_us() + 3 * DAY_US
    assert "Read whole today" == how_proven(row, now_us())
