"""Workflows: the plugin's table of contents."""

from __future__ import annotations

from flask import Blueprint

from core.api import Component, hookimpl
from plugins.workflows import web
from plugins.workflows.component import Workflows


@hookimpl
def register_component() -> Component:
    return Workflows()


@hookimpl
def register_blueprint() -> Blueprint:
    return web.pages
