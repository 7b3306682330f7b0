"""Pages: the plugin's table of contents."""

from __future__ import annotations

from core.api import Component, hookimpl
from plugins.pages.component import Pages


@hookimpl
def register_component() -> Component:
    return Pages()
