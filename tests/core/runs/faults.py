"""Faults and coincidences: what a test lets happen in the middle of a run, and what others do meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from flask import current_app

from core.api import as_tenant, tenant
from core.runs.context import RunContext
from tests.core.runs.processes import patience

T = TypeVar("T")


def at_step(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Let *act* happen whenever a run has entered the step of that name."""
    enter = RunContext.step

    def step(self: RunContext, given: str, **more: bool) -> None:
        enter(self, given, **more)
        if given == name:
            act()

    monkeypatch.setattr(RunContext, "step", step)


def pausing(home: Path) -> Callable[[], None]:
    """Return something that waits the first time it is called, as `paused` says, until `go_on` is called."""

    def pause() -> None:
        try:
            os.close(os.open(home / "paused", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        for _ in patience("go_on"):
            if (home / "go").exists():
                return

    return pause


def paused(home: Path) -> None:
    """Return once somebody waits."""
    for _ in patience("somebody to pause"):
        if (home / "paused").exists():
            return


def go_on(home: Path) -> None:
    """Let whoever waits go on."""
    (home / "go").touch()


def elsewhere(act: Callable[[], T]) -> T:
    """Do something in another thread with a session of its own, as another request would, and return its answer."""
    app, organization = current_app._get_current_object(), tenant()  # type: ignore[attr-defined]

    def run() -> T:
        with app.app_context(), as_tenant(organization):
            return act()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()
