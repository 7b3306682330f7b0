"""The blueprint of the pages, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, redirect, request, url_for

from core.api import Document, Pages, current_app_row, digest

pages = Pages("settings", __name__, template_folder="../templates")
pages.statics(Path(__file__).parents[1] / "static", "settings")


def where() -> dict[str, Any]:
    """Return what the addresses of the app's pages are made with."""
    return {"organization_id": current_app_row().organization_id, "app_id": current_app_row().id}


def to(endpoint: str, **names: Any) -> Response:
    """Send the browser on to a page of the settings."""
    return redirect(url_for(f"settings.{endpoint}", **where(), **names), 303)  # type: ignore[return-value]


def typed(name: str) -> str:
    """Return what was typed into a field of the form."""
    return request.form.get(name, "")


def seen_another(document: Document) -> bool:
    """Say whether the form was made from another state of the document than the one that is there."""
    return typed("seen") != digest(document.body)
