"""The one way to records: rows in and out, the same on SQLite and PostgreSQL.

Meaning (fields, references, counters) is not known here; see `plugins.worksheets.service`.
"""

from plugins.worksheets.records.engines import open_store
from plugins.worksheets.records.lines import MAX_SEQ, SEGMENT_RECORDS, Line, columns_of, line_bytes, read_lines
from plugins.worksheets.records.store import COLUMNS, RecordStore, Row, row_of

__all__ = ["COLUMNS", "MAX_SEQ", "SEGMENT_RECORDS", "Line", "RecordStore", "Row", "columns_of", "line_bytes", "open_store",
           "read_lines", "row_of"]
