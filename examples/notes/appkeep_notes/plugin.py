"""Notes: short texts that belong to an app, may be about one of its pages, and carry files."""

from __future__ import annotations

from core.api import Component, Document, InvalidDocument, Kind, hookimpl, schemas

NOTE = Kind(name="note", title="Note", letter="n", schema=schemas.closed({
    "name": schemas.NAME,
    "text": schemas.text(10_000),
    "about": schemas.ref("page"),
    "written_by": schemas.org("user"),
    "files": schemas.listed(schemas.FILE, 20),
    "remind_on": {"type": "string", "format": "date"},
}, required=["name", "text"]))


def with_text(document: Document) -> Document:
    """Lift a note of version 1, in which an empty text was left out."""
    body = {"text": "", **document.body}
    return Document(kind=document.kind, key=document.key, body=body, position=document.position)


class Notes(Component):
    """Notes are in their documents; the defaults store, validate, back up, plan, restore and copy them."""

    name, title, version, kinds = "notes", "Notes", 2, (NOTE,)
    upgrades = {1: with_text}

    def check(self, document: Document) -> None:
        """Refuse a reminder of nothing, which no schema can."""
        if "remind_on" in document.body and not document.body["text"]:
            raise InvalidDocument(f"The note “{document.body['name']}” reminds of nothing: it has no text.")


@hookimpl
def register_component() -> Component:
    """Give notes."""
    return Notes()
