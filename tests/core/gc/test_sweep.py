"""Collecting garbage: what nothing needs goes, a grace after that was seen; whatever anything needs stays."""

from __future__ import annotations

import io
import json
import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select, update

from core.api import App, apps, db, direct, documents, transaction
from core.backups import catalog, uploads
from core.backups.catalog import backups_of, find_backup
from core.base.errors import InvalidInput, ObjectDamaged, ObjectMissing
from core.base.time import moved, now_us
from core.cli.main import main
from core.gc import mark, sweep
from core.gc.sweep import Collected, one_pass
from core.objects.index import StoredObject, files_missing, known_descriptor, known_descriptors, removals
from core.objects.packs import pack_name
from core.objects.reader import object_reader, read_file
from core.objects.writer import put_file, recording, writing_objects
from core.runs.models import Run
from core.runs.service import find, work
from plugins.settings.web.general import ADDRESS
from plugins.worksheets import service
from tests.conftest import OWNER, made_organization
from tests.core.runs.making import FIELD, SHEETS, fill

HOUR_S, DAY_S = 3600, 24 * 3600
FILES = "f_Fi1es11111"
W = SHEETS[0]


def passed(hours: float, grace_s: int = DAY_S, **more: Any) -> Collected:
    """Make a pass at a moment so many hours ahead."""
    with moved(hours * HOUR_S):
        return one_pass(grace_s, **more)


