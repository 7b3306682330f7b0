"""Pages on records: the views of a worksheet, its records, their files, its recycle bin."""

from plugins.worksheets.web import bin, buttons, export, files, grid, inline, keeping, records, subforms
from plugins.worksheets.web.blueprint import pages

__all__ = ["bin", "buttons", "export", "files", "grid", "inline", "keeping", "pages", "records", "subforms"]
