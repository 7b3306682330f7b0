"""Restoring an app that people write to all the time: nothing that was acknowledged is lost, and the restore goes on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from core.api import App, AppRestoring, apps, as_tenant, direct, documents, transaction
from core.backups import requests, state
from core.backups.catalog import find_backup
from core.backups.plan import Options
from core.backups.reader import BackupReader
from core.base.errors import AppkeepError, PlanChanged
from core.base.time import moved
from core.runs.models import Run
from core.runs.service import claim, find, recover, report_of, work
from plugins.worksheets import service
from plugins.worksheets.records import read_lines
from tests.core.runs.faults import at_step, elsewhere
from tests.core.runs.making import FIELD, SHEETS, ask, change, fill, restoring, write
from tests.core.runs.processes import PATIENCE_S

RECORDS = 2000


class Writer:
    """Somebody who edits one record after the other, each with a value of its own, and keeps what was acknowledged."""

    def __init__(self, server: Flask, organization: str, app_id: str) -> None:
        self.server, self.organization, self.app_id = server, organization, app_id
        self.acknowledged: dict[int, str] = {}
        self.begun, self.refused, self.stop = threading.Event(), threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._write)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let the block run while edits come in."""
        self.thread.start()
        try:
            assert self.begun.wait(PATIENCE_S)
            yield
        finally:
            self.stop.set()
            self.thread.join()

    def _write(self) -> None:
        with self.server.app_context(), as_tenant(self.organization):
            for edit, number in enumerate(itertools.cycle(range(10, RECORDS + 1))):
                if self.stop.is_set():
                    return
                try:
                    with transaction():
                        service.put_record(apps.find(self.app_id), SHEETS[0], number, {FIELD: f"edit {edit}"}, "system")
                except AppRestoring:
                    self.refused.set()
                    return
                self.acknowledged[number] = f"edit {edit}"
                self.begun.set()


def values(backup_id: str) -> dict[int, str]:
    """Return the values of the first worksheet's records in a backup, by number."""
    saved = BackupReader(find_backup(backup_id))
    lines = [line for line in saved.data_lines("worksheets") if line.section == f"records/{SHEETS[0]}"]
    found = (record for line in lines for record in read_lines(saved.read(line.content)))
    return {record.seq: service.loads(bytes(record.vals).decode()).get(FIELD, "") for record in found}


@pytest.fixture
def busy(app: App) -> App:
    """An app with a worksheet of many records."""
    fill(app)
    with transaction():
        service.put_records(apps.find(app.id), SHEETS[0], [{"values": {FIELD: f"text {n}"}} for n in range(4, RECORDS + 1)], "system")
    return apps.find(app.id)


@pytest.mark.parametrize("round_", range(3))
def test_every_edit_that_was_acknowledged_is_in_the_backup_before_the_restore(
        server: Flask, organization: str, busy: App, monkeypatch: pytest.MonkeyPatch, round_: int) -> None:
    """Up to the last one before the app was closed; whoever comes later is told so, and the restore does not wait for them to stop."""
    app_id, backup = busy.id, direct.back_up(busy)
    writer = Writer(server, organization, app_id)
    at_step(monkeypatch, "restore.app_closed", lambda: writer.refused.wait(PATIENCE_S))
    with writer.at_work():
        report = direct.restore(apps.find(app_id), backup, safety_backup=True)
    assert writer.refused.is_set()
    kept = values(report["safety_backup"])
    assert writer.acknowledged == {number: kept[number] for number in writer.acknowledged}
    assert backup.content_id == direct.content_id(apps.find(app_id))
    assert None is restoring(apps.find(app_id))


