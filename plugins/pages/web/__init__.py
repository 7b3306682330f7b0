"""Pages of the pages plugin: one shown, its acts and files, and its editor."""

from __future__ import annotations

from plugins.pages.web import editing, page  # noqa: F401  # their routes are added by importing them
from plugins.pages.web.blueprint import pages

__all__ = ["pages"]
