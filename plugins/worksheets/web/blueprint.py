"""The blueprint that all pages on records hang on, and the files of style and script that they load."""

from __future__ import annotations

from pathlib import Path

from core.api import APP, Pages

SHEET = f"{APP}/worksheet/<key>"
"""The address of a worksheet."""
RECORD = f"{SHEET}/record/<int:seq>"
"""The address of one of its records."""
pages = Pages("records", __name__, template_folder="../templates")

pages.statics(Path(__file__).parent.parent / "static", "worksheets")
