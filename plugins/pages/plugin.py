"""Pages: the plugin's table of contents."""

from __future__ import annotations

from flask import Blueprint

from core.api import App, Component, hookimpl
from plugins.pages import visibility
from plugins.pages.component import Pages


@hookimpl
def register_component() -> Component:
    return Pages()


@hookimpl
def register_blueprint() -> Blueprint:
    from plugins.pages import web

    return web.pages


@hookimpl
def shuts(app: App, person: str, address: str) -> bool:
    return visibility.shuts(app, person, address)
