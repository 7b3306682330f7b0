"""The blueprint that the pages on a worksheet's structure hang on."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, url_for

from core.api import MANAGE, Document, Pages, Targets, current_app_row, documents, visit

SHEET = f"{MANAGE}/worksheet/<key>"
"""What the addresses of the pages on one worksheet's structure begin with."""
pages = Pages("structure", __name__, template_folder="../templates")


def sheet_document(key: str) -> Document:
    """Return the worksheet that the address names.

    Raises:
        NotFound: there is none.
    """
    return documents.get(current_app_row(), f"worksheet/{key}")


def own_targets(document: Document | None = None) -> Targets:
    """Return what pointers may point to: documents of the app, but of fields and views only the worksheet's own."""
    own = document.address if document is not None else None
    return Targets(current_app_row(), visit().person, own=own, only_own=own is not None)


def url(endpoint: str, **given: Any) -> str:
    """Return the address of a page on structure."""
    app = current_app_row()
    return url_for(f"structure.{endpoint}", organization_id=app.organization_id, app_id=app.id, **given)


def to(address: str) -> Response:
    """Send the browser on after a change."""
    return redirect(address, 303)  # type: ignore[return-value]
