"""In a large worksheet a field's values are moved by a worker: the page only asks, and shows how it goes."""

from __future__ import annotations

import json

import pytest

from core.api import as_tenant, db, documents, transaction
from core.apps import locks
from core.runs.models import Run
from core.runs.service import request, runs_of, work
from plugins.worksheets import component, service
from tests.plugins.worksheets.structure.building import Site


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records are many."""
    monkeypatch.setattr(component, "MOVED_AT_ONCE", 1)


@pytest.fixture
def sheet(site: Site) -> str:
    """A worksheet with a number in each of three records."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "number", "Pieces")
    for n in range(3):
        site.put(key, Name=f"Order {n}", Pieces=n + 1)
    return key


def values(site: Site, sheet: str, field: str) -> list[tuple[object, object]]:
    """Return what records hold in a field, and what of it is set aside."""
    db.session.rollback()
    with as_tenant(site.organization_id):
        rows = service.all_rows(site.app, sheet)
        return [(json.loads(row.vals).get(field), json.loads(row.hidden or "{}").get(field)) for row in rows]


def waiting(site: Site) -> list[Run]:
    """Return the runs of edits that have not ended."""
    with as_tenant(site.organization_id):
        return [run for run in runs_of(site.app.id) if run.kind == "edit" and run.ended_at is None]


def done(site: Site) -> Run:
    """Do the one edit that waits, and return its run."""
    [run] = waiting(site)
    with as_tenant(site.organization_id):
        ended = work(run.id)
    assert ended is not None
    return ended


def test_a_field_goes_to_the_bin_and_comes_back_by_a_worker(site: Site, sheet: str) -> None:
    """Nothing happens while the page waits; what it leads to says what goes on; then everything is as if it had been done at once."""
    field = site.field(sheet, "Pieces")["key"]
    answer = site.admin.post(site.structure(sheet, f"/field/{field}/hide"))
    [run] = waiting(site)
    assert answer.location.endswith(f"/runs/{run.id}")
    assert [("1.00", None), ("2.00", None), ("3.00", None)] == values(site, sheet, field)
    page = site.admin.get(answer.location).get_data(as_text=True)
    assert "Change" in page
    assert "succeeded" == done(site).state
    assert [(None, "1.00"), (None, "2.00"), (None, "3.00")] == values(site, sheet, field)
    site.admin.post(f"{site.manage}/bin/bring-back", data={"document": f"worksheet/{sheet}/field/{field}"})
    assert "succeeded" == done(site).state
    assert [("1.00", None), ("2.00", None), ("3.00", None)] == values(site, sheet, field)


def test_a_field_gets_another_type_by_a_worker(site: Site, sheet: str) -> None:
    """Where no value moves, as with a new name, it is done at once."""
    field = site.field(sheet, "Pieces")
    site.send(site.structure(sheet, f"/field/{field['key']}?as=text"))
    assert "number" == site.field(sheet, "Pieces")["type"]
    assert "succeeded" == done(site).state
    assert "text" == site.field(sheet, "Pieces")["type"]
    site.send(site.structure(sheet, f"/field/{field['key']}"), v__name="Count")
    assert "text" == site.field(sheet, "Count")["type"]
    assert [] == waiting(site)


def test_values_that_the_worker_sets_aside_are_told(site: Site) -> None:
    """The page of the run says how many; where all fit, it says nothing of them."""
    sheet = site.new_worksheet("Orders")
    site.new_field(sheet, "text", "Pieces")
    for text in ("7", "many", "few"):
        site.put(sheet, Name=text, Pieces=text)
    field = site.field(sheet, "Pieces")["key"]
    page = site.send(site.structure(sheet, f"/field/{field}?as=number")).headers["Location"]
    assert "succeeded" == done(site).state
    assert [("7.00", None), (None, "many"), (None, "few")] == values(site, sheet, field)
    assert "does not accept them now: 2." in site.admin.get(page).get_data(as_text=True)
    page = site.send(site.structure(sheet, f"/field/{field}?as=text")).headers["Location"]
    assert "succeeded" == done(site).state
    assert "Done" in (shown := site.admin.get(page).get_data(as_text=True)) and "set aside" not in shown


def test_what_lies_in_the_bin_is_deleted_for_good_by_a_worker(site: Site, sheet: str) -> None:
    """One thing, and all of it."""
    site.admin.post(site.structure(sheet, "/hide"))
    site.admin.post(f"{site.manage}/bin/empty", data={"sure": "1", "address": f"worksheet/{sheet}"})
    assert "succeeded" == done(site).state
    with as_tenant(site.organization_id):
        assert [] == documents.bin_of(site.app)
        assert not service.store_of(site.app).has_more_than(sheet, 0)


def test_an_edit_that_makes_no_sense_any_more_fails_and_says_so(site: Site, sheet: str) -> None:
    """Somebody was quicker: nothing is changed, and the run says why."""
    field = site.field(sheet, "Pieces")["key"]
    site.admin.post(site.structure(sheet, f"/field/{field}/hide"))
    with as_tenant(site.organization_id), transaction():
        documents.hide(site.app, f"worksheet/{sheet}/field/{field}", "system")
    ended = done(site)
    assert ("failed", "not_found") == (ended.state, ended.error_code)


def test_while_a_restore_goes_on_it_waits(site: Site, sheet: str) -> None:
    """The run is put off until the app is open again."""
    field = site.field(sheet, "Pieces")["key"]
    site.admin.post(site.structure(sheet, f"/field/{field}/hide"))
    with as_tenant(site.organization_id), transaction():
        locks.mark(site.app.id, request("restore", site.app, {}, "system", send=True).id)
    put_off = done(site)
    assert ("queued", True) == (put_off.state, put_off.not_before is not None)
    assert [("1.00", None), ("2.00", None), ("3.00", None)] == values(site, sheet, field)
