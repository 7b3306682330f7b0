"""Files in a form: a digest that somebody typed gives nobody its content."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import FileStorage, MultiDict

from core.api import App, apps, as_tenant, documents, put_file, schemas, transaction
from core.web.editor import Editing, Targets
from tests.core.web.editor.browsing import sent_of
from tests.core.web.editor.test_round_trip import PAGE
from tests.web import make_organization

SCHEMA = {"type": "object", "additionalProperties": False, "properties": {
    "name": {"type": "string", "maxLength": 20, "minLength": 3}, "picture": schemas.FILE}, "required": ["name", "picture"]}
OF_OTHERS = b"salaries"


@pytest.fixture
def two(sqlite_server: Flask) -> Iterator[tuple[App, str]]:
    """An app, and the digest of a file of another app of the same organization."""
    organization = make_organization("Example")
    with as_tenant(organization), transaction():
        mine, other = apps.create("Mine", "system").id, apps.create("Other", "system").id
    with as_tenant(organization):
        digest, _ = put_file(io.BytesIO(OF_OTHERS), other)
        yield apps.find(mine), digest


def form(app: App, person: str = "u_Mine111111") -> Editing:
    """Return a form for something new."""
    return Editing(app, SCHEMA, {"name": "Old"}, targets=Targets(app, person))


def named(digest: str, **more: str) -> MultiDict[str, str]:
    """Return what a form sends that names a file."""
    return MultiDict({"v.name": "New", "v.picture~on": "1", "v.picture.file": digest, "v.picture.name": "a.png",
                      "v.picture.size": str(len(OF_OTHERS)), "v.picture.type": "image/png", **more})


def sent_anew(server: Flask, app: App, name: str = "N") -> dict[str, str]:
    """Return what a form sends back that brought a file and was shown again because of a mistake."""
    editing = form(app)
    upload = FileStorage(io.BytesIO(b"mine"), "mine.png", content_type="image/png")
    assert not editing.receive(MultiDict({"v.name": name}), MultiDict({"v.picture~upload": upload}))
    with server.test_request_context("/"):
        return dict(sent_of(render_template_string(PAGE, editing=editing)))


def test_a_file_of_another_app_cannot_be_named(two: tuple[App, str]) -> None:
    """An admin who knows its digest gets neither it nor whether it is there: the answer is that of any digest."""
    app, digest = two
    refusals = set()
    for one in (digest, "0" * 64):
        editing = form(app)
        assert not editing.receive(named(one), MultiDict())
        refusals.add((editing.status, editing.refused))
    assert 1 == len(refusals)


def test_a_file_that_was_just_sent_can_be_named_by_its_sender(sqlite_server: Flask, two: tuple[App, str]) -> None:
    """A form that had a mistake is sent again without the file; for somebody else, or in another app, its seal is none."""
    app, _ = two
    again = {**sent_anew(sqlite_server, app), "v.name": "Good"}

    assert form(app).receive(MultiDict(again), MultiDict())
    assert not form(app, "u_SomeoneE1se").receive(MultiDict(again), MultiDict())
    other = next(one for one in apps.all_apps() if one.id != app.id)
    assert not form(other).receive(MultiDict(again), MultiDict())


def test_a_file_that_the_apps_documents_show_can_be_named(two: tuple[App, str]) -> None:
    """Whoever edits them has it before their eyes."""
    app, digest = two
    picture = {"file": digest, "name": "a.png", "size": len(OF_OTHERS), "type": "image/png"}
    settings = documents.live(app, "app")[0]
    with transaction():
        documents.put(app, type(settings)(kind="app", key=settings.key, body={**settings.body, "icon": picture}, position=0), "system")

    assert form(app).receive(named(digest), MultiDict())
