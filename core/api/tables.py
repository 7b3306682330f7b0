"""Data of a component in tables of its own."""

from core.tables.component import TableComponent
from core.tables.rows import Json, Row, row_columns
from core.tables.table_data import TableData

__all__ = ["Json", "Row", "TableComponent", "TableData", "row_columns"]
