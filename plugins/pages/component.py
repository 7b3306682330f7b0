"""Pages: custom pages made of blocks."""

from __future__ import annotations

from core.api import Component, Document, check_settings, server
from plugins.pages.schema import PAGE


class Pages(Component):
    """Everything about pages is in their documents. Blocks of other plugins' types are kept where their plugin is gone."""

    name, title, version, kinds = "pages", "Pages", 1, (PAGE,)
    about, rank = "Pages made of blocks: text, lists, charts, forms, buttons.", 20

    def check_edit(self, before: Document | None, after: Document) -> None:
        check_settings(server().registry.block_types, "block", before and before.body, after.body)
