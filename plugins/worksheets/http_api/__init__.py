"""The HTTP API on worksheets, their records, and files in them."""

from plugins.worksheets.http_api import batch, files, records, worksheets
from plugins.worksheets.http_api.blueprint import api

__all__ = ["api", "batch", "files", "records", "worksheets"]
