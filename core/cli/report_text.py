"""Plans and reports as lines that people read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

VERBS = (("added", "created"), ("changed", "changed back"), ("brought_back", "restored from the recycle bin"),
         ("hidden", "moved to the recycle bin"))
MAX_SHOWN = 20


def plan_lines(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a restore would do."""
    yield from component_lines(plan["components"])
    yield f"plan {plan['plan']}"


def restore_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a restore did."""
    report = result["report"]
    yield from component_lines(report["components"])
    if more := report.get("records_more_than_planned"):
        yield f"{abs(more)} records {'more' if more > 0 else 'fewer'} than planned: the app was in use until the restore began."
    if "safety_backup" in report:
        yield f"The previous version is kept as backup {report['safety_backup']}."


def component_lines(components: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report of components, documents first, then data, then what could not be."""
    for name, said in components.items():
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
        yield from _data_lines(said.get("data", {}))


def _data_lines(data: Mapping[str, Any]) -> Iterator[str]:
    for item in data.get("left_alone", ())[:MAX_SHOWN]:
        yield f"kept: {item['worksheet']} record {item['record']} {item['field']}: {item['reason']}".replace(" :", ":")
    if data.get("left_alone_count", 0) > MAX_SHOWN:
        yield f"… and {data['left_alone_count'] - MAX_SHOWN} more kept"
    for sheet in data.get("worksheets", ()):
        yield (f"records of “{sheet['name']}”: {sheet['brought_back']} restored, {sheet['overwritten']} overwritten, "
               f"{sheet['unchanged']} unchanged, {sheet['new_since']} created since and kept"
               + (f", {sheet['binned']} moved to the recycle bin" if sheet.get("binned") else ""))
    for title, name in (("reference not restored", "references_not_restored"), ("choice missing", "choices_not_there")):
        for item in data.get(name, ())[:MAX_SHOWN]:
            where = f"{item['worksheet']} record {item['record']} {item['field']}"
            yield f"{title}: {where} → {item['target']}: {item['reason']}"
        if data.get(f"{name}_count", 0) > MAX_SHOWN:
            yield f"… and {data[f'{name}_count'] - MAX_SHOWN} more"
    for item in data.get("fields_left", ()):
        yield f"field unchanged: {item['worksheet']} {item['field']} in {item['records']} records: {item['reason']}"
    for item in data.get("clashes", ()):
        yield f"no longer unique: {item['worksheet']} {item['field']} “{item['value']}” in {item['records']} records"
    for item in data.get("skipped", ()):
        yield f"skipped: {item['worksheet']}, {item['records']} records: {item['reason']}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
