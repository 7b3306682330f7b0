"""Wrecking an app in every way that a restore must make good, for any app."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.api import App, Document, apps, db, documents, field_type, new_key, transaction
from plugins.worksheets import service as records
from plugins.worksheets.fields import fields_of

Edit = dict[str, Any]


@dataclass
class Wreck:
    """What was done to an app; `added` are the records made since, by worksheet."""

    hidden: list[str] = field(default_factory=list)
    added: dict[str, list[int]] = field(default_factory=dict)
    deleted: dict[str, list[int]] = field(default_factory=dict)


def wreck(app: App) -> Wreck:
    """Delete every third record, empty fields, change options, hide things, add records and fields; in one transaction."""
    done = Wreck()
    with transaction():
        app = apps.find(app.id)
        for sheet in documents.live(app, "worksheet"):
            _records(app, sheet, done)
        for sheet in documents.live(app, "worksheet"):
            _change_fields(app, sheet)
        for kind in ("worksheet", "page", "role", "portal_role", "workflow", "option_set"):
            _hide_one(app, kind, done)
        documents.put(app, Document(kind="app", key="main", body={"name": "Wrecked"}, position=0), "system")
        db.session.flush()
    return done


def undo_new(app: App, done: Wreck) -> None:
    """Take out the records that were made since."""
    with transaction():
        app = apps.find(app.id)
        for worksheet, seqs in done.added.items():
            for seq in seqs:
                records.delete_record(app, worksheet, seq, "system")


def _records(app: App, sheet: Document, done: Wreck) -> None:
    rows = list(records.all_rows(app, sheet.key))
    fields = fields_of(sheet.body)
    emptied = next((k for k, f in fields.items() if f.type.writable and not f.definition.get("required")), None)
    for number, row in enumerate(rows):
        if number % 3 == 0:
            still = service_row(app, sheet.key, row.seq)
            if still:
                records.delete_record(app, sheet.key, row.seq, "system")
                done.deleted.setdefault(sheet.key, []).append(row.seq)
                if number % 6 == 0:
                    records.purge_record(app, sheet.key, row.seq, "system")
        elif number % 3 == 1 and emptied is not None and service_row(app, sheet.key, row.seq):
            records.put_record(app, sheet.key, row.seq, {emptied: None}, "system")
    if all(not f.definition.get("required") for f in fields.values()):
        done.added[sheet.key] = [records.put_record(app, sheet.key, None, {}, "system") for _ in range(3)]


def service_row(app: App, worksheet: str, seq: int) -> bool:
    """Say whether a record is live still: it may have gone with its parent."""
    row = records.store_of(app).row(worksheet, seq)
    return row is not None and row.deleted_at is None


def _change_fields(app: App, sheet: Document) -> None:
    """Drop the last field, rename and remove options, add a field."""
    body = copy.deepcopy(dict(sheet.body))
    fields = body["fields"]
    title = str((body.get("title_field") or {}).get("ref", "")).rpartition("/")[2]
    for definition in fields:
        choices = definition["options"].get("choices")
        if choices:
            choices[0]["name"] = "Renamed"
            del choices[1:2]
    for place in range(len(fields) - 1, 0, -1):
        if fields[place]["key"] != title and field_type(fields[place]["type"]).stored_for(fields[place]):
            del fields[place]
            break
    fields.append({"key": new_key("f"), "type": "text", "name": "New since", "options": {}})
    documents.put(app, Document(kind="worksheet", key=sheet.key, body=body, position=sheet.position + 1), "system")


def _hide_one(app: App, kind: str, done: Wreck) -> None:
    for document in _last(documents.live(app, kind)):
        documents.hide(app, document.address, "system")
        done.hidden.append(document.address)
        if kind in ("page", "role"):
            documents.purge(app, document.address, "system")


def _last(given: list[Document]) -> Iterator[Document]:
    if given:
        yield given[-1]
