"""Pages on records: the views of a worksheet, its records, their files, its recycle bin."""

from plugins.worksheets.web import bin, buttons, comments, export, files, grid, history, inline, records, save_view, subforms
from plugins.worksheets.web.blueprint import pages

__all__ = ["bin", "buttons", "comments", "export", "files", "grid", "history", "inline", "pages", "records", "save_view", "subforms"]
