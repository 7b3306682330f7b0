"""The one door to records: rows in and out, the same on SQLite and PostgreSQL.

Meaning (fields, references, counters) is not known here; see `plugins.worksheets.service`.
"""

from plugins.worksheets.records.door import COLUMNS, Door, Row, open_door
from plugins.worksheets.records.lines import MAX_SEQ, SEGMENT_RECORDS, Line, line_bytes, read_lines

__all__ = ["COLUMNS", "MAX_SEQ", "SEGMENT_RECORDS", "Door", "Line", "Row", "line_bytes", "open_door", "read_lines"]
