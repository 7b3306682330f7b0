"""Pages, API, downloads and uploads of the core. So far: whether the server is well, and errors as problems."""

from __future__ import annotations

from flask import Flask, Response, jsonify, render_template, request
from sqlalchemy import text

from core.db import db
from core.errors import AppkeepError

PROBLEM = "application/problem+json"


def register_web(app: Flask) -> None:
    """Add the core's routes and the one handler that turns errors into answers."""
    app.add_url_rule("/", view_func=home)
    app.add_url_rule("/health", view_func=health)
    app.register_error_handler(AppkeepError, refuse)
    app.after_request(harden)


COMMANDS = (
    ".venv/bin/appkeep demo",
    ".venv/bin/appkeep app list --org \"Sample organization\"",
    ".venv/bin/appkeep backup APP --data --worker",
    ".venv/bin/appkeep plan BACKUP",
    ".venv/bin/appkeep restore BACKUP --worker",
)


def home() -> str:
    """Show what this server is and how it is used."""
    return render_template("home.html", commands=COMMANDS)


def health() -> Response:
    """Answer 200 when the database answers."""
    db.session.execute(text("SELECT 1"))
    return jsonify(status="ok")


def refuse(error: AppkeepError) -> tuple[Response, int]:
    """Answer an error as RFC 9457 problem JSON."""
    response = jsonify({"type": f"urn:appkeep:{error.code}", **error.as_dict(), "instance": request.path})
    response.mimetype = PROBLEM
    return response, error.status


def harden(response: Response) -> Response:
    """Forbid what no page of ours needs."""
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; object-src 'none'; "
                                "base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
