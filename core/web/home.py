"""The front page, and whether the server is well."""

from __future__ import annotations

from flask import Response, jsonify, redirect
from sqlalchemy import text

from core.app import server
from core.db import db
from core.web.gate import Needs, Pages
from core.web.visit import visit

pages = Pages("home", __name__)


@pages.page("/", Needs.SIGNED_IN)
def home() -> Response:
    """Send the visitor to their organization."""
    return redirect(server().registry.hook.home_url(person=visit().person))  # type: ignore[return-value]


@pages.page("/health", Needs.NOTHING)
def health() -> Response:
    """Answer 200 when the database answers."""
    db.session.execute(text("SELECT 1"))
    return jsonify(status="ok")
