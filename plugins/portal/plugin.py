"""Portal: the plugin's table of contents."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from core.api import Component, hookimpl
from plugins.portal import web
from plugins.portal.component import Portal


@hookimpl
def register_component() -> Component:
    return Portal()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Blueprint:
    return web.pages
