"""Worksheets: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from core.api import Component, Definition, FieldType, hookimpl
from plugins.worksheets import commands, definitions
from plugins.worksheets.component import Worksheets
from plugins.worksheets.fieldtypes import FIELD_TYPES


@hookimpl
def register_component() -> Component:
    return Worksheets()


@hookimpl
def register_field_type() -> Iterable[FieldType]:
    return FIELD_TYPES


@hookimpl
def check_field(definition: Definition) -> None:
    definitions.check_field(definition)


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")
