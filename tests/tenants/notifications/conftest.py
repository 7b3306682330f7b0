"""Fixtures of notifications: a server that may call its own network, an organization with its owner, an app, a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, as_tenant, transaction
from tenants import service
from tests.conftest import fresh_database, opened_server
from tests.tenants.notifications.receiving import Receiver, receiver
from tests.web import OWNER, make_organization


@pytest.fixture
def server(engine: str, home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server on each engine whose webhooks may reach this machine."""
    yield from opened_server(home, fresh_database(engine, home, request), webhook_private_addresses=True)


@pytest.fixture
def organization(server: Flask) -> Iterator[str]:
    """The id of an organization, seen as its tenant."""
    made = make_organization("Example")
    with as_tenant(made):
        yield made


@pytest.fixture
def owner(organization: str) -> str:
    """The id of its owner."""
    return service.user_by_email(OWNER).id


@pytest.fixture
def app(organization: str, owner: str) -> App:
    """An app that the owner manages."""
    with transaction():
        return apps.create("Sales", owner)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver of webhooks."""
    with receiver() as found:
        yield found
