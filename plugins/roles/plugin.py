"""Roles: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint

from core.api import App, Component, Rights, hookimpl
from plugins.roles import effective_rights, service
from plugins.roles.component import Roles


@hookimpl
def register_component() -> Component:
    return Roles()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Blueprint:
    from plugins.roles import web

    return web.pages


@hookimpl
def sees_app(app: App, person: str) -> bool:
    return effective_rights.sees(app, person)


@hookimpl
def app_roles(app: App, person: str) -> Iterable[str]:
    return [f"role/{role.key}" for role in effective_rights.roles_of(app, person)]


@hookimpl
def people_of(app: App, address: str) -> Iterable[str]:
    return service.people_of(app, address)


@hookimpl
def rights_on(app: App, person: str, address: str) -> Rights | None:
    return effective_rights.rights_on(app, person, address)
