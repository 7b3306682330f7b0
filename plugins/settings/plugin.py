"""Settings: the plugin's table of contents."""

from __future__ import annotations

from core.api import Component, hookimpl
from plugins.settings.component import Settings


@hookimpl
def register_component() -> Component:
    return Settings()
