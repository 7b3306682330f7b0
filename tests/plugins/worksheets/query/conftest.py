"""Fixtures: an organization to ask in, and bounds so small that a few records reach them."""

from __future__ import annotations

import pytest

from plugins.worksheets.query import scan, scan_ranges


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let thirty records be many: ranges are walked in windows, and their filter's own index comes in early."""
    monkeypatch.setattr(scan, "FEW", 2)
    monkeypatch.setattr(scan, "DENSE", 4)
    monkeypatch.setattr(scan, "_GROWTH", 2)


@pytest.fixture
def few_ranges(narrow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three choices be more than are walked one by one."""
    monkeypatch.setattr(scan_ranges, "MAX_RANGES", 2)
    monkeypatch.setattr(scan, "MAX_RANGES", 2)
