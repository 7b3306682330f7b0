"""The records that a restore would change, by name: a page of a list, searched, ticked to be restored alone, and all of it as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for

from core.apps import documents
from core.backups.models import Backup
from core.backups.plan import Options
from core.backups.reader import BackupReader
from core.backups.record_lists import ListedCollection, RecordPage, planned_page
from core.base.errors import AppkeepError, NotFound
from core.extension.component import Component
from core.tenancy.models import App
from core.tenancy.wall import as_tenant
from core.web.answers import status_within
from core.web.backups.blueprint import BACKUP, app_args, backup_here, pages
from core.web.backups.options_form import OptionsForm, read_options
from core.web.backups.report_view import names_in
from core.web.csvfile import csv_response
from core.web.gate import Needs
from core.web.visit import current_app_row, visit

LIST = f"{BACKUP}/restore/records/<component>/<collection>"
TITLES = {"brought_back": "To restore", "overwritten": "To overwrite", "binned": "To the recycle bin", "new_since": "Created since, kept"}
CSV_AT_ONCE = 2000
MAX_CSV_RECORDS = 200_000
MAX_NUMBER_DIGITS = 15


@pages.page(LIST, Needs.BACKUP)
def planned_records(organization_id: str, app_id: str, backup_id: str, component: str, collection: str) -> tuple[str, int]:
    """Show a page of the records to which a restore with these options would do one thing."""
    backup, app = backup_here(backup_id), current_app_row()
    asked, listed = read_options(request.args, backup), ListedCollection.named(component, collection, asked_outcome())
    found, trouble = RecordPage([], None), None
    try:
        found = planned_page(app, backup, visit().person, options_of(backup, asked), listed, after=asked_after(), search=asked_search())
    except NotFound:
        raise
    except AppkeepError as error:
        trouble = error
    page = render_template(
        "backups/records.html", backup=backup, asked=asked, found=found, trouble=trouble, title=TITLES[listed.outcome],
        name=collection_name(app, backup, listed.component, collection), q=asked_search(), first=not asked_after(), outcomes=TITLES,
        listed=listed, here=lambda **more: list_url(backup, asked, component, collection, **more))
    return page, 200 if trouble is None else status_within(trouble)


@pages.page(f"{LIST}/csv", Needs.BACKUP)
def planned_records_csv(organization_id: str, app_id: str, backup_id: str, component: str, collection: str) -> Response:
    """Give the whole list as CSV, a line a value that differs."""
    backup, app, person = backup_here(backup_id), current_app_row(), visit().person
    options = options_of(backup, read_options(request.args, backup))
    listed = ListedCollection.named(component, collection, asked_outcome())

    def next_page(after: int) -> RecordPage:
        with as_tenant(organization_id):
            return planned_page(app, backup, person, options, listed, after=after, limit=CSV_AT_ONCE)

    return csv_response(f"restore-{listed.outcome}-{collection}.csv", csv_rows(next_page, next_page(0)))


def csv_rows(next_page: Any, found: RecordPage) -> Iterator[Sequence[Any]]:
    """Yield the rows of a list, the first page being there; where it is too long, its last row says so."""
    yield ["Record", "Name", "Field", "Before", "After"]
    count = 0
    while True:
        for record in found.records:
            count += 1
            for value in record.values:
                yield [record.number, record.title, value.name, value.before or "", value.after or ""]
            if not record.values:
                yield [record.number, record.title, "", "", ""]
        if found.next is None:
            return
        if count >= MAX_CSV_RECORDS:
            yield [f"Only the first {count:,} records are listed."]
            return
        found = next_page(found.next)


def options_of(backup: Backup, asked: OptionsForm) -> Options:
    """Return the options of the restore whose plan is looked at."""
    return Options(backup=backup.id, config=asked.config, data=asked.data, only=asked.wanted, bin_newer=asked.bin_newer)


def list_url(backup: Backup, asked: OptionsForm, component: str, collection: str, *, csv: bool = False, **more: Any) -> str:
    """Return the address of a list; *more* are "show", "q" and "after"."""
    endpoint = "backups.planned_records_csv" if csv else "backups.planned_records"
    there = url_for(endpoint, **app_args(backup_id=backup.id, component=component, collection=collection.rpartition("/")[2]))
    return f"{there}?{urlencode([*asked.as_args(), *((name, value) for name, value in more.items() if value)])}"


def collection_name(app: App, backup: Backup, component: Component, collection: str) -> str:
    """Return what people call a collection of records: the name of its document, or the component's title."""
    names = names_in(BackupReader(backup).documents.values(), documents.live(app))
    return names.get(collection, component.title)


def asked_outcome() -> str:
    """Return what the list is of."""
    return request.args.get("show", "overwritten")


def asked_after() -> int:
    """Return the number behind which the page begins."""
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS else 0


def asked_search() -> str:
    """Return what is searched for."""
    return request.args.get("q", "").strip()[:200]
