"""Settings: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Blueprint

from core.api import App, Component, Look, MenuItem, documents, hookimpl
from plugins.settings.app_look import look
from plugins.settings.component import Settings
from plugins.settings.menu import menu
from plugins.settings.menu import mobile_menu as mobile


@hookimpl
def register_component() -> Component:
    return Settings()


@hookimpl
def register_blueprint() -> Blueprint:
    from plugins.settings.web import pages

    return pages


@hookimpl
def app_look(app: App) -> Look | None:
    return look(app)


@hookimpl
def apps_listed(apps: Sequence[App], person: str) -> None:
    documents.read_ahead([app.id for app in apps], "app")


@hookimpl
def mobile_menu(app: App) -> Iterable[MenuItem]:
    return mobile(app)


@hookimpl
def app_menu(app: App) -> Iterable[MenuItem]:
    return menu(app)
