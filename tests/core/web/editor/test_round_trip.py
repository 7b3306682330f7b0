"""The round trip law: a form that is sent back untouched says exactly what it was made from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import MultiDict

from core.api import App, Document, apps, as_tenant, canonical, documents, import_file, schemas, transaction
from core.web.editor import Editing, Targets
from core.web.editor.reading import Reading
from tests.core.web.editor.browsing import sent_of
from tests.covering import full_documents
from tests.web import make_organization

FOLDER = os.environ.get("APPKEEP_TEST_APPS", "")
SOURCES = [Path("sample"), *(sorted(Path(FOLDER).glob("*.json")) if FOLDER else ())]
PAGE = ('{% import "editor.html" as editor with context %}<form id="editor">{{ editor.body(editing) }}</form>')


def round_trip(server: Flask, app: App, schema: Any, value: Any, root: Any = None) -> tuple[Any, Reading]:
    """Return what becomes of a value in a form that is shown and sent back."""
    def editing() -> Editing:
        return Editing(app, schema, value, root=root, targets=Targets(app, "system", own=None))

    with server.test_request_context("/"):
        html = render_template_string(PAGE, editing=editing())
    again = editing()
    assert again.receive(MultiDict(sent_of(html)), MultiDict()), (again.reading.problems, again.refused, value)
    return again.reading.value, again.reading


def assert_comes_back(server: Flask, app: App, document: Document) -> None:
    """Check the law for a whole document, and for each of its parts."""
    kind = server.extensions["appkeep"].registry.kind(document.kind)[1]
    value, _ = round_trip(server, app, kind.schema, document.body)
    assert canonical(document.body) == canonical(value)
    for listed in kind.parts.values():
        items = kind.schema["properties"][listed]["items"]
        for part in document.body.get(listed, ())[:40]:
            value, _ = round_trip(server, app, items, part, kind.schema)
            assert canonical(part) == canonical(value)


@pytest.fixture
def app(sqlite_server: Flask) -> Iterator[App]:
    """An app of an organization."""
    organization = make_organization("Example")
    with as_tenant(organization), transaction():
        yield apps.create("Sales", "system")


@pytest.mark.parametrize("component", ["settings", "worksheets", "pages", "workflows", "roles", "portal"])
def test_full_documents_come_back(sqlite_server: Flask, app: App, component: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that fill every property of every kind's schema are the same after the form."""
    monkeypatch.setattr("core.web.editor.unknown_files", lambda app, value, before, fresh: set())
    given = full_documents(component)
    for document in given[:: max(1, len(given) // 40)]:
        assert_comes_back(sqlite_server, app, document)


ODD: list[Any] = [
    {"name": " spaces ", "description": ""}, {"name": "x", "description": "one\ntwo\n"}, {"name": "x", "description": "\nfirst line empty"},
    {"name": "x", "description": "DOS\r\nline ends\r"}, {"name": "a\nb", "description": "\ttab <b>&amp;</b> \u2028 “x” 🙂"},
    {"name": "x", "icon": ""}, {"name": "x", "icon": "star", "colour": "#0a0b0c"},
]


@pytest.mark.parametrize("body", ODD)
def test_odd_texts_come_back(sqlite_server: Flask, app: App, body: Any) -> None:
    """Empty texts that are there, line ends of all kinds, markup and blanks at the ends survive a form."""
    schema = sqlite_server.extensions["appkeep"].registry.kind("app")[1].schema
    assert body == round_trip(sqlite_server, app, schema, body)[0]


SCHEMA = schemas.closed({
    "flag": schemas.FLAG, "yes": schemas.FLAG, "list": schemas.listed(schemas.text(20), 5), "any": schemas.SCALAR,
    "inner": schemas.closed({"a": schemas.text(5)}), "number": {"type": "number"}, "map": {"type": "object"},
    "words": schemas.listed(schemas.one_of("a", "b", "c"), 5), "several": {"anyOf": [schemas.SCALAR, schemas.listed(schemas.SCALAR, 5)]},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}]}, "nothing": {"type": "null"}, "whatever": True,
    "tree": {"$ref": "#/$defs/tree"}}, ["yes"]) | {"$defs": {"tree": schemas.closed({"of": schemas.listed({"$ref": "#/$defs/tree"}, 9)})}}
VALUES = [
    {"yes": False}, {"yes": True, "flag": False}, {"yes": True, "flag": True, "list": []}, {"yes": True, "list": ["", "a", ""]},
    *({"yes": True, "any": value} for value in (None, False, True, 0, -5, "", "5", "true", "null", "a\nb")),
    {"yes": True, "inner": {}}, {"yes": True, "inner": {"a": ""}}, {"yes": True, "number": 0.5}, {"yes": True, "number": 10**15},
    {"yes": True, "map": {}}, {"yes": True, "map": {"x.y~z": [1, {"": None}]}}, {"yes": True, "words": []},
    {"yes": True, "words": ["c", "a"]}, {"yes": True, "words": ["a", "c"]}, {"yes": True, "words": ["a", "a"]},
    {"yes": True, "several": []}, {"yes": True, "several": [None, "", 1, False]}, {"yes": True, "several": ""},
    {"yes": True, "tuple": ["x", 5]}, {"yes": True, "nothing": None}, {"yes": True, "whatever": {"deep": [[]]}},
    {"yes": True, "tree": {"of": [{}, {"of": [{"of": []}]}]}},
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_what_is_absent_empty_or_false_stays_apart(sqlite_server: Flask, app: App, value: Any) -> None:
    """A property that is not there, and one that is there but empty, false or null, are told apart by the form."""
    assert canonical(value) == canonical(round_trip(sqlite_server, app, SCHEMA, value)[0])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_real_documents_come_back(sqlite_server: Flask, source: Path) -> None:
    """Every document of the sample app, and of real apps where there are any, is the same after its form."""
    organization = make_organization("Example")
    with as_tenant(organization):
        made = import_file(source, organization, "system", importer="sample" if source.name == "sample" else None)
        app = apps.find(made["app"])
        for document in documents.live(app):
            assert_comes_back(sqlite_server, app, document)
