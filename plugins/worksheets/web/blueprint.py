"""The blueprint that all pages on records hang on, and the files of style and script that they load."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory

from core.api import APP, Needs, Pages

STATIC = Path(__file__).parent.parent / "static"
SHEET = f"{APP}/worksheet/<key>"
"""The address of a worksheet."""
RECORD = f"{SHEET}/record/<int:seq>"
"""The address of one of its records."""
pages = Pages("records", __name__, template_folder="../templates")


@pages.page("/static/worksheets/<path:name>", Needs.NOTHING)
def static(name: str) -> Response:
    """Give a file of style or script."""
    return send_from_directory(STATIC, name)


static.assets = STATIC  # type: ignore[attr-defined]  # read where addresses get their digest
