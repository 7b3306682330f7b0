"""The words on pages, in refusals, mails, help and documentation: what is not said, and what is said in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("core", "tenants", "plugins", "templates")
READ = ("README.md", "docs/guide.md", "docs/commands.md", "docs/operations.md", "docs/importing.md")
INSTEAD = {
    r"\bdo(es)? not belong together": "wrong",
    r"\b[Ee]-mails?\b": "email",
    r"\b[Mm]ake (the|an?) (record|page|workflow|worksheet|field|view|role|account|organization)\b": "create",
    r"\bshall\b": "must, can, or a noun: “Field type”",
    r"\basked for by\b": "started by",
    r"\bwould go\b": "would be removed",
    r"\bas far as you\b": "that you can …",
    r"\bReally\?": "what happens: “Delete this role?”",
    r"(?<![Tt]here )\bis no (?!longer\b|more\b)[a-z]": "is not a …",
    r"\b[Tt]here is no such\b": "… not found",
    r"\b(not|is) (here|there) any ?more\b": "was deleted",
    r"\bdo(es)? not exist any ?more\b": "no longer exists",
    r"\b(brought|bring|brings) along\b": "is imported, is included",
    r"\b(ha[ds]|have) (no|its) counterpart": "not imported",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bhalf done\b": "nothing was changed",
    r"\b([Pp]rove|proven) (again )?(who|that it is) you\b": "confirm your identity",
    r"\banew\b": "again, new",
    r"\bin vain\b": "not saved",
    r"\blook(ed)? through\b": "preview, check",
    r"\bthings? of the file\b": "items",
    r"\be\.g\.|\bi\.e\.": "such as, that is",
    r"[a-z]  [a-z]": "one space",
}
"""What is not said -> what is said in its place."""


def texts() -> Iterator[tuple[str, int, str]]:
    """Yield (file, line, text) of what people may come to read."""
    for top in SOURCES:
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield from _of_python(path)
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                yield from _of_template(path)
    for name in READ:
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            yield name, number, line


def _of_python(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the strings with more than one word in them, but for documentation and what goes into the server's log."""
    tree = ast.parse(path.read_text())
    silent = {id(inner) for node in ast.walk(tree) if _is_silent(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            silent |= {id(one) for one in node.values}
            yield _name(path), node.lineno, "".join(one.value if isinstance(one, ast.Constant) else "{…}" for one in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield _name(path), node.lineno, node.value


def _is_silent(node: ast.AST) -> bool:
    """Say whether nobody reads what stands in a statement: a docstring, a line for the log."""
    if not isinstance(node, ast.Expr):
        return False
    call = node.value
    return isinstance(call, ast.Constant) or (
        isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log")


def _of_template(path: Path) -> Iterator[tuple[str, int, str]]:
    text = re.sub(r"\{#.*?#\}", lambda found: "\n" * found[0].count("\n"), path.read_text(), flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        yield _name(path), number, line


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def all_texts() -> list[tuple[str, int, str]]:
    """Return every text once for all tests."""
    return list(texts())


@pytest.mark.parametrize(("said", "instead"), INSTEAD.items())
def test_people_read_plain_words(all_texts: list[tuple[str, int, str]], said: str, instead: str) -> None:
    """Nothing that a native writer of a product would not say; the same thing has one name everywhere."""
    found = [f"{name}:{line}: “{match[0]}” in “{text.strip()[:150]}”; say: {instead}"
             for name, line, text in all_texts for match in re.finditer(said, text)]
    assert not found, "\n".join(found)


def test_the_texts_are_found(all_texts: list[tuple[str, int, str]]) -> None:
    """Of pages, mails, refusals, help and documentation."""
    read = {name for name, _, _ in all_texts}
    assert {"templates/editor.html", "tenants/templates/tenants/mail/reset.txt", "core/web/answers.py", "README.md"} <= read
    assert any(text == "Wrong email or password." for _, _, text in all_texts)
    assert any("Back up APP as one consistent moment" in text for name, _, text in all_texts if name == "docs/commands.md")
