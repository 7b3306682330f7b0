"""Plans and reports as lines that people read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.backups.absent import MISSING, sentence
from core.backups.models import ORIGINS
from core.base.text import count_text
from core.extension.data_report import DataReport
from core.server import server

VERBS = (("added", "created"), ("changed", "changed back"), ("brought_back", "restored from the recycle bin"),
         ("hidden", "moved to the recycle bin"))
MAX_SHOWN = 20


def plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a restore would do, of a backup of another app that it is one first."""
    if other := plan.get("another_app"):
        yield f"a backup of another app: “{other['name']}” ({ORIGINS[other['origin']]}), made {other['made_at']}"
    yield from component_lines(plan["components"])
    for one in plan.get("upgrades", ()):
        yield f"{one['component']}: upgraded from version {one['from']} to {one['to']} on the way in"
    for need in plan.get("needs", ()):
        yield f"needed by {need['needed_by']}: {need['title']} (--only {need['name']})"
    for collection, lists in plan.get("records", {}).items():
        for outcome, records in lists.items():
            yield from _record_lines(collection, outcome.replace("_", " "), records)
    yield f"plan {plan['plan']}"


def _record_lines(collection: str, outcome: str, records: list[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        yield f"{collection}/record/{record['number']} “{record['title']}”: {outcome}"
        yield from (f"    {value['name']}: {_short(value['before'])} → {_short(value['after'])}" for value in record["values"])


def restore_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a restore did."""
    report = result["report"]
    yield from component_lines(report["components"])
    if more := report.get("records_more_than_planned"):
        told = f"{count_text(abs(more), 'record')} {'more' if more > 0 else 'fewer'}"
        yield f"{told} than planned: the app was in use until the restore began."
    if "safety_backup" in report:
        yield f"The previous version is kept as backup {report['safety_backup']}."


def component_lines(components: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report of components, documents first, then data, then what could not be."""
    for name, said in components.items():
        if MISSING in said:
            yield f"{name}: {sentence(said[MISSING])}"
        documents = said.get("documents", {})
        for verb, words in VERBS:
            found = documents.get(verb, ())
            for item in found[:MAX_SHOWN]:
                yield f"{name}: {words}: {item['document']} {item['name']}".rstrip()
                for change in item.get("changes", ())[:MAX_SHOWN]:
                    yield f"    {change['at']}: {_short(change['before'])} → {_short(change['after'])}"
            if len(found) > MAX_SHOWN:
                yield f"{name}: … and {len(found) - MAX_SHOWN} more {words}"
        if documents.get("unchanged"):
            yield f"{name}: {documents['unchanged']} unchanged"
        for note, count in [*said.get("notes", {}).items(), *said.get("data", {}).get("notes", {}).items()]:
            yield f"{name}: {note.replace('_', ' ')}: {count}"
        for item in said.get("left_alone", ()):
            yield f"kept: {item['document']} {item['part']}: {item['reason']}".replace(" :", ":")
        component = server().registry.components.get(name)
        if component is not None and said.get("data"):
            yield from _data_lines(component.data_report(said["data"], str))


def _data_lines(data: DataReport) -> Iterator[str]:
    yield from (f"kept: {line}" for line in data.kept[:MAX_SHOWN])
    if data.kept_count > MAX_SHOWN:
        yield f"… and {data.kept_count - MAX_SHOWN} more kept"
    for one in data.collections:
        yield (f"records of “{one.name}”: {one.brought_back} restored, {one.overwritten} overwritten, "
               f"{one.unchanged} unchanged, {one.new_since} created since and kept"
               + (f", {one.binned} moved to the recycle bin" if one.binned else ""))
    for lost in data.references[:MAX_SHOWN]:
        yield f"reference not restored: {lost.collection} record {lost.record} {lost.field} → {lost.target}: {lost.reason}"
    if data.references_count > MAX_SHOWN:
        yield f"… and {data.references_count - MAX_SHOWN} more references not restored"
    yield from data.remarks


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