def test_a_restore_waits_for_a_writer_who_came_before_it(
        server: Flask, engine: str, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a transaction under way commits after the close was asked for is in the backup; SQLite has one writer, who ends first."""
    if engine == "sqlite":
        pytest.skip("SQLite makes them take turns")
    app = fill(app)
    backup, app_id = direct.back_up(app).id, app.id
    run_id = ask("restore", app, find_backup(backup), send=False)
    done, inside = threading.Event(), threading.Event()

    def restore() -> None:
        elsewhere(lambda: work(run_id))
        done.set()

    at_step(monkeypatch, "restore.verified", inside.set)
    with transaction():
        service.put_record(apps.find(app_id), SHEETS[0], 1, {FIELD: "under way"}, "system")
        thread = threading.Thread(target=in_context(server, app.organization_id, restore))
        thread.start()
        assert inside.wait(PATIENCE_S)
        assert not done.wait(0.5)  # no proof, only a chance for it to be wrong
    thread.join()
    report = report_of(find(run_id))
    assert "under way" == values(report["safety_backup"])[1]


def in_context(server: Flask, organization: str, act):  # type: ignore[no-untyped-def]
    """Return something that does *act* in a thread, as the organization."""
    def run() -> None:
        with server.app_context(), as_tenant(organization):
            act()

    return run


def test_an_app_in_use_is_restored_and_what_differs_from_the_plan_is_told(server: Flask, app: App) -> None:
    """A few records written since the plan was looked at are no reason to refuse; the report says how many more it wrote."""
    app = fill(app)
    backup = direct.back_up(app)
    write(app)
    plan = direct.plan(apps.find(app.id), backup)["plan"]
    with transaction():
        for seq in (2, 3):
            service.put_record(apps.find(app.id), SHEETS[1], seq, {FIELD: "since the plan"}, "system")
    report = report_of(direct.finished(planned(app, backup.id, plan).id))
    assert (2, backup.content_id) == (report["records_more_than_planned"], direct.content_id(apps.find(app.id)))


def planned(app: App, backup_id: str, plan: str) -> Run:
    """Ask for the restore that a plan showed."""
    options = Options(backup=backup_id, config=True, data=True, plan=plan)
    with transaction():
        return requests.request_restore(apps.find(app.id), find_backup(backup_id), options, "system", send=False)


@pytest.mark.parametrize("step", ["", "restore.verified"])
def test_a_document_changed_since_the_plan_stops_the_restore_whenever_that_happens(
        server: Flask, app: App, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Before the run looks, or after it has looked and before the app is closed; nothing is changed and the app is open."""
    app = fill(app)
    backup = direct.back_up(app)
    run = planned(change(app), backup.id, direct.plan(apps.find(app.id), backup)["plan"]).id

    def meanwhile() -> None:
        with transaction():
            documents.hide(apps.find(app.id), f"worksheet/{SHEETS[1]}", "system")

    if step:
        at_step(monkeypatch, step, lambda: elsewhere(meanwhile))
    else:
        meanwhile()
    with pytest.raises(AppkeepError) as refused:
        direct.finished(run)
    assert PlanChanged.code == refused.value.code
    assert None is restoring(apps.find(app.id)) and backup.content_id != direct.content_id(apps.find(app.id))


def test_a_run_that_lost_its_worker_goes_on_although_people_wrote_meanwhile(server: Flask, app: App) -> None:
    """The app is open while the run waits to be taken up again, and the plan that was agreed to is still good."""
    app = fill(app)
    backup = direct.back_up(app)
    run = planned(change(app), backup.id, direct.plan(apps.find(app.id), backup)["plan"]).id
    assert claim(run) is not None
    with transaction():
        apps.find(app.id).restoring_run_id = run
    with moved(16):
        assert [run] == recover()
        write(app)
        assert "succeeded" == direct.finished(run).state
    assert backup.content_id == direct.content_id(apps.find(app.id))


def test_a_restore_reads_the_app_twice(server: Flask, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once while people work, once closed: that reading is the backup before, the plan's and the merge's."""
    app = fill(app)
    backup = direct.back_up(app)
    run = planned(change(app), backup.id, direct.plan(apps.find(app.id), backup)["plan"]).id
    read, real = [], state._data

    def counted(found, component, *more):  # type: ignore[no-untyped-def]
        read.append(component.name)
        return real(found, component, *more)

    monkeypatch.setattr(state, "COMPARE", False)
    monkeypatch.setattr(state, "_data", counted)
    direct.finished(run)
    assert 2 == read.count("worksheets")
