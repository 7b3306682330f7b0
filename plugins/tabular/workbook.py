"""XlsxImporter: Excel workbooks, one worksheet for each sheet that holds something."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl

from core.api import AppkeepError, Corrections, ImportFailed
from plugins.tabular.grid import table_of
from plugins.tabular.importer import TabularImporter
from plugins.tabular.package import check_package, is_workbook
from plugins.tabular.table import Row, Table, Tell

MAX_ROWS = 1_048_576
"""What a sheet of Excel can have; one that says more is made to hurt."""
warnings.filterwarnings("ignore", module="openpyxl")


class XlsxImporter(TabularImporter):
    """Values as they were last calculated; sheets in their order, hidden ones too."""

    name, title = "xlsx", "Excel workbook (.xlsx)"

    def recognizes(self, path: Path) -> bool:
        """See `Importer.recognizes`."""
        return is_workbook(path)

    @contextmanager
    def opened(self, path: Path, stem: str, tell: Tell, wanted: Corrections) -> Iterator[list[Table]]:
        """See `TabularImporter.opened`."""
        check_package(path, tell)
        with _reading(path, "the workbook"):
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            yield _tables(path, book, tell, wanted)
        finally:
            book.close()


def _tables(path: Path, book: Any, tell: Tell, wanted: Corrections) -> list[Table]:
    tables = []
    for sheet in book.worksheets:
        table = table_of(sheet.title, partial(_rows, path, sheet), tell, wanted.header_of(sheet.title))
        if table is None:
            tell("sheet", sheet.title, "it is empty and left out")
            continue
        if sheet.sheet_state != "visible":
            tell("sheet", sheet.title, "it was hidden; here it is not")
        tables.append(table)
    if not tables:
        raise ImportFailed(f"{path.name} has no sheet with values.")
    return tables


def _rows(path: Path, sheet: Any) -> Iterator[Row]:
    with _reading(path, f"the sheet “{sheet.title[:60]}”"):
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > MAX_ROWS:
                raise ImportFailed(f"{path.name}: the sheet “{sheet.title[:60]}” has more than {MAX_ROWS} rows.")
            yield row


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Tell of a damaged workbook in one sentence."""
    try:
        yield
    except (AppkeepError, MemoryError):
        raise
    except Exception as error:  # openpyxl meets broken parts with whatever Python raises there
        reason = f"{type(error).__name__}: {error}"[:200]
        raise ImportFailed(f"{path.name}: {what} cannot be read ({reason}).") from error
