"""Pages: custom pages made of blocks."""

from __future__ import annotations

from core.api import Component
from plugins.pages.schema import PAGE


class Pages(Component):
    """Everything about pages is in their documents, so the defaults do."""

    name, title, version, kinds = "pages", "Pages", 1, (PAGE,)
    about, rank = "Pages made of blocks: text, lists, charts, forms, buttons.", 20
