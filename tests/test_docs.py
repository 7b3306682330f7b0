"""The documentation, read: what it says of hooks, settings, commands and errors is so, its links lead somewhere, its code runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.api import App, apps, transaction
from core.app import create_app
from core.base.config import read_config
from core.base.db import db
from core.cli import reference
from core.cli.main import Verbs, main
from core.extension.registry import DEFAULT_PLUGINS
from core.testing import ComponentLaws
from tests.conftest import fresh_database, made_organization

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {".venv", "var", "build", "node_modules", ".pytest_cache"}
PAGES = sorted(p for p in ROOT.rglob("*.md") if not NOT_OURS & set(p.relative_to(ROOT).parts))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LAWS = sorted(name for name in vars(ComponentLaws) if name.startswith("test_"))
PLUGIN = "notes_from_the_docs"


def test_every_package_is_locked_at_a_version_and_nowhere() -> None:
    """What pyproject.toml asks for is in the lock file, at a version that it allows; the file names no address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert [] == [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]
    locked = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}
    for one in wanted:
        assert one.specifier.contains(locked[canonicalize_name(one.name)]), one.name


@pytest.mark.parametrize("name", reference.BLOCKS)
def test_what_is_written_of_hooks_settings_commands_and_errors_is_so(name: str) -> None:
    """Whoever adds or changes one runs the command that the message names."""
    page = f"docs/{reference.BLOCKS[name][0]}"
    assert reference.generated(name) == reference.written(name), f"{page}: {name} changed; run {reference.COMMAND}"


def test_the_list_of_verbs_is_so() -> None:
    """The help of the command line needs no verb's module for it; it looks the same with all of them loaded."""
    assert reference.LISTED.read_text() == reference.listed(), f"Run {reference.COMMAND}"
    quick = Verbs(name="appkeep", help=main.help, context_settings=main.context_settings)
    said = [CliRunner().invoke(one, ["--help"], prog_name="appkeep").output for one in (quick, main.whole())]
    assert said[0] == said[1]


def test_the_help_imports_neither_flask_nor_sqlalchemy_nor_a_plugin() -> None:
    """Nor does a mistyped option."""
    code = ("import sys; from core.cli.main import main; main(['--help'], standalone_mode=False); "
            "print(sorted({name.partition('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'plugins', 'tenants', 'jsonschema'}))")
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert ended.stdout.endswith("[]\n") and "backup-rename" in ended.stdout


def test_every_hook_says_what_it_is_for() -> None:
    """Its docstring's first line is one sentence, since the docs are made of it."""
    assert [] == [name for name, hook in reference.every_hook().items() if not re.search(r"\.\Z", reference.first_line(hook))]


def test_every_setting_is_told_with_its_unit() -> None:
    """A number's name ends in a unit, or it counts things or names a port."""
    units = ("_s", "_bytes", "_port", "_threads", "_processes", "_attempts", "_days", "_hours", "_count")
    numbers = [s.name for s in reference.SETTINGS if type(s.default) is int]
    assert [] == [name for name in numbers if not name.endswith(units)]
    assert [] == [s.name for s in reference.SETTINGS if not s.help.endswith(".")]


def test_every_error_has_a_code_of_its_own() -> None:
    """So that a program that sees a code knows what happened."""
    codes = Counter(error.code for error in reference.every_error())
    assert [] == [code for code, times in codes.items() if times > 1], "give the class a code of its own"
    assert [] == [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)]


def test_codes_of_runs_without_a_class_are_in_the_page_of_errors() -> None:
    """Add it to the table "Ends of runs" in docs/errors.md."""
    source = "".join(path.read_text() for path in (ROOT / "core/runs").glob("*.py"))
    codes = set(re.findall(r'_problem\("(\w+)"|"error_code": "(\w+)"', source))
    page = (ROOT / "docs/errors.md").read_text()
    named = {one or other for one, other in codes}
    assert named and set() == {code for code in named if f"| `{code}` |" not in page}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of this repository."""
    links = [link for link in LINK.findall(without_code(page)) if not re.match(r"[a-z]+:|#", link)]
    assert [] == [link for link in links if not (page.parent / link.partition("#")[0]).exists()]


def without_code(page: Path) -> str:
    """Return a page's text without fenced code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_that_pages_name_exist(page: Path) -> None:
    """Every `appkeep …` in shell blocks has a verb of that name with options of those names."""
    for line in shell_lines(page):
        words = shlex.split(line, comments=True)
        if words and Path(words[0]).name == "appkeep":
            check_command(words[1:], line)


def shell_lines(page: Path) -> Iterator[str]:
    """Yield the lines of a page's shell blocks, and its inline code that calls appkeep."""
    text = page.read_text(encoding="utf-8")
    for language, block in FENCE.findall(text):
        if language in ("sh", "shell", "bash", "console"):
            yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`(appkeep [^`…|]+)`", FENCE.sub("", text))


def check_command(words: list[str], line: str) -> None:
    """Prove that a command line names verbs and options that exist."""
    command: click.Command = main
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            if word.isupper():
                return
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"“{line}”: there is no verb {word}"
            command = found
        elif word.startswith("--") and word != "--help":
            options = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
            assert word.partition("=")[0] in options, f"“{line}”: {command.name} has no option {word}"


def test_targets_of_make_that_pages_name_exist() -> None:
    """`make run` and the like are in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {line.split()[1] for page in PAGES for line in shell_lines(page) if re.match(r"make [a-z]", line)}
    assert {"run", "test"} <= named
    assert set() == named - targets


def python_blocks() -> list[str]:
    """Return the Python of the page on plugins."""
    return [block for language, block in FENCE.findall((ROOT / "docs/writing-a-plugin.md").read_text()) if language == "python"]


def test_the_page_on_plugins_holds_python_that_compiles() -> None:
    """All of its blocks."""
    assert len(python_blocks()) >= 2
    for number, block in enumerate(python_blocks()):
        compile(block, f"block {number}", "exec")


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> type[ComponentLaws]:
    """The laws' class that the page shows, its plugin importable."""
    plugin, tests = types.ModuleType(PLUGIN), types.ModuleType(f"{PLUGIN}_tests")
    blocks = python_blocks()
    monkeypatch.setitem(sys.modules, PLUGIN, plugin)
    exec(blocks[0], vars(plugin))
    exec(next(block for block in blocks if "ComponentLaws" in block), vars(tests))
    found: type[ComponentLaws] = tests.TestNotes
    return found


@pytest.fixture
def noted(notes: type[ComponentLaws], home: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """A server that has the page's plugin."""
    fresh_database("sqlite", home, request)
    app = create_app(read_config({}, home=str(home), backup_interval_s=0), (*DEFAULT_PLUGINS, PLUGIN))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(noted: Flask) -> Iterator[App]:
    """An app of that server."""
    with made_organization("Example"):
        with transaction():
            made = apps.create("Sales", "system")
        yield made


@pytest.mark.parametrize("law", LAWS)
def test_the_plugin_that_the_page_shows_loads_and_keeps_the_laws(notes: type[ComponentLaws], app: App, law: str) -> None:
    """Exactly as printed."""
    getattr(notes(), law)(app)
