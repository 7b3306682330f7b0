"""What the reports of worksheets' restores and undos say, in the form that the core shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.api import CollectionReport, DataReport, LostReference, NameOf, count_text

COUNTS = ("brought_back", "overwritten", "unchanged", "new_since", "binned")
LISTS = ("references_not_restored", "choices_not_there")
MAX_REMARKS = 100


def data_report(said: Mapping[str, Any], name_of: NameOf) -> DataReport:
    """Return a report as JSON (see `plugins.worksheets.restore.Report` and `plugins.worksheets.undo`) as a `DataReport`."""
    lost = sum(said.get(f"{name}_count", 0) for name in LISTS)
    return DataReport(
        noun="Worksheet",
        collections=[CollectionReport(key=one["worksheet"], name=one.get("name") or name_of(one["worksheet"]),
                                      **{name: one.get(name, 0) for name in COUNTS}) for one in said.get("worksheets", ())],
        references=[LostReference(collection=one["worksheet"], record=one["record"], field=one["field"], target=one["target"],
                                  reason=one["reason"]) for name in LISTS for one in said.get(name, ())],
        references_count=lost, kept=list(_kept(said, name_of)), kept_count=said.get("left_alone_count", 0),
        remarks=list(_remarks(said, name_of)),
        unlike=lost + said.get("notes", {}).get("authors_not_proven", 0) + len(said.get("types_missing", ()))
        + len(said.get("described_otherwise", ())))


def _kept(said: Mapping[str, Any], name_of: NameOf) -> Iterator[str]:
    for one in said.get("left_alone", ()):
        field = f", {name_of(one['field'])}" if one["field"] else ""
        yield f"{name_of(one['worksheet'])}, record {one['record']}{field}: {one['reason']}"


def _remarks(said: Mapping[str, Any], name_of: NameOf) -> Iterator[str]:
    def field(one: Mapping[str, Any]) -> str:
        return f"{name_of(one['worksheet'])} › {name_of(one['field'])}"

    for one in said.get("clashes", ())[:MAX_REMARKS]:
        records = count_text(one["records"], "record")
        yield f"“{one['value']}” is in {records} of {field(one)}, which must be unique. All of them were kept."
    for one in said.get("fields_left", ())[:MAX_REMARKS]:
        yield f"{field(one)} stays unchanged in {count_text(one['records'], 'record')}: {one['reason']}."
    for one in said.get("types_missing", ())[:MAX_REMARKS]:
        yield f"{field(one)} is of the type “{one['type']}”, which no plugin on this server brings. Its values are restored as they are."
    for one in said.get("described_otherwise", ())[:MAX_REMARKS]:
        yield f"{field(one)} was backed up while no plugin brought its type; its values are restored as they are."
    for one in said.get("skipped", ())[:MAX_REMARKS]:
        records, verb = count_text(one["records"], "record"), "is" if one["records"] == 1 else "are"
        yield f"{records} of {name_of(one['worksheet'])} {verb} skipped: {one['reason']}."