def random_bytes(size: int, seed: int = 1) -> bytes:
    """Return bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def read(content: str) -> bytes:
    """Return a stored file."""
    return b"".join(read_file(content))


def contents() -> set[str]:
    """Return all that the catalogue has."""
    return set(db.session.scalars(select(StoredObject.content)))


def change(filled: Filled, seq: int, text: str) -> None:
    """Write one value."""
    with transaction():
        service.put_record(filled.app, W, seq, {FIELD: text}, "system")


@dataclass(frozen=True)
class Filled:
    """An app, found anew each time: a pass lets go of what was loaded."""

    id: str
    organization_id: str

    @property
    def app(self) -> App:
        """The app."""
        return apps.find(self.id)


@pytest.fixture
def filled(app: App) -> Filled:
    """An app with a worksheet of records, which has a field for files."""
    found = fill(app)
    sheet = documents.get(found, f"worksheet/{W}")
    body = {**sheet.body, "fields": [*sheet.body["fields"], {"key": FILES, "type": "file", "name": "Files", "options": {}}]}
    with transaction():
        documents.put(found, replace(sheet, body=body), "system")
    return Filled(found.id, found.organization_id)


def attach(filled: Filled, seq: int, raw: bytes) -> str:
    """Put a file into a record and return its digest."""
    digest, size = put_file(io.BytesIO(raw), filled.id)
    with transaction():
        service.put_record(filled.app, W, seq, {FILES: [{"file": digest, "name": "a.bin", "size": size, "type": "application/octet-stream"}]}, "system")
    return digest


def delete(*backup_ids: str) -> None:
    """Delete backups."""
    with transaction():
        for one in backup_ids:
            catalog.delete(one, "system")


def test_a_deleted_backup_goes_and_what_another_shares_stays(filled: Filled) -> None:
    """Two passes later its own bytes are gone; the other is whole, and a restore from it gives what it gave."""
    first = direct.back_up(filled.app).id
    own = contents()
    change(filled, 1, "changed")
    with moved(400):
        second = direct.back_up(filled.app).id
    alone = {line.content for lines in _lines(first) for line in lines} - {line.content for lines in _lines(second) for line in lines}
    assert alone
    delete(first)
    assert 0 == passed(1).condemned  # younger than the grace
    assert len(alone) < passed(25).condemned  # its lists went as well
    assert alone <= contents() and 0 == passed(30).removed
    gone = passed(50)
    assert gone.removed > len(alone) and gone.removed_bytes > 0
    assert gone.removed == removals(db.session.connection())
    assert not alone & contents() and own & contents()
    assert Collected(needed=len(contents())) == passed(80)
    with moved(81 * HOUR_S):
        direct.check(find_backup(second), deep=True)


def _lines(backup_id: str) -> list[Any]:
    from core.backups.reader import BackupReader

    return list(BackupReader(find_backup(backup_id)).lines.values())


def test_a_file_is_kept_as_long_as_anything_names_it(filled: Filled) -> None:
    """A record, one in the bin, a field in the bin, a document, a document in the bin, a worksheet in the bin; then nothing."""
    raw = {name: random_bytes(400, seed) for seed, name in enumerate(("live", "binned", "icon", "sent"))}
    live, binned = attach(filled, 1, raw["live"]), attach(filled, 2, raw["binned"])
    icon, size = put_file(io.BytesIO(raw["icon"]), filled.id)
    sent, _ = put_file(io.BytesIO(raw["sent"]), filled.id)
    with transaction():
        service.delete_record(filled.app, W, 2, "system")
        settings = documents.get(filled.app, ADDRESS)
        picture = {"file": icon, "name": "i.png", "size": size, "type": "image/png"}
        documents.put(filled.app, replace(settings, body={**settings.body, "icon": picture}), "system")
    for hours in (25, 50, 75):
        passed(hours)
        assert {live, binned, icon} <= contents()
    assert sent not in contents()
    with transaction():
        documents.hide(filled.app, f"worksheet/{W}/field/{FILES}", "system")
    passed(100), passed(125)
    assert {live, binned} <= contents()
    with transaction():
        documents.hide(filled.app, f"worksheet/{W}", "system")
    passed(150), passed(175)
    assert {live, binned} <= contents() and raw["live"] == read(live)
    with transaction():
        documents.purge(filled.app, f"worksheet/{W}", "system")
    passed(200), passed(225)
    assert {icon} == contents() & {live, binned, icon}


def test_what_is_condemned_can_be_read_and_not_be_relied_on(organization: str) -> None:
    """To whoever points to it, it is not there; stored anew it is, under its own bytes, and counted again."""
    raw = random_bytes(500)
    digest, _ = put_file(io.BytesIO(raw))
    place = known_descriptor(digest).pack
    assert 1 == passed(25).condemned
    assert raw == read(digest)
    assert {digest} == files_missing([digest])
    with writing_objects() as writer:
        writer.put(raw)
    with recording(writer):
        pass
    assert (1, set()) == (writer.added_count, files_missing([digest]))
    assert place != known_descriptor(digest).pack
    assert raw == read(digest)


def test_a_file_that_is_sent_again_is_young_again(filled: Filled) -> None:
    """Though it was there all the time: whoever sent it has a day to save the record."""
    raw = random_bytes(700)
    put_file(io.BytesIO(raw), filled.id)
    with moved(23 * HOUR_S):
        digest, _ = put_file(io.BytesIO(raw), filled.id)
    passed(30)
    assert set() == files_missing([digest])
    passed(48)
    assert {digest} == files_missing([digest])


def test_who_began_before_the_condemning_may_end_after_it(filled: Filled) -> None:
    """A backup that relied on an object when it was condemned is whole, and the next pass brings the object back."""
    first = direct.back_up(filled.app)
    lines = _lines(first.id)
    delete(first.id)
    with moved(400), writing_objects("backup", filled.id) as writer:  # as a backup does that reads now and commits later
        assert all(line.content in writer.look_up() for part in lines for line in part)
        assert passed(25).condemned
    with moved(26 * HOUR_S):
        second = direct.back_up(filled.app).id
    with transaction():  # what it would be, had it relied on the old bytes
        db.session.execute(update(StoredObject).values(condemned_at=now_us() + 25 * HOUR_S * 1_000_000))
    assert passed(60).brought_back
    assert passed(90).removed == 0
    with moved(91 * HOUR_S):
        direct.check(find_backup(second), deep=True)


def test_nothing_goes_while_an_older_run_works(filled: Filled) -> None:
    """Of any organization; it is named."""
    delete(direct.back_up(filled.app).id)
    passed(25)
    with transaction():
        db.session.execute(Run.__table__.insert().values(
            id="n_1111111111", organization_id=filled.organization_id, kind="backup", person="system", options="{}", state="running", attempt=1,
            phase="", steps="[]", done=0, total=0, bytes=0, cancel_requested=False, requested_at=now_us(), started_at=now_us()))
    before = contents()
    found = passed(50)
    assert ("n_1111111111", 0) == (found.waits_for, found.removed)
    assert before == contents()
    with transaction():
        db.session.execute(update(Run).where(Run.id == "n_1111111111").values(state="failed"))
    assert passed(50).removed


def test_a_pack_that_holds_little_is_written_anew(organization: str, home: Path) -> None:
    """Who is reading from the old one goes on; a grace later it is gone, and what is left is as it was."""
    raws = [random_bytes(3000, seed) for seed in range(20)]
    with writing_objects() as writer:
        digests = [writer.put(raw) for raw in raws]
    with recording(writer):
        pass
    kept = digests[:3]
    old = known_descriptors(kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mark, "_need_of_backups", lambda found, watch: found.add(kept))
        assert 17 == passed(25).condemned
        found = passed(50)
        assert (17, 1, 0) == (found.removed, found.packs_written_anew, found.packs_removed)
        assert [raws[0]] * 2 == [object_reader().read(old[kept[0]]), object_reader().read(known_descriptor(kept[0]))]
        assert old[kept[0]].pack != known_descriptor(kept[0]).pack
        for path in (home / "objects").rglob("*.zst"):
            os.utime(path, (time.time() - 9 * DAY_S,) * 2)
        assert (0, 0) == ((found := passed(60)).packs_removed, found.leftovers_removed)
        assert 1 == passed(75).packs_removed
        with pytest.raises(ObjectMissing):
            object_reader().read(old[kept[0]])
        assert raws[:3] == [object_reader().read(known_descriptor(one)) for one in kept]
        assert Collected(needed=3) == passed(100)


def test_what_runs_left_behind_that_died_is_removed(organization: str, home: Path) -> None:
    """Packs, parts of uploads, half-written files, when they are old enough by the store's clock; what rows speak of stays."""
    kept, _ = put_file(io.BytesIO(random_bytes(400_000)))  # large: a pack of its own
    with writing_objects() as writer:
        writer.put(b"never recorded")
        writer.put_file(io.BytesIO(random_bytes(500_000, 2)))
    folder = home / "objects" / "organizations" / organization
    (folder / "uploads" / "p_1111111111").mkdir(parents=True)
    (folder / "uploads" / "p_1111111111" / "k_1111111111.part").write_bytes(b"x")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "thing.zst").write_bytes(b"not ours")
    (home / "objects" / "incoming").mkdir(exist_ok=True)
    (home / "objects" / "incoming" / "abc-1").write_bytes(b"half")
    assert 0 == one_pass(DAY_S).leftovers_removed
    for path in (home / "objects").rglob("*.*"):
        os.utime(path, (time.time() - 2 * DAY_S,) * 2)
    os.utime(home / "objects" / "incoming" / "abc-1", (time.time() - 2 * DAY_S,) * 2)
    assert 3 == one_pass(DAY_S).leftovers_removed
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert ["elsewhere/thing.zst", pack_name("", known_descriptor(kept).pack).removeprefix("organizations//")] == left
    assert [] == list((home / "objects" / "incoming").iterdir())
    assert random_bytes(400_000) == read(kept)


