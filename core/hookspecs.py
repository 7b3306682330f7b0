"""Every hook of Appkeep, one docstring line each: the whole surface that plugins extend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import pluggy

if TYPE_CHECKING:
    from flask import Blueprint

    from core.access import Rights
    from core.apps.models import App
    from core.component import Component
    from core.fieldtype import Definition, FieldType
    from core.importer import Importer
    from core.runs.models import Run
    from core.web.menu import MenuItem
    from core.web.visit import Visitor

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


@hookspec
def register_blueprint() -> Blueprint | Iterable[Blueprint]:
    """Give pages: a `core.api.Pages` blueprint, or several."""
    return ()


@hookspec(firstresult=True)
def visitor() -> Visitor | None:
    """Give who has signed in with the current request; None for nobody."""


@hookspec(firstresult=True)
def sign_in_url(next_url: str) -> str | None:
    """Give the address of the page to sign in at, from which one comes back to *next_url*."""


@hookspec(firstresult=True)
def home_url(person: str) -> str | None:
    """Give the address of the page that somebody comes to who has just signed in."""


@hookspec(firstresult=True)
def role_in_organization(organization_id: str, person: str) -> str | None:
    """Give "owner", "admin" or "member" for an active member of the organization; None for anybody else."""


@hookspec
def manages_app(app: App, person: str) -> bool:
    """Say whether a person is an admin of the app; one yes is enough."""
    return False


@hookspec
def sees_app(app: App, person: str) -> bool:
    """Say whether a member of the organization sees the app; one yes is enough."""
    return False


@hookspec
def rights_on(app: App, person: str, address: str) -> Rights | None:
    """Give what a person who does not manage the app may do with a document of it; None where you grant nothing."""


@hookspec
def addresses_of(organization_id: str, person: str) -> Iterable[str]:
    """Give what a person belongs to in the organization ("department/d_…", "org_role/r_…"), which may be given roles."""
    return ()


@hookspec
def app_menu(app: App) -> Iterable[MenuItem]:
    """Give items of an app's navigation, in groups, for those who use it."""
    return ()


@hookspec
def manage_menu(app: App) -> Iterable[MenuItem]:
    """Add items to the navigation of an app's management, for its admins."""
    return ()


@hookspec(firstresult=True)
def person_name(person: str) -> str | None:
    """Give what a person is called, for people to read."""
