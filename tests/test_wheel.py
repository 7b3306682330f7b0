"""The wheel: installed elsewhere, with nothing of this checkout beside it, it serves every kind of page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("core", "plugins", "tenants", "templates")
setuptools = pytest.importorskip("setuptools")


def built(folder: Path) -> Path:
    """Return a wheel of this checkout, made in a copy so that nothing is left here."""
    source = folder / "source"
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation",
                    "--wheel-dir", str(folder), str(source)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_an_installed_wheel_serves_every_kind_of_page(tmp_path: Path) -> None:
    """Its templates, styles and migrations come along; every page that links lead to is there, and every file it loads."""
    place, packages = tmp_path / "installed", Path(setuptools.__file__).parents[1]
    with zipfile.ZipFile(built(tmp_path)) as wheel:
        wheel.extractall(place)
    smoke = shutil.copy(Path(__file__).with_name("wheel_smoke.py"), tmp_path)
    ran = subprocess.run([sys.executable, "-S", str(smoke)], cwd=tmp_path, capture_output=True, text=True, env={
        **os.environ, "APPKEEP_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(map(str, (place, packages)))})
    assert 0 == ran.returncode, ran.stderr[-3000:]
    seen = json.loads(ran.stdout)
    assert seen["core"].startswith(str(place)) and [] == seen["wrong"]
    assert len(seen["endpoints"]) > 60 and len(seen["statics"]) > 8, seen