def test_parts_of_an_upload_stay_while_it_is_open(filled: Filled, home: Path) -> None:
    """However old they are; the row speaks of them."""
    upload = uploads.begin(filled.app, "system", "a.zip", 5000)
    uploads.append(upload, 0, io.BytesIO(b"x" * 2000))
    for path in (home / "objects").rglob("*.part"):
        os.utime(path, (time.time() - 9 * DAY_S,) * 2)
    assert 0 == one_pass(DAY_S).leftovers_removed
    assert 1 == len(list((home / "objects").rglob("*.part")))


def test_nothing_goes_while_a_backup_cannot_be_read(filled: Filled, home: Path) -> None:
    """It is named; the others are as they were. Once it is deleted, things go on."""
    first = direct.back_up(filled.app)
    name, content = first.name, first.content
    change(filled, 1, "changed")
    with moved(400):
        second = direct.back_up(filled.app).id
    delete(second)
    index = known_descriptor(json.loads(content)["components"]["worksheets"]["data"]["index"])
    path = home / "objects" / pack_name(filled.organization_id, index.pack)
    whole = path.read_bytes()
    path.write_bytes(whole[:index.place] + bytes(index.size) + whole[index.place + index.size:])
    before = contents()
    with pytest.raises(ObjectDamaged, match=name):
        passed(25)
    assert before == contents()
    path.write_bytes(whole)
    assert passed(25).condemned


def test_another_organization_keeps_its_own(filled: Filled) -> None:
    """The same content, in another organization, is another object."""
    raw = random_bytes(300)
    digest, _ = put_file(io.BytesIO(raw))
    with made_organization("Other") as other:
        put_file(io.BytesIO(raw))
        passed(25), passed(50)
        assert digest not in contents()
    assert raw == read(digest)
    assert other != filled.organization_id


def test_a_file_that_waits_to_be_imported_stays_a_week(organization: str) -> None:
    """From the page on which it is confirmed; then it goes."""
    from core.imports import previews
    from tests.web import make_person

    class Sent:
        filename, stream = "a.csv", io.BytesIO(b"Name\nAda\n")

    run = previews.receive([Sent()], make_person(OWNER))
    content, run_id = json.loads(run.options)["files"][0]["content"], run.id
    passed(25), passed(6 * 24)
    assert content in contents()
    with transaction():
        previews.confirm(previews.find_preview(run_id), "Names", "system")
        db.session.rollback()
    passed(8 * 24)
    with pytest.raises(InvalidInput, match="Upload it again"), transaction():
        previews.confirm(previews.find_preview(run_id), "Names", "system")
    passed(10 * 24)
    assert content not in contents()


