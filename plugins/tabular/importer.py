"""TabularImporter: what the importers of tables share: two readings, fields, relationships, records, the app around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.api import SINGLE, Corrections, ImportContext, Importer, ImportFailed, new_key
from plugins.tabular.field_plan import Plan, add_mirrors, plan_columns
from plugins.tabular.foreign_keys import linked
from plugins.tabular.records import batches
from plugins.tabular.row_keys import Keys, opened_keys
from plugins.tabular.safe_names import Names, labels, tidy
from plugins.tabular.survey import surveyed
from plugins.tabular.table import MAX_TABLES, Table, Tell
from plugins.tabular.type_inference import READINGS

Edit = Mapping[str, Any]


class TabularImporter(Importer):
    """Every table becomes a worksheet. A subclass says how tables are read."""

    def opened(self, path: Path, stem: str, tell: Tell, wanted: Corrections) -> AbstractContextManager[list[Table]]:
        """Give the tables of a file for as long as it is open, and tell what of it cannot come along.

        *stem* is what the file is called, for a table to which the file gives no name; *wanted* is what somebody says of it.

        Raises:
            ImportFailed: it is not what it claims to be, or damaged.
        """
        raise NotImplementedError

    def operations(self, path: Path, context: ImportContext) -> Iterator[Edit]:
        if not path.is_file():
            raise ImportFailed(f"File not found: {path.name}.")
        with self.opened(path, context.stem, context.unsupported, context.corrections) as tables, opened_keys() as keys:
            if len(tables) > MAX_TABLES:
                raise ImportFailed(f"{path.name} has {len(tables)} tables; at most {MAX_TABLES} can be imported.")
            kept = _kept(tables, context)
            plans = _planned(kept, keys, context)
            for plan in plans:
                context.show(_shown(plan))
            for table in tables:
                if table.name in context.corrections.skip_tables:
                    context.show({"table": table.name, "columns": [], "left_out": True})
            yield from _worksheets(plans)
            for plan in plans:
                yield from batches(plan, keys, context)
            yield from _around(plans, tidy(context.app_name or context.stem)[:100] or "Imported")


def _kept(tables: list[Table], context: ImportContext) -> list[Table]:
    """Return the tables that are not to be left out; columns that point to one that is keep their values.

    Raises:
        ImportFailed: none is left, or one that is named is not there.
    """
    names, wanted = [table.name for table in tables], context.corrections.skip_tables
    _check_tables(names, wanted)
    if not wanted:
        return tables
    places = {place: number for number, place in enumerate(place for place, name in enumerate(names) if name not in wanted)}
    if not places:
        raise ImportFailed("Every table is left out. Keep at least one.")
    for name in wanted:
        context.unsupported("table", name, "it is left out, as was asked for")
    return [replace(table, links=[replace(link, target=places[link.target]) for link in table.links if link.target in places])
            for table in tables if table.name not in wanted]


def _check_tables(there: list[str], named: Iterable[str]) -> None:
    missing = next((name for name in named if name and name not in there), None)
    if missing is not None:
        raise ImportFailed(f"Unknown table “{missing[:100]}”. Use one of: {', '.join(there[:40])}.")


def _planned(tables: list[Table], keys: Keys, context: ImportContext) -> list[Plan]:
    for place, table in enumerate(tables):
        for link in table.links:
            keys.index(link.target, link.target_columns)
        for number, column in enumerate(table.columns):
            if column.unique:
                keys.index(place, (number,))
    surveys = [surveyed(table, place, keys, _asked(table, context.corrections)) for place, table in enumerate(tables)]
    _check_known(tables, context.corrections)
    names = Names()
    plans = [Plan(survey, place, names.take(survey.table.name, "Table"), context.unsupported)
             for place, survey in enumerate(surveys)]
    for plan in plans:
        plan_columns(plan, linked(surveys, plan.place, keys, context.unsupported), plans, keys, context.corrections)
    add_mirrors(plans)
    for definition in (definition for plan in plans for definition in plan.fields):
        context.check_field(definition)
    return plans


def _asked(table: Table, wanted: Corrections) -> list[str]:
    """Return the types that the columns of a table shall have.

    Raises:
        ImportFailed: one is none.
    """
    asked = [wanted.type_of(table.name, column) for column in labels(table)]
    wrong = next((kind for kind in asked if kind and kind not in READINGS), None)
    if wrong is not None:
        raise ImportFailed(f"“{wrong[:40]}” is not a type. Use one of: {', '.join(READINGS)}.")
    return asked


def _check_known(tables: list[Table], wanted: Corrections) -> None:
    """Refuse what is said of columns that are not there."""
    found = [(table.name, name) for table in tables for name in labels(table)]
    strange = wanted.strange({name for _, name in found} | {f"{table}: {name}" for table, name in found})
    if strange:
        raise ImportFailed(f"Unknown column “{strange[:100]}”. Use one of: {', '.join(name for _, name in found[:40])}.")
    _check_tables([*(table.name for table in tables), *wanted.skip_tables], wanted.header)


def _shown(plan: Plan) -> dict[str, Any]:
    table = plan.survey.table
    fields = {field["key"]: field for field in plan.fields}
    columns = [{"name": name, "field": fields[plan.taken[place]]["name"] if place in plan.taken else "",
                "type": plan.readings.get(place, ""), "samples": plan.survey.samples.get(place, [])}
               for place, name in enumerate(labels(table))]
    return {"table": table.name, "worksheet": plan.name, "rows": plan.survey.rows, "columns": columns, **table.written,
            **({} if table.header is None else {"header": table.header}),
            "readings": [[name, title] for name, (title, _) in READINGS.items()]}


def _worksheets(plans: list[Plan]) -> Iterator[Edit]:
    for position, plan in enumerate(plans):
        body: dict[str, Any] = {"name": plan.name, "fields": plan.fields, "views": [
            {"key": new_key("v"), "type": "grid", "name": "All records"}]}
        if plan.fields:
            title = next((field for field in plan.fields if field["type"] == "text"), plan.fields[0])
            body["title_field"] = {"ref": f"{plan.address}/field/{title['key']}"}
        yield _put(plan.address, body, position)


def _around(plans: list[Plan], name: str) -> Iterator[Edit]:
    """Yield the group that lists the worksheets, the navigation and the app's own document."""
    items = [{"ref": plan.address} for plan in plans]
    yield _put(f"group/{new_key('g')}", {"name": "Worksheets", "items": items}, 0)
    navigation = [{"label": plan.name, "target": {"ref": plan.address}} for plan in plans[:50]]
    yield _put(f"navigation/{SINGLE}", {"items": navigation}, 0)
    yield _put(f"app/{SINGLE}", {"name": name}, 0)


def _put(address: str, body: dict[str, Any], position: int) -> Edit:
    return {"op": "put", "document": address, "body": body, "position": position}
