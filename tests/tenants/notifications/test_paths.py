"""Paths in notices are those of the pages."""

from __future__ import annotations

import pytest
from flask import Flask

from tenants.notifications.notify import PATHS, path_to


@pytest.mark.parametrize("endpoint", PATHS)
def test_a_path_that_is_written_down_is_the_page_s(sqlite_server: Flask, endpoint: str) -> None:
    """A process without pages writes it into a notice."""
    names = {name: f"x_{name}" for name in ("organization_id", "app_id", "run_id") if f"{{{name}}}" in PATHS[endpoint]}
    assert path_to(endpoint, **names) == sqlite_server.url_map.bind("localhost").build(endpoint, names)