def test_the_clock_asks_once_a_day(filled: Filled, server: Flask) -> None:
    """For organizations that have something, one at a time; the run tells what it did."""
    delete(direct.back_up(filled.app).id)
    assert sweep.tick() is None
    with moved(25 * HOUR_S):
        run_id = sweep.tick()
        assert run_id is not None and sweep.tick() is None
        work(run_id)
        told = json.loads(find(run_id).report or "{}")
        assert told["condemned"] > 0 and told["removed"] == 0
        assert sweep.tick() is None
    with moved(50 * HOUR_S):
        work(sweep.tick() or "")
        assert 0 == db.session.scalar(select(func.count()).select_from(StoredObject).where(StoredObject.condemned_at.is_not(None)))
    server.extensions["appkeep"].config.values["collect_every_hours"] = 0
    with moved(200 * HOUR_S):
        assert sweep.tick() is None


def test_the_grace_is_never_shorter_than_a_run(server: Flask) -> None:
    """Whatever the settings say."""
    values = server.extensions["appkeep"].config.values
    values["collect_grace_hours"], values["run_timeout_s"] = 1, 9 * HOUR_S
    assert 9 * HOUR_S == sweep.least_grace_s()


def test_the_command_says_what_it_would_do_and_does_it(sqlite_server: Flask, home: Path) -> None:
    """The grace must be said; a dry run changes nothing."""
    def gc(*words: str) -> tuple[int, Any]:
        answer = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(main, ["gc", *words, "--json"])
        return answer.exit_code, json.loads(answer.stdout) if answer.exit_code == 0 else answer.output

    with made_organization("Example") as organization:
        put_file(io.BytesIO(random_bytes(300)))
        assert 2 == gc()[0] == gc("--grace-hours", "0")[0]
        with transaction():
            db.session.execute(update(StoredObject).values(added_at=now_us() - 30 * HOUR_S * 1_000_000))
        for dry, left in ((True, 0), (False, 1)):
            status, told = gc("--grace-hours", "24", "--org", organization, *(["--dry-run"] if dry else []))
            assert (0, dry, 1) == (status, told["dry_run"], told["organizations"][0]["condemned"])
            assert left == db.session.scalar(select(func.count()).select_from(StoredObject).where(StoredObject.condemned_at.is_not(None)))
            db.session.rollback()
        with transaction():
            db.session.execute(update(StoredObject).values(condemned_at=now_us() - 30 * HOUR_S * 1_000_000))
        assert 1 == gc("--grace-hours", "24", "--dry-run")[1]["organizations"][0]["removed"]
        assert 1 == gc("--grace-hours", "24")[1]["organizations"][0]["removed"]
        assert [] == list((home / "objects").rglob("*.zst"))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_all_that_is_needed_is_there(filled: Filled, seed: int) -> None:
    """Files come and go, backups are made and deleted, passes come at any time: every backup is sound, every file can be read."""
    chance, hours, held, made = random.Random(seed), 0.0, dict[int, tuple[str, bytes]](), list[str]()
    for _ in range(40):
        hours += 0.1 + chance.random() * 20  # backups of an app are minutes apart
        with moved(hours * HOUR_S):
            deed = chance.choice(("attach", "attach", "again", "empty", "backup", "backup", "delete", "restore", "pass", "pass", "bin"))
            if deed in ("attach", "again"):
                seq, raw = chance.randint(1, 3), random_bytes(600, chance.randint(1, 5) if deed == "again" else chance.randint(100, 10_000))
                held[seq] = attach(filled, seq, raw), raw
            elif deed == "empty" and held:
                seq = chance.choice(sorted(held))
                del held[seq]
                with transaction():
                    service.put_record(filled.app, W, seq, {FILES: None}, "system")
            elif deed == "backup":
                made.append(direct.back_up(filled.app, data=True).id)
            elif deed == "delete" and made:
                delete(made.pop(chance.randrange(len(made))))
            elif deed == "restore" and made:
                direct.restore(filled.app, find_backup(chance.choice(made)), safety_backup=False)
                held = _held_now(filled, held)
            elif deed == "pass":
                one_pass(DAY_S)
            for digest, raw in held.values():
                assert raw == read(digest)
    with moved((hours + 1) * HOUR_S):
        for one in made:
            direct.check(find_backup(one), deep=True)
        assert {backup.id for backup in backups_of(filled.id)} == set(made)


def _held_now(filled: Filled, held: dict[int, tuple[str, bytes]]) -> dict[int, tuple[str, bytes]]:
    """Return the files that records name after a restore, read here for the first time."""
    store = service.store_of(filled.app)
    named = {row.seq: json.loads(row.vals).get(FILES) for row in store.rows(W, 1, 1000)}
    return {seq: (value[0]["file"], read(value[0]["file"])) for seq, value in named.items() if value}


def test_what_a_clock_days_ahead_condemned_goes_a_grace_from_now(filled: Filled) -> None:
    """Not a grace after that day."""
    with transaction():
        catalog.delete(direct.back_up(filled.app).id, "system")
    change(filled, 1, "changed")
    passed(10 * 24)
    assert 0 == passed(26).removed
    assert passed(51).removed
