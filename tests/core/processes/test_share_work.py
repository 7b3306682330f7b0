"""What does the kinds of runs is imported when a worker begins, and a stranger's that cannot be stops no worker."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from core.api import RunKind
from core.processes.worker import share_work
from tests.conftest import fresh_database
from tests.core.extension.strangers import installed, plugin, started


@pytest.mark.parametrize("work", ["nowhere.at_all:work", "json:nothing", "appkeep_leaving:work"])
def test_a_run_kind_whose_function_is_not_there(
        home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
        work: str) -> None:
    """The worker goes on with all others, and the log names the plugin and the kind."""
    (tmp_path / "appkeep_leaving.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    bad = plugin("bad", register_run_kind=lambda: RunKind(name="own", title="Own", work=work))
    with installed(monkeypatch, bad), started(home, fresh_database("sqlite", home, request)), caplog.at_level(logging.ERROR):
        share_work()
    assert "The plugin bad failed in run_kind own" in caplog.text
