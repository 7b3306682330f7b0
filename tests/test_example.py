"""Plugins of strangers: the example as its users install it, and broken ones, which a server starts without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
EXAMPLE = EXAMPLES / "notes"


def install(folder: Path, name: str, version: str, entries: dict[str, str]) -> None:
    """Put into a folder what an installer leaves of a package beside its code."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(
        "[appkeep.plugins]\n" + "".join(f"{entry} = {target}\n" for entry, target in entries.items()))


def run(*command: str, path: list[Path], home: Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python with folders beside the installed packages and nothing of this test's settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("APPKEEP_", "PYTEST_"))}
    environment = {**own, "APPKEEP_HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run([sys.executable, *command], env=environment, cwd=folder, text=True, capture_output=True, check=False)


def plugins(path: list[Path], home: Path) -> dict[str, Any]:
    """Return what `appkeep plugins` says."""
    ended = run("-m", "core.cli", "plugins", "--json", path=[*path, ROOT], home=home)
    assert 0 == ended.returncode, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def install_example(folder: Path, name: str) -> list[Path]:
    """Install an example as its pyproject.toml says, and return what Python has to look through."""
    project = tomllib.loads((EXAMPLES / name / "pyproject.toml").read_text())["project"]
    install(folder / "beside", project["name"], project["version"], project["entry-points"]["appkeep.plugins"])
    return [folder / "beside", EXAMPLES / name]


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The example of documents, installed."""
    return install_example(tmp_path, "notes")


def test_the_example_is_found_by_its_entry_point(installed: list[Path], home: Path) -> None:
    """It is listed as a component among the built-in ones; nothing was left out."""
    said = plugins(installed, home)
    assert {"name": "notes", "title": "Notes", "version": 2, "kinds": ["note"]} in said["components"]
    assert {} == said["broken"]


def test_the_tests_of_the_example_pass(installed: list[Path], home: Path) -> None:
    """All laws and its own, run in its folder as its README says; here on one database."""
    ended = run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=-q", "-k", "sqlite or lifted", path=[*installed, ROOT], home=home, folder=EXAMPLE)
    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "9 passed" in ended.stdout


def test_the_example_imports_the_front_door_only() -> None:
    """As a stranger it uses `core.api`, and `core.testing` in its tests."""
    for source in EXAMPLES.rglob("*.py"):
        lines = [line for line in source.read_text().splitlines() if line.startswith(("from core", "import core"))]
        assert {line.split()[1] for line in lines} <= {"core.api", "core.testing"}, source


BROKEN = {
    "raises when it is loaded": "raise RuntimeError('not today')",
    "imports what is not there": "import a_module_that_is_not_there",
    "has arguments that its hook does not give": """
        from core.api import hookimpl

        @hookimpl
        def run_finished(run, weather): ...
    """,
    "has a hook that there is not": """
        from core.api import hookimpl

        @hookimpl
        def register_weather(): ...
    """,
    "raises when it is asked for what it brings": """
        from core.api import hookimpl

        @hookimpl
        def register_importer():
            raise RuntimeError("not today")
    """,
    "brings what there is already": """
        from core.api import Component, hookimpl

        class Pages(Component):
            name, title = "pages", "Other pages"

        @hookimpl
        def register_component():
            return Pages()
    """,
}


def test_broken_plugins_are_left_out_and_listed(tmp_path: Path, home: Path) -> None:
    """The server starts without them and with all others; `appkeep plugins` says what is wrong with each."""
    for n, source in enumerate(BROKEN.values()):
        (tmp_path / f"broken_plugin_{n}.py").write_text(textwrap.dedent(source))
        install(tmp_path, f"broken-{n}", "1.0", {f"broken_{n}": f"broken_plugin_{n}"})
    (tmp_path / "good_plugin.py").write_text("")
    install(tmp_path, "good", "1.0", {"good": "good_plugin"})
    said = plugins([tmp_path], home)
    assert {f"broken_{n}" for n in range(len(BROKEN))} == set(said["broken"])
    assert "worksheets" in {component["name"] for component in said["components"]} and "good" in {one["name"] for one in said["plugins"]}


def test_an_entry_point_to_nothing_is_left_out_and_listed(tmp_path: Path, home: Path) -> None:
    """Also where the package has no code at all."""
    install(tmp_path, "empty", "1.0", {"empty": "empty_plugin_that_is_not_there"})
    assert ["empty"] == list(plugins([tmp_path], home)["broken"])
