"""Tables whose plugin is not here (any more): what they look like was kept, so that backups hold their rows all the same.

Only their rows are read; nobody writes them before the plugin is back. Of a component that keeps data by code of its own nothing can
be read without it: nothing is removed from stores meanwhile, as it may name files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, MetaData, String, Table, Text, delete, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from core.apps import change_log
from core.base.db import Base, db, transaction
from core.extension.component import Component
from core.server import server
from core.tables.component import TableComponent
from core.tables.rows import Json, Row
from core.tables.table_data import TableData
from core.tables.watching import install
from core.tenancy.plugin_states import states
from core.tenancy.wall import as_server

OWN_CODE: Mapping[str, Any] = {"own": True}
"""What is kept of a component whose data is read by code of its own."""
TYPES: Mapping[str, Any] = {"json": Json, "boolean": Boolean, "float": Float, "integer": BigInteger, "text": Text}
READING = ("data_sections", "data_files", "kept_files", "record_count", "counters")


class TableStanding(Base):
    """What the data of a stranger's component looks like, as a JSON object: its tables, or that only its own code reads it."""

    __tablename__ = "table_standing"

    component: Mapped[str] = mapped_column(String(40), primary_key=True)
    plugin: Mapped[str] = mapped_column(String(200))
    described: Mapped[str] = mapped_column(Text)


_rows = TableStanding.__table__


class AbsentTables(TableComponent):
    """Gives the rows of an absent component's tables to backups."""


def leave_out_lacking() -> None:
    """Leave out the plugins whose tables are not in the database as they are described: no app could be backed up beside them."""
    registry = server().registry
    theirs = [(plugin, component) for name, component in registry.components.items()
              if isinstance(component, TableComponent) and registry.is_stranger(plugin := registry.plugin_of(name))]
    with as_server():
        found = {plugin: lacking for plugin, component in theirs if (lacking := _lacking(component))}
        db.session.rollback()
    for plugin, lacking in found.items():
        registry.leave_out(plugin, f"the database has no {lacking}. A migration makes it: see register_migrations")


def _lacking(component: TableComponent) -> str:
    """Return what the database lacks of a component's tables; "" for nothing."""
    looked = inspect(db.session.connection())
    for table in component.tables:
        name = str(table.table.name)
        if not looked.has_table(name):
            return f"table {name}"
        if lacking := {str(one.name) for one in table.table.columns} - {one["name"] for one in looked.get_columns(name)}:
            return f"column {sorted(lacking)[0]} in the table {name}"
    return ""


def bring_up() -> None:
    """Keep what the tables of the strangers here look like, have those of absent ones read, and writes to those here told of."""
    registry = server().registry
    install([table for component in registry.components.values() if isinstance(component, TableComponent) for table in component.tables])
    here = {name: told for name, component in registry.components.items()
            if registry.is_stranger(registry.plugin_of(name)) and (told := described(component)) is not None}
    with as_server():
        kept = {row.component: row for row in db.session.connection().execute(select(_rows))}
        there = set(inspect(db.session.connection()).get_table_names())
        dropped = _dropped(kept)
        db.session.rollback()
    for name, told in here.items():
        if name not in kept or json.loads(kept[name].described) != told:
            _keep(name, registry.plugin_of(name), told)
    _forget(set(kept) & (set(registry.components) - set(here)) | dropped)
    absent = {name: json.loads(row.described) for name, row in kept.items() if name not in registry.components and name not in dropped}
    registry.absent_data.clear()
    registry.absent_data.update({name: read for name, told in absent.items() if (read := _reading(name, told, there)) is not None})
    registry.unreadable.clear()
    registry.unreadable.update({name: kept[name].plugin for name, told in absent.items() if told == OWN_CODE})


def described(component: Component) -> dict[str, Any] | None:
    """Return what is kept of a component's data as JSON; None for one that has none."""
    usual = TableComponent if isinstance(component, TableComponent) else Component
    if any(getattr(type(component), name) is not getattr(usual, name) for name in READING):
        return dict(OWN_CODE)
    if not isinstance(component, TableComponent) or not component.tables:
        return None
    return {"tables": [{"name": str(one.table.name), "section": one.section, "noun": one.noun, "files": sorted(one.files),
                        "columns": [[str(c.name), _type_of(c)] for c in one.columns]} for one in component.tables]}


def _type_of(column: Column[Any]) -> str:
    kind = column.type
    for name, known in (("json", Json), ("boolean", Boolean), ("float", Float), ("integer", Integer)):
        if isinstance(kind, known):
            return name
    return "text"


def _reading(name: str, told: Mapping[str, Any], there: set[str]) -> Component | None:
    """Return what reads the tables of an absent component, as far as they are there."""
    by_section = {one["section"]: _table(one) for one in reversed(told.get("tables", ())) if one["name"] in there}
    tables = list(by_section.values())  # two with one section, as an earlier version let be, lie in one place of a backup
    if not tables:
        return None
    made: Any = type("AbsentTables", (AbsentTables,), {"name": name, "title": name, "tables": tables})
    found: Component = made()
    return found


def _table(told: Mapping[str, Any]) -> TableData:
    columns: list[Column[Any]] = [Column("app_id", String(16), primary_key=True), Column("number", BigInteger, primary_key=True),
                                  Column("deleted_at", BigInteger), *(Column(name, TYPES[kind]()) for name, kind in told["columns"])]
    table = Table(told["name"], MetaData(), *columns)
    model: type[Row] = type(told["name"], (), {"__table__": table})
    return TableData(model, section=told["section"], noun=told["noun"], files=tuple(told["files"]))


def _dropped(kept: Mapping[str, Any]) -> set[str]:
    """Return the components whose plugin an operator took out with its tables."""
    gone = {name for name, one in states().items() if one.removed_at is not None and one.tables == "[]"}
    return {name for name, row in kept.items() if row.plugin in gone and name not in server().registry.components}


def _keep(component: str, plugin: str, told: Mapping[str, Any]) -> None:
    try:
        with as_server(), transaction():
            db.session.merge(TableStanding(component=component, plugin=plugin[:200], described=json.dumps(told, sort_keys=True)))
            change_log.cut_all(db.session.connection())  # the same rows make other lines now
    except IntegrityError:  # another process that starts beside this one was first
        db.session.rollback()


def _forget(components: set[str]) -> None:
    if components:
        with as_server(), transaction():
            connection: Connection = db.session.connection()
            connection.execute(delete(_rows).where(_rows.c.component.in_(sorted(components))))
