"""Settings: what an app is called and looks like, its mobile navigation, option sets and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.api import SINGLE, App, Component, Document, Kind, apps
from core.api import schemas as s

ICON = {"anyOf": [s.text(60), s.FILE]}
ITEM = s.ref("worksheet", "page")

APP = Kind(name="app", title="App", single=True, schema=s.closed({
    "name": s.NAME, "icon": ICON, "colour": s.COLOUR, "description": s.text(5000),
}, ["name"]))

NAVIGATION = Kind(name="navigation", title="Mobile navigation", single=True, schema={
    **s.closed({"items": s.listed({"$ref": "#/$defs/item"}, 50)}, ["items"]),
    "$defs": {"item": s.closed({
        "label": s.NAME, "icon": s.text(60), "target": ITEM, "items": s.listed({"$ref": "#/$defs/item"}, 50)}, ["label"])},
})

OPTION_SET = Kind(name="option_set", title="Option set", letter="s", parts={"choice": "choices"}, schema=s.closed({
    "name": s.NAME,
    "description": s.text(2000),
    "choices": s.listed(s.closed({"key": s.key("o"), "name": s.text(200), "colour": s.text(40)}, ["key", "name"]), 2000),
}, ["name", "choices"]))

GROUP = Kind(name="group", title="Group", letter="g", schema=s.closed({
    "name": s.NAME, "icon": s.text(60), "hidden": s.FLAG, "items": s.listed(ITEM, 500),
}, ["name", "items"]))


class Settings(Component):
    """The app's own documents; who its members are is elsewhere."""

    name, title, version, kinds = "settings", "Settings", 1, (APP, NAVIGATION, OPTION_SET, GROUP)
    about, rank = "Name and appearance, navigation, and choices shared by worksheets.", 60

    def starting_documents(self, name: str) -> Iterable[Document]:
        return (Document(kind="app", key=SINGLE, body={"name": name[:100]}, position=0),
                Document(kind="navigation", key=SINGLE, body={"items": []}, position=0))

    def documents_changed(self, app: App, before: Mapping[str, Document],
                          after: Mapping[str, Document]) -> Mapping[str, int]:
        """Call the app in the table of apps as its document does."""
        if "app/main" in after:
            apps.rename(app, after["app/main"].body["name"])
        return {}

    def copied(self, document: Document, app_name: str) -> Document:
        """Give the copy its own name."""
        if document.kind != "app":
            return document
        return Document(kind="app", key=document.key, body={**document.body, "name": app_name[:100]},
                        position=document.position)
