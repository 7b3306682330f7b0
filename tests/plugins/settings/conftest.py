"""The sample app on SQLite: how settings look does not depend on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, import_file
from tests.conftest import made_organization
from tests.web import Browser, make_person, signed_in


@pytest.fixture
def sample(sqlite_server: Flask) -> Iterator[App]:
    """The sample app, its organization seen as the tenant."""
    with made_organization("Example") as organization:
        yield apps.find(import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"])


@pytest.fixture
def client(sqlite_server: Flask, sample: App) -> Browser:
    """A browser of the owner, who manages the app."""
    return signed_in(sqlite_server)
