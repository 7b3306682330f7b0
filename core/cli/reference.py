"""``python -m core.cli.reference``: writes what the documentation says of commands, errors, settings and hooks.

Each is a block between two marks in a page of docs/; `tests/test_docs.py` compares, so that no page falls behind.
"""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import textwrap
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from core.base.config import SETTINGS
from core.base.errors import AppkeepError
from core.cli.main import MODULES, Verbs, main
from core.extension import component as component_module
from core.extension import hookspecs
from core.extension.hook_calls import REFUSING
from core.extension.registry import load_plugins

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMAS = DOCS / "schemas.json"
LISTED = Path(__file__).with_name("listed.py")
EXAMPLES = DOCS.parent / "examples" / "every_hook" / "appkeep_every_hook"
ABOUT = {"name": "Its name in small letters, digits and _; it never changes.", "title": "What people call it.",
         "version": "Of its documents and data, from 1; see `upgrades`.", "kinds": "The types of its documents (`core.api.Kind`)."}
COMMAND = ".venv/bin/python -m core.cli.reference"
WIDTH = 100
ROOTS = ("core", "tenants", "plugins")


def commands() -> Iterator[str]:
    """Yield every verb with what its ``--help`` says."""
    for path, help_text in helps(main.whole(), "appkeep", None):
        yield from (f"## {path}", "", "```text", *help_text.splitlines(), "```", "")


def helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Yield (path, text of --help) of a command and of all below it."""
    settings = dict(command.context_settings) | {"max_content_width": WIDTH, "terminal_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context.command_path, context.get_help()
    if isinstance(command, click.Group):
        for below in sorted(command.commands):
            yield from helps(command.commands[below], below, context)


def errors() -> Iterator[str]:
    """Yield the table of errors."""
    rows = ((f"`{e.code}`", str(e.status), e.title, first_line(e)) for e in sorted(every_error(), key=lambda e: e.code))
    return table(("code", "status", "title", "when"), rows)


def every_error() -> set[type[AppkeepError]]:
    """Return all classes of errors, those of the built-in plugins too."""
    for root in ROOTS:
        for module in pkgutil.walk_packages(import_module(root).__path__, f"{root}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                import_module(module.name)
    return {AppkeepError, *_below(AppkeepError)}


def _below(error: type[AppkeepError]) -> Iterator[type[AppkeepError]]:
    for one in error.__subclasses__():
        if one.__module__.partition(".")[0] in ROOTS and not one.__name__.startswith("_"):
            yield one
        yield from _below(one)


def settings() -> Iterator[str]:
    """Yield the table of settings."""
    rows = ((f"`{s.variable}`", f"`{s.default}`" if s.default != "" else "", s.help) for s in SETTINGS)
    return table(("variable", "default", "what"), rows)


def hooks() -> Iterator[str]:
    """Yield the table of hooks."""
    rows = ((f"`{name}`", first_line(hook)) for name, hook in every_hook().items())
    return table(("hook", "what it is for"), rows)


def every_hook() -> Mapping[str, Callable[..., object]]:
    """Return the hooks by name, in the order of their file."""
    marked = f"{hookspecs.PROJECT}_spec"
    return {name: hook for name, hook in vars(hookspecs).items() if hasattr(hook, marked)}


def first_line(thing: object) -> str:
    """Return the first line of a docstring as a table's cell."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("|", r"\|")


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def hook_pages() -> Iterator[str]:
    """Yield every hook with its arguments, what it gives, and what becomes of it."""
    shown = examples()
    for name, hook in every_hook().items():
        signature = str(inspect.signature(hook)).replace("'", "")
        first = getattr(hook, f"{hookspecs.PROJECT}_spec")["firstresult"]
        answers = "gives nothing" if signature.endswith("-> None") else (
            "the first answer that is not None counts" if first else "all answers are taken together")
        refuses = "; may refuse by an error of `core.api`" if name in REFUSING else ""
        text = inspect.getdoc(hook) or ""
        yield from (f"### {name}", "", "```python", f"def {name}{signature}", "```", "", f"{text} *({answers}{refuses})*", "",
                    "```python", *shown["plugin"][name], "```", "")


def component_pages() -> Iterator[str]:
    """Yield every property and method of a component, each with an example."""
    source = ast.parse(inspect.getsource(component_module))
    body = next(one.body for one in source.body if isinstance(one, ast.ClassDef) and one.name == "Component")
    shown = examples()["component"]
    for one, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ABOUT[one.target.id]
            yield from (f"### {one.target.id}", "", str(text), "", *_block(shown[one.target.id]))
        elif isinstance(one, ast.FunctionDef):
            signature = ast.unparse(one.args).removeprefix("self, ").removeprefix("self")
            given = f" -> {ast.unparse(one.returns)}" if one.returns is not None else ""
            text = inspect.cleandoc(ast.get_docstring(one) or "").replace("Raises:\n    ", "Raises ").replace("Args:\n", "")
            yield from (f"### {one.name}", "", *_block([f"def {one.name}({signature}){given}"]), text, "", *_block(shown[one.name]))


