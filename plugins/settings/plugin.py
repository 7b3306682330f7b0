"""Settings: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable

from core.api import App, Component, MenuItem, hookimpl
from plugins.settings.component import Settings
from plugins.settings.menu import menu


@hookimpl
def register_component() -> Component:
    return Settings()


@hookimpl
def app_menu(app: App) -> Iterable[MenuItem]:
    return menu(app)
