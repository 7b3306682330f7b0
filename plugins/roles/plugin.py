"""Roles: the plugin's table of contents."""

from __future__ import annotations

from pathlib import Path

from core.api import Component, hookimpl
from plugins.roles.component import Roles


@hookimpl
def register_component() -> Component:
    return Roles()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")
