"""Comparing a backup with an app, and merging it in: one walk that a plan and a restore share.

A plan walks with `writing` off and tells what would be done; a restore walks with it on, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from core.apps import documents
from core.apps.snapshot import Snapshot
from core.backups.absent import said_of_absent
from core.backups.journal import documents_changed
from core.backups.reader import BackupReader
from core.backups.restore_context import RestoreContext
from core.backups.selection import Selection, with_parts
from core.backups.state import Description
from core.base.errors import InvalidInput
from core.extension.component import Component, Document
from core.extension.data_report import DataReport
from core.server import server
from core.tenancy.models import App

Progress = Callable[[int, int], None]
MAX_DIFFERENCES = 200
"""How many changed documents of a component are shown with their differences; of the rest, only names are."""


def meet(app: App, saved: BackupReader, connection: Connection, person: str, *, config: bool, data: bool,
         writing: bool, only: Selection | None = None, described: Description | None = None,
         bin_newer: bool = False, progress: Progress = lambda records, size: None) -> RestoreContext:
    """Return the context in which *saved* meets the app."""
    only = only or Selection()
    before = {document.address: document for document in documents.live(app)}
    hidden = frozenset(address for address, _ in documents.bin_of(app))
    after = after_restore(before, saved.documents, only) if config else before
    return RestoreContext(app=app, saved=saved, connection=connection, writing=writing, config=config, data=data,
                          person=person, documents_before=before, documents=after, hidden=hidden, only=only,
                          described=described, bin_newer=bin_newer, progress=progress)


def after_restore(before: Mapping[str, Document], saved: Mapping[str, Document], only: Selection) -> dict[str, Document]:
    """Return the documents that are live once a configuration is back: the backup's, and what cannot or shall not go.

    Raises:
        InvalidInput: the backup has not what *only* names.
    """
    kinds = server().registry.kinds
    absent = sorted(only.documents - saved.keys())
    if absent:
        raise InvalidInput(f"The backup holds no {absent[0][:80]}.")
    kept = {address: d for address, d in before.items()
            if not only.has(kinds[d.kind][0].name, address) or (kinds[d.kind][1].single and address not in saved)}
    chosen = {address: d for address, d in saved.items() if only.has(kinds[d.kind][0].name, address)}
    return {**kept, **with_parts(before, saved, only), **chosen}


def merge(context: RestoreContext) -> dict[str, Any]:
    """Merge the backup into the app, or tell what that would do, and return the report as JSON.

    `components` has, for each component that has anything to say, "documents" (lists of added, changed,
    brought_back and hidden ones, how many are unchanged), "data" (the component's own report) and "notes"; of one that this
    server does not have, "plugin_missing".
    """
    chosen = [component for component in context.components if context.only.has(component.name)]
    report: dict[str, Any] = {component.name: {} for component in chosen}
    if context.config:
        for component in chosen:
            report[component.name]["documents"] = compare_documents(
                component, context.documents_before, context.documents, context.hidden)
        if context.writing:
            notes = _put_documents(context)
            for component in chosen:
                report[component.name]["notes"] = notes.get(component.name, {})
    if context.data:
        for component in chosen:
            does = component.restore_data if context.writing else component.plan_data
            report[component.name]["data"] = dict(does(context.app, context))
    if not context.only.names:
        report |= said_of_absent(context.app, context.saved, Snapshot(context.app.id, context.connection))
    return {name: told for name, said in report.items() if (told := {k: v for k, v in said.items() if v})}


def data_reports(components: Mapping[str, Any]) -> list[DataReport]:
    """Return what a plan or a report says of the data of the components that are there."""
    known = server().registry.components
    return [known[name].data_report(said["data"], str) for name, said in components.items() if name in known and said.get("data")]


def compare_documents(component: Component, before: Mapping[str, Document], after: Mapping[str, Document],
                      hidden: Collection[str]) -> dict[str, Any]:
    """Return what happens to a component's documents, by what happens to them; {} where nothing does."""
    kinds = {kind.name for kind in component.kinds}
    before, after = ({a: d for a, d in side.items() if d.kind in kinds} for side in (before, after))
    told: dict[str, Any] = {"added": [], "changed": [], "brought_back": [], "hidden": [], "unchanged": 0}
    for address in sorted(after):
        if address not in before:
            told["brought_back" if address in hidden else "added"].append(_named(after[address]))
        elif before[address] == after[address]:
            told["unchanged"] += 1
        else:
            shown = len(told["changed"]) < MAX_DIFFERENCES
            told["changed"].append(_changed(component, before[address], after[address], shown=shown))
    told["hidden"] = [_named(before[address]) for address in sorted(before) if address not in after]
    return told if any(told.values()) else {}


def _named(document: Document) -> dict[str, Any]:
    return {"document": document.address, "name": str(document.body.get("name", ""))[:200]}


def _changed(component: Component, before: Document, after: Document, *, shown: bool) -> dict[str, Any]:
    if not shown:
        return _named(after)
    changes = [{"at": c.at, "before": c.before, "after": c.after} for c in component.compare(before, after)]
    return {**_named(after), "changes": changes}


def _put_documents(context: RestoreContext) -> dict[str, dict[str, int]]:
    before, after = context.documents_before, context.documents
    put = [d for address, d in sorted(after.items()) if before.get(address) != d]
    hide = [address for address in sorted(before) if address not in after]
    notes: dict[str, dict[str, int]] = documents_changed(
        context.app, [*(d.address for d in put), *hide], lambda: documents.change(context.app, context.person, put=put, hide=hide))
    return notes
