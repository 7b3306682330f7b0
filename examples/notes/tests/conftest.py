"""An app to test with, on a server of its own in a temporary folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.api import App, apps, as_tenant, create_app, db, read_config, transaction


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server."""
    return tmp_path_factory.mktemp("appkeep")


@pytest.fixture(scope="session")
def organization(home: Path) -> str:
    """The id of an organization, made by the command line as its operator would."""
    made = subprocess.run([sys.executable, "-m", "core.cli", "org", "create", "Example", "--owner", "me@example.org", "--json"],
                          env={**os.environ, "APPKEEP_HOME": str(home)}, check=True, capture_output=True)
    return str(json.loads(made.stdout)["organization"])


@pytest.fixture
def app(home: Path, organization: str) -> Iterator[App]:
    """An app with what every app starts with, its organization open."""
    with create_app(read_config({}, home=str(home), backup_interval_s=0)).app_context():
        with as_tenant(organization):
            with transaction():
                made = apps.create("Sales", "system")
            yield made
        db.engine.dispose()
