"""The front page, and whether the server is well."""

from __future__ import annotations

from flask import Response, jsonify, redirect, render_template
from sqlalchemy import text

from core.base.db import db
from core.server import server
from core.web.gate import Needs, Pages
from core.web.protection import masked_token
from core.web.visit import visit

pages = Pages("home", __name__)


@pages.page("/", Needs.SIGNED_IN)
def home() -> Response:
    """Send the visitor to their organization."""
    return redirect(server().registry.hook.home_url(person=visit().person))  # type: ignore[return-value]


@pages.page("/signed-in", Needs.SIGNED_IN)
def signed_in() -> str:
    """Tell whoever signed in beside a page with something typed into it to go back there."""
    return render_template("signed_in.html")


@pages.page("/session", Needs.SIGNED_IN)
def session() -> Response:
    """Give the forgery token of now to a page that was opened before its reader signed in anew."""
    return jsonify(token=masked_token(), name=visit().visitor.name)  # type: ignore[union-attr]  # the gate has seen to it


@pages.page("/health", Needs.NOTHING)
def health() -> Response:
    """Answer 200 when the database answers."""
    db.session.execute(text("SELECT 1"))
    return jsonify(status="ok")
