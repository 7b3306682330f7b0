"""Comparing a backup with the app as it is, or with another backup; an uploaded file is one. Nothing can be started here."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, redirect, render_template, request, url_for

from core.backups.catalog import backups_of
from core.backups.compare import (
    CHANGES,
    CollectionCompared,
    LiveSide,
    SavedSide,
    Side,
    data_compared,
    documents_compared,
    record_pairs,
    what_happened,
)
from core.backups.models import Backup
from core.backups.record_lists import NO_LIST, RecordPage, check_there, collection_named, paged
from core.backups.same_names import hints_by_kind
from core.base.db import reading
from core.base.errors import AppkeepError, NotFound
from core.extension.component import Component
from core.server import server
from core.tenancy.wall import as_tenant
from core.web.answers import status_within
from core.web.backups.blueprint import BACKUP, app_args, backup_here, pages
from core.web.backups.options_form import read_options
from core.web.backups.record_lists import CSV_AT_ONCE, asked_after, asked_search, csv_rows
from core.web.backups.report_view import COMPARED, Told, names_in, tell
from core.web.backups.restore import planned, shown
from core.web.csvfile import csv_response
from core.web.gate import Needs
from core.web.visit import current_app_row, visit

NOW = "app"
"""What stands for the app as it is where another backup might."""
OTHER = f"{BACKUP}/compare/<other>"
LIST = f"{OTHER}/records/<component>/<collection>"
MAX_OFFERED = 100


@pages.page(f"{BACKUP}/compare", Needs.BACKUP)
def compare(organization_id: str, app_id: str, backup_id: str) -> tuple[str, int] | Response:
    """Show how the app differs from a backup, as a restore would see it; or lead to the comparison that was chosen."""
    backup, other = backup_here(backup_id), request.args.get("with", NOW)
    if other not in (NOW, backup_id):
        return redirect(url_for("backups.compare_two", **app_args(backup_id=backup_id, other=other)))  # type: ignore[return-value]
    sheet = planned(current_app_row(), backup, read_options(request.args, backup))
    return render_template("backups/compare.html", **shown(sheet), **_choices(backup, NOW)), sheet.status


@pages.page(OTHER, Needs.BACKUP)
def compare_two(organization_id: str, app_id: str, backup_id: str, other: str) -> tuple[str, int]:
    """Show what changed from one backup to another, or to the app as it is."""
    backup, trouble, told, found = backup_here(backup_id), None, list[Told](), list[CollectionCompared]()
    second = None if other == NOW else backup_here(other)
    try:
        with reading() as connection:
            before, after = sides(backup, second, connection)
            names = names_in(before.documents.values(), after.documents.values())
            told = tell(documents_compared(before, after), names, done=True, words=COMPARED,
                        hints=hints_by_kind(before.documents.values(), after.documents.values()))
            found = data_compared(before, after)
            holds_data = before.holds_data and after.holds_data
    except AppkeepError as error:
        trouble, names, holds_data = error, {}, False
    page = render_template(
        "backups/compare_two.html", backup=backup, second=second, told=told, found=found, trouble=trouble, holds_data=holds_data,
        title_of=partial(_name, names), lists=lambda one, what: _list_url(backup_id, other, one.component, one.address, show=what),
        **_choices(backup, other))
    return page, 200 if trouble is None else status_within(trouble)


@pages.page(LIST, Needs.BACKUP)
def compared_records(organization_id: str, app_id: str, backup_id: str, other: str, component: str, collection: str) -> str:
    """Show a page of the records that were added, changed or removed from one side to the other."""
    backup, second, what = backup_here(backup_id), None if other == NOW else backup_here(other), _asked_change()
    found = _page(backup, second, component, collection, what, after=asked_after(), search=asked_search())
    documents = SavedSide(backup).documents
    names = names_in(documents.values())
    return render_template(
        "backups/compared_records.html", backup=backup, second=second, found=found, what=what, q=asked_search(), first=not asked_after(),
        name=names.get(collection, server().registry.components[component].title), changes=CHANGES,
        here=partial(_list_url, backup_id, other, component, collection))


@pages.page(f"{LIST}/csv", Needs.BACKUP)
def compared_records_csv(organization_id: str, app_id: str, backup_id: str, other: str, component: str, collection: str) -> Response:
    """Give the whole list as CSV, a line a value that differs."""
    backup, second, what = backup_here(backup_id), None if other == NOW else backup_here(other), _asked_change()

    def next_page(after: int) -> RecordPage:
        with as_tenant(organization_id):
            return _page(backup, second, component, collection, what, after=after, limit=CSV_AT_ONCE)

    return csv_response(f"compare-{what}-{collection}.csv", csv_rows(next_page, next_page(0)))


def _page(backup: Backup, second: Backup | None, component: str, collection: str, what: str, *, after: int, search: str = "",
          limit: int = 50) -> RecordPage:
    """Return a page of the records to which that happened from one side to the other."""
    app, (known, address) = current_app_row(), collection_named(component, collection)
    with reading() as connection:
        both = sides(backup, second, connection)
        check_there(known, address, [side.documents for side in both], [line for side in both for line in side.lines(component)])
        pairs = (pair for pair in record_pairs(*both, known, f"records/{collection}", after) if what_happened(pair) == what)
        return paged(pairs, lambda some: known.tell_records(app, visit().person, address, some, both[0].documents, both[1].documents),
                     search=search, limit=limit)


def sides(backup: Backup, second: Backup | None, connection: Any) -> tuple[Side, Side]:
    """Return both sides of a comparison; the later one is the app at the connection’s moment where no *second* backup is given."""
    return SavedSide(backup), LiveSide(current_app_row(), connection) if second is None else SavedSide(second)


def _asked_change() -> str:
    what = request.args.get("show", "changed")
    if what not in CHANGES:
        raise NotFound(NO_LIST)
    return what


def _choices(backup: Backup, other: str) -> dict[str, Any]:
    """Return what the choice of the other side shows."""
    return {"others": [one for one in backups_of(backup.app_id, most=MAX_OFFERED) if one.id != backup.id], "other": other, "now": NOW}


def _name(names: Any, one: CollectionCompared) -> str:
    component: Component = server().registry.components[one.component]
    return str(names.get(one.address.rpartition("/")[2], component.title))


def _list_url(backup_id: str, other: str, component: str, collection: str, *, csv: bool = False, **more: Any) -> str:
    given = {name: value for name, value in more.items() if value}
    return url_for("backups.compared_records_csv" if csv else "backups.compared_records", **app_args(
        backup_id=backup_id, other=other, component=component, collection=collection.rpartition("/")[2]), **given)
