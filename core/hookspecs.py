"""Every hook of Appkeep, one docstring line each: the whole surface that plugins extend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import pluggy

if TYPE_CHECKING:
    from core.apps.models import App
    from core.component import Component
    from core.fieldtype import Definition, FieldType
    from core.importer import Importer
    from core.runs.models import Run

PROJECT = "appkeep"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_component() -> Component | None:
    """Give a type of thing that apps are made of."""


@hookspec
def register_field_type() -> FieldType | Iterable[FieldType]:
    """Give a type of field, or several."""
    return ()


@hookspec
def check_field(definition: Definition) -> None:
    """Refuse (InvalidDocument) a field definition that makes no sense, before an importer uses it."""


@hookspec
def register_importer() -> Importer | Iterable[Importer]:
    """Give a reader of another program's files, or several."""
    return ()


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the command line."""


@hookspec
def register_migrations() -> str | None:
    """Give the folder of Alembic versions that make this plugin's tables."""


@hookspec(firstresult=True)
def org_reference_exists(organization_id: str, address: str) -> bool | None:
    """Say whether something outside apps ("department/d_…") exists; None for kinds you do not know."""


@hookspec(firstresult=True)
def find_organization(name_or_id: str) -> str | None:
    """Give the id of an organization; raise NotFound where there is none."""


@hookspec(firstresult=True)
def find_person(email: str) -> str | None:
    """Give the id of the person with that e-mail; raise NotFound where there is none."""


@hookspec(firstresult=True)
def organization_time_zone(organization_id: str) -> str | None:
    """Give the IANA name of an organization's time zone."""


@hookspec
def app_created(app: App, person: str) -> None:
    """Follow the creation of an app, inside its transaction."""


@hookspec
def run_finished(run: Run) -> None:
    """Follow the end of a run, after its transaction; an exception here is logged and changes nothing."""
