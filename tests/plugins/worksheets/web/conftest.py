"""Fixtures: a worksheet with a field of every type, seen through browsers."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.plugins.worksheets.web.making import Desk, make_desk


@pytest.fixture
def desk(sqlite_server: Flask) -> Desk:
    """An app with a worksheet of every type of field."""
    return make_desk(sqlite_server)
