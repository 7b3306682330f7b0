"""An app without worksheets, and what its admin does to it through the pages of structure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from core.api import App, apps, as_tenant, db, documents, find_app, transaction
from plugins.worksheets import service
from tenants.service import user_by_email
from tests.forms import untouched
from tests.web import OWNER, Browser, make_organization, signed_in


@dataclass
class Site:
    """An app, its admin's browser, and the acts of structure as that browser does them."""

    server: Flask
    organization_id: str
    app_id: str
    admin: Browser

    @property
    def app(self) -> App:
        """The app, inside `as_tenant`."""
        found = find_app(self.app_id)
        if found is None:
            raise LookupError(self.app_id)
        return found

    @property
    def manage(self) -> str:
        """The address of the app's management."""
        return f"/o/{self.organization_id}/apps/{self.app_id}/manage"

    def structure(self, key: str, rest: str = "") -> str:
        """Return the address of a page on a worksheet's structure."""
        return f"{self.manage}/worksheet/{key}{rest}"

    def body(self, key: str) -> Mapping[str, Any]:
        """Return a worksheet's body as it is now."""
        db.session.rollback()
        with as_tenant(self.organization_id):
            return documents.get(self.app, f"worksheet/{key}").body

    def field(self, key: str, name: str) -> Mapping[str, Any]:
        """Return the field of that name."""
        return next(one for one in self.body(key)["fields"] if one["name"] == name)

    def view(self, key: str, name: str) -> Mapping[str, Any]:
        """Return the view of that name."""
        return next(one for one in self.body(key)["views"] if one["name"] == name)

    def send(self, address: str, **values: str) -> TestResponse:
        """Send a page's form, a few of its controls changed; a dot in a name is written as two underscores."""
        given = {name.replace("__", "."): value for name, value in values.items()}
        return self.admin.post(address, data={**untouched(self.admin, address), **given})

    def new_worksheet(self, name: str) -> str:
        """Make a worksheet and return its key."""
        return key_in(self.send(f"{self.manage}/worksheet/new", v__name=name))

    def new_field(self, key: str, kind: str, name: str, **values: str) -> TestResponse:
        """Make a field of a type."""
        return self.send(self.structure(key, f"/field/new?type={kind}"), v__name=name, **values)

    def new_view(self, key: str, kind: str, name: str, **values: str) -> TestResponse:
        """Make a view of a type."""
        return self.send(self.structure(key, f"/view/new?type={kind}"), v__name=name, **values)

    def put(self, key: str, **values: Any) -> int:
        """Make a record; values go by the names of their fields."""
        named = {str(self.field(key, name)["key"]): value for name, value in values.items()}
        with as_tenant(self.organization_id), transaction():
            return service.put_record(self.app, key, None, named, "system")


def key_in(answer: TestResponse) -> str:
    """Return the key of the worksheet that an answer sends the browser to."""
    found = re.search(r"/worksheet/(w_\w{10})", answer.headers.get("Location", ""))
    if answer.status_code != 303 or found is None:
        raise AssertionError(f"no worksheet was made: {answer.status_code} {why(answer)}")
    return found[1]


def why(answer: TestResponse) -> str:
    """Return what a page says went wrong, for the message of a test that fails."""
    found = re.findall(r'class="(?:error|notice bad|notice warn)[^>]*>(.*?)</p>', answer.get_data(as_text=True), re.DOTALL)
    return f"{answer.status_code}: {found}"


def empty_site(server: Flask) -> Site:
    """Make an organization with an app that has no worksheets."""
    organization_id = make_organization("Example")
    admin = signed_in(server)
    with as_tenant(organization_id), transaction():
        app_id = apps.create("Works", user_by_email(OWNER).id).id
    return Site(server, organization_id, app_id, admin)
