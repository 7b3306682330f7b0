"""Tabular: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable

from core.api import Importer, hookimpl
from plugins.tabular.database import SqliteImporter
from plugins.tabular.delimited import CsvImporter
from plugins.tabular.workbook import XlsxImporter


@hookimpl
def register_importer() -> Iterable[Importer]:
    return CsvImporter(), XlsxImporter(), SqliteImporter()
