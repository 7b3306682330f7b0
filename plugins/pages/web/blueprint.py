"""The blueprint that the routes of this package are added to."""

from __future__ import annotations

from pathlib import Path

from core.api import APP, Pages

pages = Pages("pages", __name__, template_folder="../templates", static_folder=None)
pages.statics(Path(__file__).parents[1] / "static", "pages")
PAGE = f"{APP}/page/<key>"
