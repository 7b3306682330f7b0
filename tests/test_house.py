"""The house: what ARCHITECTURE.md says of it is so, and what code and pages name is there."""

from __future__ import annotations

import importlib
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import grimp
import pytest

from bench import house

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
STEP = re.compile(r"^\d+\. `([a-z_/]+)\.py`", re.MULTILINE)
NAMED_FILE = re.compile(r"(?<![\w/.])((?:docs|core|plugins|tenants|templates|tests|bench|examples)/[\w./-]+\.(?:py|md|css|js|toml|svg))\b")
NAMED_DECISION = re.compile(r"(?:docs/decisions/|[Dd]ecision )(\d{4})\b")
NAMED_MODULE = re.compile(r"`((?:core|tenants|plugins|tests|bench)(?:\.\w+)+)`")
ELSEWHERE = re.compile(r"\b(?:SPEC|DESIGN|FACTS|HOUSE|FAULTS|STYLE)\.md\b")
TEXTS = (".py", ".md", ".html", ".toml")
FOLDERS = ("core", "plugins", "tenants", "templates", "tests", "bench", "examples", "docs")
UNREAD = ("CHANGELOG.md", "docs/commands.md")
"""The first names what was there, the second shows examples."""


@cache
def graph() -> grimp.ImportGraph:
    """Return the imports that happen."""
    return house.graph()


def texts() -> list[tuple[str, str]]:
    """Return (path, content) of what people and programs read."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *(path for name in FOLDERS for path in ROOT.joinpath(name).rglob("*"))]
    names = sorted(str(path.relative_to(ROOT)) for path in found if path.suffix in TEXTS and "egg-info" not in str(path))
    return [(name, (ROOT / name).read_text()) for name in names if name not in UNREAD]


def walks() -> list[list[str]]:
    """Return the numbered lists of the page, each as modules in their order."""
    return [[step.replace("/", ".") for step in STEP.findall(part)] for part in re.split(r"\n\n(?=[^\d])", PAGE) if STEP.search(part)]


def height(module: str) -> int:
    """Return how high a module's room stands."""
    rooms = house.layers()
    room = ".".join(module.split(".")[:2])
    return len(rooms) - rooms.index(room) if room in rooms else len(rooms) + 1


def test_the_picture_is_of_today() -> None:
    """`make picture` would change nothing."""
    assert PAGE == house.with_picture(PAGE)


def test_every_room_is_described() -> None:
    """The table names the rooms of the contract, top to bottom."""
    named = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert [room.removeprefix("core.") for room in house.layers() if room != "core.testing"] == named


@pytest.mark.parametrize("walk", walks(), ids=lambda walk: walk[0])
def test_a_walk_goes_down(walk: list[str]) -> None:
    """Each step is a module that stands no higher than the one before, and that does not import it."""
    assert len(walk) > 3 and set(walk) <= graph().modules
    for above, below in pairwise(walk):
        assert height(above) >= height(below), (above, below)
        assert not graph().chain_exists(importer=below, imported=above), (above, below)


def test_every_helper_of_the_tests_is_listed() -> None:
    """With the first line of what it says of itself."""
    page = (ROOT / "tests/README.md").read_text()
    for path in sorted(ROOT.joinpath("tests").rglob("*.py")):
        if not path.name.startswith(("test_", "__init__")):
            first = path.read_text().split("\n", 1)[0].removeprefix('"""').removesuffix('"""')
            assert f"| `{path.relative_to(ROOT)}` | {first} |" in page


def test_what_is_named_is_there() -> None:
    """Files, decisions and modules that docstrings, comments and pages name; and nothing leads out of the project."""
    decisions = {path.name[:4] for path in ROOT.joinpath("docs/decisions").glob("*.md")}
    wrong = []
    for name, text in texts():
        wrong += [f"{name}: {found}" for found in NAMED_FILE.findall(text) if not (ROOT / found).exists() and "*" not in found]
        wrong += [f"{name}: decision {found}" for found in NAMED_DECISION.findall(text) if found not in decisions]
        wrong += [f"{name}: {found}" for found in NAMED_MODULE.findall(text) if not there(found)]
        wrong += [f"{name}: {found}" for found in ELSEWHERE.findall(text) if name != "tests/test_house.py"]
    assert [] == wrong, "\n".join(wrong)


@cache
def there(dotted: str) -> bool:
    """Say whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False
