"""Fixtures of pages that serve every component."""

from tests.core.web.notebooks import client, notebooks

__all__ = ["client", "notebooks"]
