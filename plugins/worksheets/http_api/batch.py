"""The API on many records at once: created, changed and deleted in one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import InvalidInput, Needs, PreconditionFailed, object_schema, once
from plugins.worksheets.access import delete_record, found_row
from plugins.worksheets.http_api.blueprint import NUMBER, PARTS, RECORDS, SUBJECT, VALUES, WHOLE, api
from plugins.worksheets.http_api.entering import entered
from plugins.worksheets.http_api.shown import etag_of_row
from plugins.worksheets.records import Row
from plugins.worksheets.service import Puts, telling
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, open_sheet

MOST = 1000
MATCH = {"type": "string", "minLength": 1, "maxLength": 100, "description": "The record’s etag, as it is meant; another one is refused."}


def _several(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": MOST}


BATCH = object_schema({}, {
    "create": _several(object_schema({"values": VALUES})),
    "update": _several(object_schema({"number": NUMBER, "values": VALUES}, {"if_match": MATCH})),
    "delete": _several(object_schema({"number": NUMBER}, {"if_match": MATCH}))})
DONE = object_schema({"created": {"type": "array", "items": WHOLE, "description": "Their numbers, in the order given."},
                      "updated": WHOLE, "deleted": WHOLE})
Item = Mapping[str, Any]


@api.operation("POST", f"{RECORDS}/batch", Needs.APP, name="change_records", scope="write", subject=SUBJECT,
               summary="Create, change and delete records, all or nothing",
               about=f"At most {MOST} in all. First those are deleted that are to be, then others changed, then new ones created. A "
                     "refusal says in `at` which one it is about (/create/3), and nothing is changed.",
               body=BATCH, answer=DONE, parts=PARTS, repeatable=True, refusals=(409, 412, 413))
def change_records(app_id: str, worksheet: str, body: dict[str, Any]) -> Any:
    """Do several things at once."""
    sheet = open_sheet(worksheet)
    _check_number(body)
    return once(lambda: _Batch(sheet, body.get("create", ()), body.get("update", ()), body.get("delete", ())).done())


def _check_number(body: Mapping[str, Sequence[Item]]) -> None:
    if sum(map(len, body.values())) > MOST:
        raise InvalidInput(f"At most {MOST} records can be created, changed and deleted at once.")
    seen = set()
    for act in ("update", "delete"):
        for n, item in enumerate(body.get(act, ())):
            if item["number"] in seen:
                raise InvalidInput(f"Record {item['number']} is named twice.", at=f"/{act}/{n}")
            seen.add(item["number"])


@dataclass
class _Batch:
    """A batch within its transaction. What it holds it holds in the order that `core.apps.locks` tells."""

    sheet: SheetContext
    create: Sequence[Item]
    update: Sequence[Item]
    delete: Sequence[Item]
    held: dict[int, Row] = field(default_factory=dict)

    def done(self) -> dict[str, Any]:
        """Do all of it."""
        puts, around = Puts(self.sheet.app, self.sheet.key, self.sheet.person), RelatedNames(self.sheet)
        self._hold()
        for n, item in enumerate(self.delete):
            with telling(at=f"/delete/{n}"):
                delete_record(self.sheet.app, self.sheet.access, item["number"], self.sheet.person)
        for n, item in enumerate(self.update):
            self._add(puts, around, f"/update/{n}", item["values"], self.held[item["number"]])
        for n, item in enumerate(self.create):
            self._add(puts, around, f"/create/{n}", item["values"], None)
        numbers = puts.done()
        return {"created": numbers[len(numbers) - len(self.create):], "updated": len(self.update), "deleted": len(self.delete)}

    def _add(self, puts: Puts, around: RelatedNames, at: str, values: Item, held: Row | None) -> None:
        with telling(at=at):
            changes = entered(self.sheet, around, values, held)
            if held is None or changes:
                puts.add(held, changes, at=at)

    def _hold(self) -> None:
        """Hold all records that are named, by number: two batches that name the same wait for each other in one order."""
        named = [(item, act, n) for act, items in (("update", self.update), ("delete", self.delete)) for n, item in enumerate(items)]
        for item, act, n in sorted(named, key=lambda one: one[0]["number"]):
            with telling(at=f"/{act}/{n}"):
                row = found_row(self.sheet.app, self.sheet.access, item["number"], act)
                if "if_match" in item and item["if_match"].strip('"') != (etag := etag_of_row(self.sheet, row)):
                    raise PreconditionFailed(f"Record {row.seq} was changed since you read it.", etag=etag)
                self.held[row.seq] = row
