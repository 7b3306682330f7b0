"""Notes keep the laws of every component, and their own rules."""

from __future__ import annotations

import hashlib
import io

import pytest
from appkeep_notes.plugin import with_text

from core.api import App, Document, InvalidDocument, apps, documents, put_file, transaction
from core.testing import ComponentLaws

FILE = b"an attached file"


def note(**body: object) -> Document:
    """Return a note."""
    return Document(kind="note", key="n_1111111111", body={"name": "Call back", "text": "On Monday", **body}, position=0)


class TestNotes(ComponentLaws):
    """The laws, for notes."""

    component = "notes"

    def full(self) -> list[Document]:
        """Return one note that has everything, and one that has only what it must."""
        file = {"file": hashlib.sha256(FILE).hexdigest(), "name": "a.txt", "size": len(FILE), "type": "text/plain"}
        everything = note(about={"ref": "page/p_1111111111"}, written_by={"org": "user/u_1111111111"}, files=[file],
                          remind_on="2027-01-31")
        return [everything, Document(kind="note", key="n_2222222222", body={"name": "Empty", "text": ""}, position=1)]

    def fill(self, app: App) -> None:
        """Store the attached file too."""
        put_file(io.BytesIO(FILE))
        super().fill(app)


def test_a_reminder_needs_a_text(app: App) -> None:
    """What the schema cannot say, the component's own check does."""
    with pytest.raises(InvalidDocument, match="reminds of nothing"), transaction():
        documents.put(apps.find(app.id), note(text="", remind_on="2027-01-31"), "system")


def test_notes_of_version_1_are_lifted() -> None:
    """They could lack their text."""
    old = Document(kind="note", key="n_1111111111", body={"name": "Old"}, position=3)
    assert Document(kind="note", key="n_1111111111", body={"name": "Old", "text": ""}, position=3) == with_text(old)
