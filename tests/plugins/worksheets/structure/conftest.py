"""Fixtures: a worksheet made by its admin in the browser, as its first day begins."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.plugins.worksheets.structure.building import Site, empty_site
from tests.plugins.worksheets.web.making import Desk, make_desk


@pytest.fixture
def desk(sqlite_server: Flask) -> Desk:
    """An app with a worksheet of every type of field."""
    return make_desk(sqlite_server)


@pytest.fixture
def site(sqlite_server: Flask) -> Site:
    """An app in which there is nothing yet."""
    return empty_site(sqlite_server)
