"""Baserow: the plugin's table of contents."""

from __future__ import annotations

from core.api import Importer, hookimpl
from plugins.baserow.importer import BaserowImporter


@hookimpl
def register_importer() -> Importer:
    return BaserowImporter()
