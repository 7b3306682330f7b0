"""Fixtures: an organization to ask in, and bounds so small that a few records reach them."""

from __future__ import annotations

import pytest

from plugins.worksheets.query import lanes, walking


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let thirty records be many: lanes are walked in windows, and their filter's own index comes in early."""
    monkeypatch.setattr(walking, "FEW", 2)
    monkeypatch.setattr(walking, "DENSE", 4)
    monkeypatch.setattr(walking, "_GROWTH", 2)


@pytest.fixture
def few_lanes(narrow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three choices be more than are walked one by one."""
    monkeypatch.setattr(lanes, "MAX_LANES", 2)
    monkeypatch.setattr(walking, "MAX_LANES", 2)
