"""Workflows: the plugin's table of contents."""

from __future__ import annotations

from core.api import Component, hookimpl
from plugins.workflows.component import Workflows


@hookimpl
def register_component() -> Component:
    return Workflows()
