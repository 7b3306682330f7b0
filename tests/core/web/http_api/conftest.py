"""The sample app as tests of pages have it, and a program of its owner."""

from __future__ import annotations

import pytest

from tests.core.web.backups.conftest import Place, furnished, place
from tests.program import Program, make_token

__all__ = ["furnished", "place"]


@pytest.fixture
def program(place: Place) -> Program:
    """A program of the owner's, which may do all that they may."""
    return Program(place.server, make_token(place.organization_id, place.owner))
