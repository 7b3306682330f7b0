"""Damage to what an app's records point to, of every kind, for any app; each act changes the app within the caller's transaction."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from core.api import App, Document, documents
from plugins.worksheets import service
from plugins.worksheets.fields import Field, fields_of

MOST = 8
"""How many records of a worksheet one act deletes or changes."""


def sheets(app: App) -> list[Document]:
    """Return the live worksheets."""
    return list(documents.live(app, "worksheet"))


def pointing(app: App) -> list[tuple[Document, Field]]:
    """Return the fields that point to something, but none that names its records."""
    return [(sheet, one) for sheet in sheets(app) for one in fields_of(sheet.body).values()
            if one.type.points and not str(sheet.body.get("title_field", {}).get("ref", "")).endswith(one.key)]


def targets(app: App) -> list[Document]:
    """Return the worksheets that fields point into."""
    wanted = {one.definition["options"]["target"].get("ref") for _, one in pointing(app) if "target" in one.definition.get("options", {})}
    return [sheet for sheet in sheets(app) if sheet.address in wanted] or sheets(app)


def some_records(app: App, sheet: Document, draw: random.Random) -> Iterator[int]:
    """Yield the numbers of a few live records."""
    rows = service.store_of(app).some_after(sheet.key, 0)
    for row in draw.sample(rows, min(len(rows), MOST, 1 + len(rows) // 3)):
        now = service.store_of(app).row(sheet.key, row.seq)
        if now is not None and now.deleted_at is None:
            yield row.seq


def delete_records(app: App, draw: random.Random) -> None:
    """Move some records that others point to into the bin."""
    for sheet in targets(app):
        for seq in some_records(app, sheet, draw):
            service.delete_record(app, sheet.key, seq, "system")


def purge_records(app: App, draw: random.Random) -> None:
    """Remove some records that others point to for good."""
    for sheet in targets(app):
        for seq in some_records(app, sheet, draw):
            service.delete_record(app, sheet.key, seq, "system")
            service.purge_record(app, sheet.key, seq, "system")


def hide_worksheet(app: App, draw: random.Random) -> None:
    """Delete a worksheet that others point into."""
    documents.hide(app, draw.choice(targets(app)).address, "system")


def purge_worksheet(app: App, draw: random.Random) -> None:
    """Remove a worksheet that others point into for good."""
    address = draw.choice(targets(app)).address
    documents.hide(app, address, "system")
    documents.purge(app, address, "system")


def remove_choices(app: App, draw: random.Random) -> None:
    """Take choices out of fields and option sets, and rename those that stay."""
    for sheet in sheets(app):
        change_fields(app, sheet, _with_fewer_choices)
    for one in documents.live(app, "option_set"):
        body = copy.deepcopy(dict(one.body))
        _cut(body)
        documents.put(app, Document(kind=one.kind, key=one.key, body=body, position=one.position), "system")


def retype_fields(app: App, draw: random.Random) -> None:
    """Give some fields that point to something another type."""
    for sheet, one in _some(pointing(app), draw):
        kind, options = draw.choice((("text", {}), ("number", {"decimals": 0}), ("multiple_select", {"choices": []}), ("file", {}),
                                     ("subform", {"target": {"ref": sheet.address}}), ("created_time", {}), ("divider", {})))
        change_fields(app, sheet, changed(one.key, type=kind, options=options))


def retarget_links(app: App, draw: random.Random) -> None:
    """Let some links point to another worksheet."""
    for sheet, one in _some([(s, f) for s, f in pointing(app) if "target" in f.definition.get("options", {})], draw):
        target = draw.choice(sheets(app)).address
        change_fields(app, sheet, changed(one.key, options={**one.definition["options"], "target": {"ref": target}}))


def hide_fields(app: App, draw: random.Random) -> None:
    """Delete some fields that point to something."""
    for sheet, one in _some(pointing(app), draw):
        documents.hide(app, f"{sheet.address}/field/{one.key}", "system")


def purge_fields(app: App, draw: random.Random) -> None:
    """Remove some fields that point to something for good."""
    for sheet, one in _some(pointing(app), draw):
        address = f"{sheet.address}/field/{one.key}"
        documents.hide(app, address, "system")
        documents.purge(app, address, "system")


def empty_values(app: App, draw: random.Random) -> None:
    """Take links, choices and files out of some records."""
    for sheet, one in pointing(app):
        for seq in some_records(app, sheet, draw) if not one.definition.get("required") and one.type.writable else ():
            service.put_record(app, sheet.key, seq, {one.key: None}, "system")


ACTS: tuple[Callable[[App, random.Random], None], ...] = (
    delete_records, purge_records, hide_worksheet, purge_worksheet, remove_choices, retype_fields, retarget_links, hide_fields,
    purge_fields, empty_values)


def change_fields(app: App, sheet: Document, change: Callable[[dict[str, Any]], None]) -> None:
    """Put a worksheet whose fields were changed, as it is by now."""
    now = documents.get(app, sheet.address)
    body = copy.deepcopy(dict(now.body))
    for definition in body["fields"]:
        change(definition)
    if body != now.body:
        documents.put(app, Document(kind=now.kind, key=now.key, body=body, position=now.position), "system")


def changed(key: str, **to: Any) -> Callable[[dict[str, Any]], None]:
    def change(definition: dict[str, Any]) -> None:
        if definition["key"] == key:
            definition.update(to)

    return change


def _with_fewer_choices(definition: dict[str, Any]) -> None:
    _cut(definition.get("options", {}))


def _cut(holding: dict[str, Any]) -> None:
    if choices := holding.get("choices"):
        del choices[::3]
        for choice in choices:
            choice["name"] = f"{choice['name'][:150]} (renamed)"


def _some(found: list[tuple[Document, Field]], draw: random.Random) -> list[tuple[Document, Field]]:
    return draw.sample(found, min(len(found), 1 + len(found) // 4))
