"""The editor of a page."""

from __future__ import annotations
