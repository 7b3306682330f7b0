"""Pages on the structure of worksheets, for an app's admins: fields, views, forms, and what a worksheet is called."""

from plugins.worksheets.structure import fields, parts, sheets, views
from plugins.worksheets.structure.blueprint import pages

__all__ = ["fields", "pages", "parts", "sheets", "views"]
