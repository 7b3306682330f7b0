"""A server with the sample app, its owner's browser, and a worker that works when it is told to."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.api import apps, as_server, as_tenant, db, direct, documents, import_file, transaction
from core.backups.catalog import backups_of
from core.backups.models import Backup
from core.extension.component import Document
from core.runs.models import Run
from core.runs.service import work
from plugins.worksheets import service as worksheets
from tenants import service
from tests.conftest import fresh_database, opened_server
from tests.web import OWNER, PASSWORD, Browser, make_organization, signed_in

COMPANIES = "w_Companies1"


@dataclass
class Place:
    """An organization with the sample app, and a browser of its owner."""

    server: Flask
    organization_id: str
    app_id: str
    owner: str
    browser: Browser

    @property
    def root(self) -> str:
        """The address of Backup & Restore."""
        return f"/o/{self.organization_id}/apps/{self.app_id}/manage/backups"

    def get(self, path: str = "", **more: Any) -> TestResponse:
        """Ask for a page below Backup & Restore."""
        return self.browser.get(self.root + path, **more)

    def post(self, path: str = "", **more: Any) -> TestResponse:
        """Send a form to a page below Backup & Restore."""
        return self.browser.post(self.root + path, **more)

    def text(self, path: str = "") -> str:
        """Return what a page says, without its tags."""
        return words(self.get(path))

    def back_up(self, *, data: bool = True, name: str | None = None) -> str:
        """Make a backup and return its id."""
        with as_tenant(self.organization_id):
            return direct.back_up(apps.find(self.app_id), data=data, name=name, person=self.owner).id

    def backups(self) -> list[Backup]:
        """Return the backups of the app, newest first."""
        with as_tenant(self.organization_id):
            return backups_of(self.app_id)

    def work(self) -> list[str]:
        """Do all runs that wait, and return how they ended."""
        states = []
        for run_id in self._waiting():
            with as_tenant(self.organization_id):
                work(run_id)
                states.append(str(db.session.scalar(select(Run.state).where(Run.id == run_id))))
        return states

    def _waiting(self) -> list[str]:
        with as_server():
            return list(db.session.scalars(select(Run.id).where(Run.state == "queued").order_by(Run.requested_at)))

    def change(self) -> None:
        """Give a worksheet another name, and one of its records another value."""
        with as_tenant(self.organization_id), transaction():
            app = apps.find(self.app_id)
            sheet = documents.get(app, f"worksheet/{COMPANIES}")
            documents.put(app, Document(kind="worksheet", key=sheet.key, body={**sheet.body, "name": "Firms"}, position=sheet.position), self.owner)
            field = next(f["key"] for f in sheet.body["fields"] if f["type"] == "text")
            worksheets.put_record(app, COMPANIES, 1, {field: "Changed & lost"}, self.owner)

    def name_of_sheet(self) -> str:
        """Return what the worksheet is called that `change` renames."""
        with as_tenant(self.organization_id):
            return str(documents.get(apps.find(self.app_id), f"worksheet/{COMPANIES}").body["name"])


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, str, str, str]:
    """A home with the sample app, to be copied, and the ids of its organization, app and owner, who has a password."""
    home = tmp_path_factory.mktemp("backups")
    for _ in opened_server(home, fresh_database("sqlite", home, request)):
        ids = furnish()
    return home, *ids


def furnish() -> tuple[str, str, str]:
    """Make the organization with its app and return their ids and its owner's."""
    organization_id = make_organization("Example")
    with as_server(), transaction():
        user = service.user_by_email(OWNER)
        service.set_password(user, PASSWORD)
        owner = user.id
    with as_tenant(organization_id):
        app_id = import_file(Path("sample"), organization_id, owner, importer="sample")["app"]
    return organization_id, app_id, owner


@pytest.fixture
def place(home: Path, furnished: tuple[Path, str, str, str]) -> Iterator[Place]:
    """The sample app, as new for each test."""
    shutil.copytree(furnished[0], home, dirs_exist_ok=True)
    for server in opened_server(home, ""):
        yield Place(server, *furnished[1:], signed_in(server))


RAW_MOMENT = re.compile(r"\dT\d\d:\d\d:\d\dZ")
"""A time as messages have it, which no page shows."""


def words(answer: TestResponse) -> str:
    """Return what a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub("</?bdi>", "", answer.get_data(as_text=True))).split())
