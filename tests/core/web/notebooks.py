"""A component that no page of its own serves, so that the pages for everybody do: notebooks with notes in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from core.api import App, Component, Kind, Section, Snapshot, apps, hookimpl, placing, server, transaction
from core.api import schemas as s
from core.apps import documents
from tests.conftest import made_organization
from tests.web import Browser, make_person, signed_in

NOTEBOOK = Kind(name="notebook", title="Notebook", letter="n", parts={"note": "notes"}, schema=s.closed({
    "name": s.NAME, "description": s.text(200), "pages": s.whole(1, 99), "about": s.ref("notebook"),
    "notes": s.listed(s.closed({"key": s.key("m"), "name": s.NAME, "stars": s.whole(0, 5)}, ["key", "name"]), 20),
}, ["name", "notes"]))
COVER = Kind(name="cover", title="Cover", single=True, schema=s.closed({"name": s.NAME}, ["name"]))


class Notebooks(Component):
    """Two kinds; what they hold beside their documents is told by `data_sections`."""

    name, title, kinds = "notebooks", "Notebooks", (NOTEBOOK, COVER)

    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        return iter(())


class Plugin:
    """The plugin that brings it."""

    @hookimpl
    def register_component(self) -> Component:
        """See the hook."""
        return Notebooks()


@pytest.fixture
def notebooks(sqlite_server: Flask) -> Iterator[App]:
    """An empty app on a server that knows notebooks."""
    registry = server().registry
    registry.manager.register(Plugin(), "notebooks")
    for name in ("components", "kinds"):
        vars(registry).pop(name, None)
    make_person("owner@example.org")
    with made_organization("Example"):
        with transaction():
            app = apps.create("Shelf", "system")
        yield app


@pytest.fixture
def client(sqlite_server: Flask, notebooks: App) -> Browser:
    """A browser of whoever manages the app."""
    from tenants import service

    client = signed_in(sqlite_server)
    with transaction():
        service.name_admin(apps.find(notebooks.id), make_person("owner@example.org"))
    return client


def manage(app: App, path: str = "") -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


def made(app: App, name: str, **body: object) -> str:
    """Make a notebook and return its address."""
    with transaction():
        return placing.add(apps.find(app.id), "notebook", {"name": name, "notes": [], **body}, "system").address


def names(app: App) -> list[str]:
    """Return the names of the live notebooks in order."""
    return [d.body["name"] for d in documents.live(apps.find(app.id), "notebook")]


def body(app: App, address: str) -> dict[str, object]:
    """Return a live document's body."""
    return dict(documents.get(apps.find(app.id), address).body)


def notes(*names: str) -> list[dict[str, object]]:
    """Return notes whose keys are made of their names."""
    return [{"key": f"m_{name.ljust(10, '1')[:10]}", "name": name} for name in names]
