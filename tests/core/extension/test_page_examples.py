"""The examples of docs/writing-a-plugin.md: each is loaded as a plugin, and the server has what it brings."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.test_example import ROOT, install, run

PAGE = (ROOT / "docs" / "writing-a-plugin.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LOADED = {"notes": "Notes", "tasks": "Tasks", "hello": "manage/hello", "isbn": "isbn", "initials": "initials", "outline": "outline",
          "bell": "bell"}
SEEN = """
from core.api import Component, as_server
from core.app import create_app
from core.server import server
with create_app().app_context():
    registry = server().registry
    print(registry.broken, sorted(registry.components), sorted(registry.field_types), sorted(registry.importers), sorted(registry.formula_functions),
          sorted(registry.block_types), sorted(registry.step_types), sorted(registry.channels))
    print(sorted(str(rule) for rule in create_app().url_map.iter_rules()))
"""


def holding(word: str) -> str:
    """Return the example that brings something."""
    return next(one for one in EXAMPLES if word in one)


def test_the_examples_are_loaded(tmp_path: Path, home: Path) -> None:
    """By their entry points, as strangers' plugins are, in a process of their own; none is left out."""
    words = {"notes": "class Notes", "tasks": "class Tasks", "hello": "Pages(\"hello\"", "isbn": "class Isbn", "initials": "initials(text)",
             "outline": "class Outline", "bell": "def gauge"}
    for name, word in words.items():
        (tmp_path / f"{name}_example.py").write_text(holding(word))
        install(tmp_path, f"{name}-example", "1.0", {name: f"{name}_example"})
    ended = run("-c", SEEN, path=[tmp_path, ROOT], home=home)
    assert 0 == ended.returncode, ended.stderr
    assert ended.stdout.startswith("{} ")
    assert [] == [name for name in words if LOADED[name].lower() not in ended.stdout.lower()], ended.stdout


def test_every_example_is_python() -> None:
    """Those that are no plugin by themselves too: a migration, an upgrade, laws."""
    assert len(EXAMPLES) >= 10
    for one in EXAMPLES:
        compile(textwrap.dedent(one), "docs/writing-a-plugin.md", "exec")


def test_the_upgrade_on_the_page_lifts() -> None:
    """What version 1 wrote becomes what version 2 takes."""
    code = holding("class Memos") + textwrap.dedent("""
        from jsonschema import validate
        old = Document(kind="memo", key="mo_1111111111", body={"name": "A"}, position=0)
        validate(Memos.upgrades[1](old).body, Memos.kinds[0].schema)
    """)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
