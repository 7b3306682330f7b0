"""Roles: the plugin's table of contents."""

from __future__ import annotations

from pathlib import Path

from core.api import App, Component, Rights, hookimpl
from plugins.roles import granted
from plugins.roles.component import Roles


@hookimpl
def register_component() -> Component:
    return Roles()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def sees_app(app: App, person: str) -> bool:
    return bool(granted.roles_of(app, person))


@hookimpl
def rights_on(app: App, person: str, address: str) -> Rights | None:
    return granted.rights_on(app, person, address)
