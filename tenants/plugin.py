"""Tenants: organizations, people, and who may do what. Plugin zero."""

from __future__ import annotations

from pathlib import Path

import click

from core.api import App, hookimpl
from tenants import commands, service


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def org_reference_exists(organization_id: str, address: str) -> bool | None:
    return service.reference_exists(organization_id, address)


@hookimpl
def find_organization(name_or_id: str) -> str:
    return service.find_organization(name_or_id).id


@hookimpl
def find_person(email: str) -> str:
    return service.user_by_email(email).id


@hookimpl
def organization_time_zone(organization_id: str) -> str | None:
    return service.time_zone(organization_id)


@hookimpl
def app_created(app: App, person: str) -> None:
    """Who makes an app manages it."""
    if person.startswith("u_"):
        service.name_admin(app, person)


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")
