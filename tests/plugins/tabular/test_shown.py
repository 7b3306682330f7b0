"""The command line shows the guessed types before an import."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from flask import Flask

from core.cli.main import main
from tests.conftest import made_organization


def test_a_dry_run_lists_fields_with_their_types(sqlite_server: Flask, home: Path, tmp_path: Path) -> None:
    """``appkeep import --dry-run`` says which field gets which type, and what has no counterpart."""
    (tmp_path / "orders.csv").write_text("Order,Day\n1,2026-11-23\n2,NA\n")
    with made_organization("Example") as organization:
        pass
    shown = CliRunner(env={"APPKEEP_HOME": str(home), "APPKEEP_DATABASE_URL": ""}).invoke(
        main, ["import", str(tmp_path / "orders.csv"), "--org", organization, "--dry-run"])
    assert 0 == shown.exit_code, shown.output
    assert "worksheet “orders”\n  field “Order”: number\n  field “Day”: date\n" in shown.output
    assert "nothing created" in shown.output and "mean “no value”" in shown.output
