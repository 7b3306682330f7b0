"""Worksheets: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Blueprint

from core.api import (
    App,
    Component,
    Definition,
    FieldType,
    FormulaFunction,
    RecordsAsked,
    RecordsGiven,
    RestoreContext,
    Rights,
    RunKind,
    Standing,
    hookimpl,
)
from plugins.worksheets import calculating, commands, comments, definitions, history_retention, indexing
from plugins.worksheets.component import Worksheets
from plugins.worksheets.fieldtypes import FIELD_TYPES
from plugins.worksheets.formula import brought
from plugins.worksheets.public import links


@hookimpl
def register_component() -> Component:
    return Worksheets()


@hookimpl
def register_field_type() -> Iterable[FieldType]:
    return FIELD_TYPES


@hookimpl
def register_formula_function() -> Iterable[FormulaFunction]:
    return list(brought.own())


@hookimpl
def check_field(definition: Definition) -> None:
    definitions.check_field(definition)


@hookimpl
def register_run_kind() -> RunKind:
    return RunKind(name=indexing.KIND, title="Indexing", plural="indexings", work="plugins.worksheets.indexing:build")


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Iterable[Blueprint]:
    from plugins.worksheets.http_api import api
    from plugins.worksheets.public import managed, opened
    from plugins.worksheets.web import pages

    return (pages, managed.pages, opened.pages, api)


@hookimpl
def actor_standing(app: App, actor: str) -> Standing | None:
    return links.standing_of(app, actor)


@hookimpl
def rights_on(app: App, person: str, address: str) -> Rights | None:
    return links.rights_of(app, person, address)


@hookimpl
def secrets_resealed() -> tuple[int, int]:
    return links.reseal_all()


@hookimpl
def clock_ticked() -> None:
    history_retention.tick()


@hookimpl
def record_purged(app: App, worksheet: str, seqs: Sequence[int] | None) -> None:
    comments.forget(app, worksheet, seqs)


@hookimpl
def records_for(app: App, person: str, asked: RecordsAsked) -> RecordsGiven | None:
    from plugins.worksheets.web import records_hook

    return records_hook.records_for(app, person, asked)


@hookimpl
def records_there(app: App, worksheet: str, seqs: Sequence[int], restoring: RestoreContext | None) -> Collection[int] | None:
    from plugins.worksheets.web import records_hook

    return records_hook.records_there(app, worksheet, seqs, restoring)


@hookimpl
def write_record(app: App, person: str, worksheet: str, seq: int | None, values: Mapping[str, Any]) -> int | None:
    from plugins.worksheets.web import records_hook

    return records_hook.write_record(app, person, worksheet, seq, values)


@hookimpl
def record_reads(app: App, person: str, worksheet: str, seq: int, values: Mapping[str, Any]) -> RecordsGiven | None:
    from plugins.worksheets.web import records_hook

    return records_hook.record_reads(app, person, worksheet, seq, values)


@hookimpl
def record_fits(app: App, worksheet: str, seq: int, values: Mapping[str, Any], filter: Mapping[str, Any]) -> bool | None:
    from plugins.worksheets.web import records_hook

    return records_hook.record_fits(app, worksheet, seq, values, filter)


@hookimpl
def calculate(app: App, expression: str, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return calculating.calculate(app, expression, values)


@hookimpl
def remove_record(app: App, person: str, worksheet: str, seq: int) -> bool | None:
    from plugins.worksheets.web import records_hook

    return records_hook.remove_record(app, person, worksheet, seq)
