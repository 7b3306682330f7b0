"""A browser for tests of pages: Flask's client, signed in, each request by itself as if it came to another process.

The one danger: a test has an application context open, which Flask would share with every request, and with it who
has signed in and which organization is seen. `Browser` sends each request from an empty context instead.
"""

from __future__ import annotations

import re
from contextvars import Context
from typing import Any

from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.api import as_server, as_tenant, db, limiter, transaction
from tenants import service, sessions
from tenants.models import User

OWNER = "owner@example.org"
PASSWORD = "a horse eats 12 stars"


class Browser(FlaskClient):
    """A client whose requests share nothing with the test but the cookies. `api_token` is one of the same person's, where one was made."""

    api_token = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request; what the test has read before is forgotten, so that it sees what the request did."""
        if has_app_context():
            db.session.rollback()
        # Read to its end there too: what is streamed is made while it is read.
        return Context().run(super().open, *args, **{**kwargs, "buffered": True})

    def token(self, path: str) -> str:
        """Return the forgery token that a page carries, for tests with `csrf=True`."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).get_data(as_text=True))
        if found is None:
            raise AssertionError(f"{path} carries no forgery token")
        return found[1]


def browser(app: Flask, *, csrf: bool = False, limits: bool = False) -> Browser:
    """Return a browser in which nobody has signed in; forgery tokens and limits only for tests about them."""
    app.config["WTF_CSRF_ENABLED"] = csrf
    limiter.enabled = limits
    app.test_client_class = Browser
    client = app.test_client()
    if not isinstance(client, Browser):
        raise TypeError("another class of client was asked for")
    return client


def signed_in(app: Flask, email: str = OWNER, *, second_factor: bool = True, csrf: bool = False,
              limits: bool = False) -> Browser:
    """Return a browser in which the person of that email has signed in; made where there is none.

    Args:
        app: What the fixture `server` or `sqlite_server` gives; its application context is open.
        email: Whose; see `make_member` for one who belongs to an organization.
        second_factor: Whether the session counts as proven by a second factor.
        csrf: Whether forgery tokens are asked for; send one as `csrf_token`, see `Browser.token`.
        limits: Whether it is limited how often pages may be asked.
    """
    make_person(email)
    with as_server(), transaction():
        token = sessions.open_session(service.user_by_email(email), "127.0.0.1", "a test", second_factor=second_factor)
    client = browser(app, csrf=csrf, limits=limits)
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = token, True
    return client


def make_person(email: str, *, name: str = "", password: str | None = None) -> str:
    """Return the id of the person of that email, made where there is none."""
    with as_server(), transaction():
        found = db.session.scalar(select(User.id).where(User.email == email))
        return found or service.create_user(email, name, password).id


def make_member(organization_id: str, email: str, role: str = "member", *, password: str | None = None) -> str:
    """Make somebody a member of an organization, the person too where there is none; return their id."""
    person = make_person(email, password=password)
    with as_tenant(organization_id), transaction():
        service.add_member(service.user_by_email(email), role)
    return person


def make_organization(name: str, owner: str = OWNER) -> str:
    """Make an organization with its owner, the person too where there is none; return its id."""
    with as_server(), transaction():
        return service.create_organization(name, owner).id