def examples() -> dict[str, dict[str, list[str]]]:
    """Return the lines of the example of each hook ("plugin") and of each property and method of a component ("component")."""
    found: dict[str, dict[str, list[str]]] = {}
    for module, part in (("plugin", None), ("component", "Signs")):
        lines = (EXAMPLES / f"{module}.py").read_text().split("\n")
        body = ast.parse("\n".join(lines)).body
        if part is not None:
            body = next(one.body for one in body if isinstance(one, ast.ClassDef) and one.name == part)
        here = found[module] = {}
        for one in body:
            first = min([one.lineno, *(mark.lineno for mark in getattr(one, "decorator_list", ()))])
            said = textwrap.dedent("\n".join(lines[first - 1:one.end_lineno])).split("\n")
            for name in _names(one):
                here[name] = said
    return found


def _names(one: ast.stmt) -> list[str]:
    """Return what a statement defines."""
    if isinstance(one, ast.FunctionDef | ast.ClassDef):
        return [one.name]
    targets = one.targets if isinstance(one, ast.Assign) else []
    flat = [name for target in targets for name in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [name.id for name in flat if isinstance(name, ast.Name)]


def _block(lines: list[str]) -> list[str]:
    return ["```python", *lines, "```", ""]


def operations() -> Iterator[str]:
    """Yield what the HTTP API has, by subject: address, scope, what it takes."""
    from flask import Flask

    from core.web.http_api import api
    from core.web.http_api.operations import Operations, operations_of

    given = [api]
    for some in load_plugins(strangers=False).hook.register_blueprint():
        given += [one for one in (some if isinstance(some, list | tuple) else [some]) if isinstance(one, Operations)]
    app = Flask("reference", static_folder=None)
    for blueprint in given:
        app.register_blueprint(blueprint)
    subject = ""
    for one in operations_of(app):
        if one.subject != subject:
            subject = one.subject
            yield from ("", f"### {subject}", "", "| operation | | scope | takes |", "| --- | --- | --- | --- |")
        scope = f"`{one.scope}`" if one.scope else ""
        yield f"| `{one.name}` {one.summary}. | `{one.method} {_written(one.rule)}` | {scope} | {_takes(one)} |"


def _written(rule: str) -> str:
    from core.web.http_api.openapi import path_of

    return path_of(rule)


def _takes(one: Any) -> str:
    body = (one.body or {}).get("properties", {})
    must = set((one.body or {}).get("required", ()))
    named = [f"`{name}`{'' if name in must else '?'}" for name in body] + [f"`?{name}`" for name in one.query]
    headers = [*one.headers, *(["Idempotency-Key"] if one.repeatable else ()), *(["If-Match"] if one.guarded else ())]
    return ", ".join([*named, *(f"`{name}:`" for name in headers)])


def schemas() -> str:
    """Return the JSON Schemas of all kinds of documents of the built-in components, as JSON."""
    found = {}
    for component in load_plugins(strangers=False).components.values():
        for kind in component.kinds:
            found[kind.name] = {"component": component.name, "letter": kind.letter, "single": kind.single, "parts": dict(kind.parts),
                                "version": component.version, "schema": kind.schema}
    lines = (f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in sorted(found.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def listed() -> str:
    """Return the source of `core.cli.listed`."""
    of = {name: module for module in MODULES for name in import_module(f"core.cli.{module}").commands.commands}
    own = Verbs()
    for module in MODULES:
        own.commands |= import_module(f"core.cli.{module}").commands.commands
    for one in load_plugins(strangers=False).hook.register_commands.get_hookimpls():
        one.function(*[own for _ in one.argnames])
    rows = []
    for name, command in sorted(own.commands.items()):
        text = (command.help or "").partition("\n\n")[0].replace("\n", " ")
        rows.append(f"    {json.dumps(name)}: ({json.dumps(of.get(name, ''))}, {json.dumps(text, ensure_ascii=False)}),\n")
    head = LISTED.read_text().partition("] = {")[0]
    return f"{head}] = {{\n{''.join(rows)}}}\n"


def type_pairs() -> Iterator[str]:
    """Yield what a restore does for every pair of field types; worksheets know it."""
    yield from import_module("plugins.worksheets.type_pairs").written()


BLOCKS: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "commands": ("commands.md", commands),
    "errors": ("errors.md", errors),
    "settings": ("operations.md", settings),
    "hooks": ("writing-a-plugin.md", hooks),
    "each hook": ("hooks.md", hook_pages),
    "each method": ("components.md", component_pages),
    "each pair": ("restoring-fields.md", type_pairs),
    "operations": ("http-api.md", operations),
}


def marks(name: str) -> tuple[str, str]:
    """Return the lines around a block."""
    return f"<!-- {name}: written by {COMMAND} -->\n", f"<!-- end of {name} -->\n"


def generated(name: str) -> str:
    """Return a block as it should be."""
    return "\n" + "\n".join(BLOCKS[name][1]()).strip("\n") + "\n\n"


def written(name: str) -> str:
    """Return a block as its page has it.

    Raises:
        ValueError: the page lacks its marks.
    """
    begin, end = marks(name)
    text = (DOCS / BLOCKS[name][0]).read_text(encoding="utf-8")
    return text[text.index(begin) + len(begin):text.index(end)]


def write(name: str) -> None:
    """Put a block into its page."""
    page, (begin, end) = DOCS / BLOCKS[name][0], marks(name)
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(begin + written(name) + end, begin + generated(name) + end), encoding="utf-8")


if __name__ == "__main__":
    for block in BLOCKS:
        write(block)
    SCHEMAS.write_text(schemas(), encoding="utf-8")
    LISTED.write_text(listed(), encoding="utf-8")
