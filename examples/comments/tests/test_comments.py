"""Comments keep the laws of data, and go where their record goes."""

from __future__ import annotations

import io

from appkeep_comments.plugin import COMMENTS

from core.api import App, Document, direct, documents, put_file, server, transaction
from core.testing import DataLaws

SHEET = "w_1111111111"


def add(app: App, record: int, text: str, **more: object) -> int:
    """Add a comment to a record."""
    return COMMENTS.add(app, worksheet=SHEET, record=record, text=text, author="u_1111111111", at=1_700_000_000_000_000, **more)


def with_records(app: App) -> None:
    """Make a worksheet with two records."""
    fields = [{"key": "f_1111111111", "type": "text", "name": "Name", "options": {}}]
    documents.put(app, Document(kind="worksheet", key=SHEET, body={"name": "People", "fields": fields}, position=0), "system")
    for name in ("Ann", "Bob"):
        put = server().registry.components["worksheets"].operations()["put_record"]
        put(app, {"worksheet": SHEET, "values": {"f_1111111111": name}}, "system")


class TestComments(DataLaws):
    """The laws, for comments."""

    component = "comments"

    def fill(self, app: App) -> None:
        """Make two records, four comments on them, one with a file, and one with a file in the recycle bin."""
        with_records(app)
        files = []
        for content in (b"a picture", b"another picture"):
            digest, size = put_file(io.BytesIO(content))
            files.append([{"file": digest, "name": "a.txt", "size": size, "type": "text/plain"}])
        add(app, 1, "First", files=files[0])
        for text in ("Second", "Third", "Fourth"):
            add(app, 2, text)
        COMMENTS.remove(app, add(app, 1, "Deleted", files=files[1]))

    def damage(self, app: App) -> None:
        """Change one comment, delete one, remove one for good."""
        COMMENTS.change(app, 1, text="Changed", files=None)
        for number in (2, 3):
            COMMENTS.remove(app, number)
        COMMENTS.purge(app, 3)

    def newer(self, app: App) -> None:
        """Add one."""
        add(app, 1, "Newer")

    def bin_one(self, app: App) -> None:
        """Delete one."""
        COMMENTS.remove(app, 1)

    def purge(self, app: App) -> None:
        """Remove the worksheet for good, and with it what is written about its records."""
        documents.hide(app, f"worksheet/{SHEET}", "system")
        documents.purge(app, f"worksheet/{SHEET}", "system")


def test_a_comment_on_a_record_that_is_gone_is_told_and_not_restored(app: App) -> None:
    """The record comes back only with the data of worksheets."""
    with transaction():
        with_records(app)
        add(app, 1, "First")
    backup = direct.back_up(app)
    worksheets = server().registry.components["worksheets"].operations()
    with transaction():
        for act in ("delete_record", "purge_record"):
            worksheets[act](app, {"worksheet": SHEET, "seq": 1}, "system")
    assert [] == COMMENTS.rows(app) == COMMENTS.rows(app, deleted=True)
    told = direct.restore(app, backup, only=["comments"])["components"]["comments"]["data"]
    assert 1 == told["references_not_restored_count"] and [] == COMMENTS.rows(app)
    direct.restore(app, backup)
    assert ["First"] == [one["text"] for one in COMMENTS.rows(app)]
