"""Files are read in a process of their own: whatever happens there, it ends, in words, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import AppkeepError, ImportContext, Importer, ImportFailed, apps, db, documents, import_file, new_key
from core.base.errors import RunCancelled, TookTooLong
from core.imports import reader_process
from core.imports.inbox import LEFT_AFTER_S
from core.processes import scheduler
from core.server import server as this_server
from tests.conftest import made_organization, opened_server

MEMORY_BYTES = 200_000_000
Edits = Iterator[Mapping[str, Any]]


class Odd(Importer):
    """Does what a test says."""

    name, title = "odd", "Odd"

    def __init__(self, does: Callable[[ImportContext], Edits]) -> None:
        self.does = does

    def operations(self, path: Path, context: ImportContext) -> Edits:
        return self.does(context)


@pytest.fixture
def organization(home: Path, sqlite_template: Path) -> Iterator[str]:
    """An organization of a server whose files are read with little memory."""
    (home / "appkeep.db").write_bytes(sqlite_template.read_bytes())
    for _ in opened_server(home, "", import_memory_bytes=MEMORY_BYTES):
        with made_organization("Example") as found:
            yield found


def bring_in(does: Callable[[ImportContext], Edits], organization: str, **more: Any) -> dict[str, Any]:
    """Import what an importer gives that does so."""
    this_server().registry.importers["odd"] = Odd(does)
    return import_file(Path("odd"), organization, "system", importer="odd", **more)


def nothing_stays(home: Path) -> bool:
    """Say whether there is neither an app nor a file that was made on the way."""
    db.session.rollback()
    return not apps.all_apps() and not list((home / "spool").iterdir())


def hungry(context: ImportContext) -> Edits:
    held = [bytearray(20_000_000) for _ in range(200)]
    yield {"op": "put", "document": "app/main", "body": {"name": str(len(held))}}


def killed(context: ImportContext) -> Edits:
    Path(tempfile.gettempdir(), "left").write_bytes(b"left")
    os.kill(os.getpid(), signal.SIGKILL)
    yield {}


def busy(context: ImportContext) -> Edits:
    while True:
        pass
    yield {}


def idle(context: ImportContext) -> Edits:
    time.sleep(3600)
    yield {}


def deep(context: ImportContext) -> Edits:
    yield from deep(context)


def broken(context: ImportContext) -> Edits:
    yield {"op": "put", "document": "app/main", "body": {"name": "Half"}}
    raise KeyError("secret detail")


def leaving(context: ImportContext) -> Edits:
    raise SystemExit("enough")
    yield {}


def refusing(context: ImportContext) -> Edits:
    raise AppkeepError("Not this one.", line=4)
    yield {}


@pytest.mark.parametrize(("does", "said"), [
    (hungry, "needs more than 200 MB of memory to read"), (killed, "the process that read it stopped"), (deep, "cannot be read"),
    (broken, "odd cannot be read. The server's log has the details."), (leaving, "the process that read it stopped")])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_reading_that_fails_is_refused_in_words(organization: str, home: Path, does: Callable[[ImportContext], Edits], said: str,
                                                  dry_run: bool) -> None:
    with pytest.raises(ImportFailed, match=said) as refused:
        bring_in(does, organization, dry_run=dry_run)
    assert "secret" not in refused.value.message
    assert nothing_stays(home)


def test_the_log_tells_what_broke(organization: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ImportFailed):
        bring_in(broken, organization)
    assert "secret detail" in caplog.text


def test_a_refusal_comes_as_it_was_made(organization: str) -> None:
    with pytest.raises(AppkeepError, match="Not this one") as refused:
        bring_in(refusing, organization)
    assert type(refused.value) is AppkeepError
    assert refused.value.details == {"line": 4}


@pytest.mark.parametrize("does", [busy, idle])
def test_a_reading_that_takes_too_long_is_ended(organization: str, home: Path, does: Callable[[ImportContext], Edits]) -> None:
    with pytest.raises(TookTooLong, match="takes longer than 1 seconds"):
        bring_in(does, organization, time_s=1)
    assert nothing_stays(home)


@pytest.mark.parametrize("does", [busy, idle])
def test_a_reading_that_says_nothing_can_be_cancelled(organization: str, home: Path, does: Callable[[ImportContext], Edits]) -> None:
    def watch(phase: str, done: int, total: int) -> None:
        raise RunCancelled("Enough.")

    with pytest.raises(RunCancelled):
        bring_in(does, organization, watch=watch)
    assert nothing_stays(home)


def test_a_text_that_is_repeated_in_each_record_does_not_fill_the_disk(organization: str, home: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    def repeating(context: ImportContext) -> Edits:
        yield {"op": "put", "document": "worksheet/w_aaaaaaaaaa", "body": {"name": "One", "views": [], "fields": [
            {"key": "f_aaaaaaaaaa", "type": "text", "name": "A", "options": {}}]}}
        for _ in range(100):
            yield {"op": "put_records", "worksheet": "w_aaaaaaaaaa", "records": [{"values": {"f_aaaaaaaaaa": "x" * 1000}}] * 10}

    monkeypatch.setattr(reader_process, "MOST_BESIDES_BYTES", 100_000)
    with pytest.raises(ImportFailed, match="would become more than 0 MB of data"):
        bring_in(repeating, organization)
    assert nothing_stays(home)


def whole(context: ImportContext) -> Edits:
    """Make an app with a file, a note and a table that was shown."""
    page = new_key("p")
    context.show({"table": "A", "columns": []})
    context.unsupported("thing", "It", "it has no counterpart")
    with tempfile.TemporaryFile() as file:
        file.write(b"content" * 100_000)
        file.seek(0)
        value = context.put_file(file, "a.txt")
    yield {"op": "put", "document": "app/main", "body": {"name": "Whole"}}
    yield {"op": "put", "document": f"page/{page}", "body": {"name": f"{value['size']} {value['file'][:4]} {value['type']}", "blocks": []}}


def check_whole(organization: str) -> None:
    """Import it and look at what came of it."""
    made = bring_in(whole, organization)
    assert made["unsupported"] == [{"what": "thing", "name": "It", "reason": "it has no counterpart", "count": 1}]
    assert (made["files"], made["documents"], [table["table"] for table in made["tables"]]) == (1, 2, ["A"])
    pages = documents.live(apps.find(made["app"]), "page")
    assert [one.body["name"] for one in pages] == ["700000 2248 text/plain"]


def test_what_is_read_arrives(organization: str) -> None:
    check_whole(organization)


def test_a_reader_that_was_forked_before_there_were_threads_reads_too(organization: str, home: Path) -> None:
    this = this_server()
    this.registry.importers["odd"] = Odd(whole)
    from flask import current_app

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    reader_process.start(app)
    try:
        check_whole(organization)
        this.registry.importers["odd"] = Odd(broken)  # the reader has been forked before, and does not know
        check = import_file(Path("odd"), organization, "system", importer="odd", dry_run=True)
        assert check["name"] == "Whole"
        assert reader_process._reader is not None
        reader_process._reader._control.close()
        check_whole(organization)  # without a reader it goes on all the same
    finally:
        reader_process._reader = None


def test_what_a_killed_process_left_in_the_spool_goes_after_a_day(organization: str, home: Path) -> None:
    young, old = (home / "spool" / name for name in ("young", "old"))
    for folder in (young, old):
        folder.mkdir(parents=True)
        (folder / "edits").write_bytes(b"x")
    then = time.time() - LEFT_AFTER_S - 60
    os.utime(old, (then, then))
    scheduler.tick()
    assert [young] == list((home / "spool").iterdir())


def test_one_that_was_forked_at_a_bad_moment_is_ended_and_another_forked(
        organization: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another thread held a lock of a library: it never says that it is ready."""
    bound, begun = reader_process._bound, home / "begun"

    def hangs(asked: reader_process.Asked) -> None:
        bound(asked)
        with begun.open("a") as told:
            told.write("x")
        if len(begun.read_text()) < 3:
            time.sleep(600)

    monkeypatch.setattr(reader_process, "_bound", hangs)
    monkeypatch.setattr(reader_process, "READY_S", 0.5)
    made = bring_in(lambda context: iter([{"op": "put", "document": "app/main", "body": {"name": "Third time"}}]), organization)
    assert begun.read_text() == "xxx" and apps.find(made["app"]).name == "Third time"
