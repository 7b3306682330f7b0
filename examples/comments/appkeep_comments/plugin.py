"""Comments on records: a table of its own, files, a panel on the record's page, a page, a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Response, flash, redirect, render_template, request
from markupsafe import Markup
from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

import core.api as ak


class Comment(ak.Row, ak.Base):
    """What somebody wrote about a record, with files."""

    __tablename__ = "comment"
    worksheet: Mapped[str] = mapped_column(String(40))
    record: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(16))
    at: Mapped[int] = mapped_column(BigInteger)
    files: Mapped[Any] = mapped_column(ak.Json, nullable=True)


COMMENTS = ak.TableData(Comment, section="c", noun="Comments", record=("worksheet", "record"), people=("author",), files=("files",))
pages = ak.Pages("comments", __name__, template_folder="templates")


class Comments(ak.TableComponent):
    """Comments are data: they are backed up, planned, restored and undone with the records."""

    name, title, about, rank, tables = "comments", "Comments", "What people write about records.", 60, (COMMENTS,)


def on_record(app: ak.App, person: str, worksheet: str, record: int) -> list[dict[str, Any]]:
    """Return the comments on a record that a person may read (ak.NotFound)."""
    if ak.ask_record(app, person, worksheet, record) is None:
        raise ak.NotFound("There is no such record.")
    return COMMENTS.rows(app, worksheet=worksheet, record=record)


@pages.page(f"{ak.APP}/comments/<worksheet>/<int:record>", ak.Needs.APP, ("GET", "POST"), max_bytes=ak.most_form_bytes)
def show(organization_id: str, app_id: str, worksheet: str, record: int) -> str | Response:
    """Show the comments on a record, and add one."""
    app, person, text = ak.current_app_row(), ak.visit().person, request.form.get("text", "").strip()
    found = on_record(app, person, worksheet, record)
    if not text:
        return render_template("comments/page.html", comments=found, worksheet=worksheet, record=record)
    files = [ak.keep_upload(one, app.id) for one in request.files.getlist("files") if one.filename]
    with ak.transaction():
        COMMENTS.add(app, worksheet=worksheet, record=record, text=text, author=person, at=ak.now_us(), files=files or None)
    flash("Comment added.", "good")
    return redirect(request.url)  # type: ignore[return-value]


@pages.page(f"{ak.APP}/comments/<worksheet>/<int:record>/<int:number>/<content>", ak.Needs.APP)
def file(organization_id: str, app_id: str, worksheet: str, record: int, number: int, content: str) -> Response:
    """Give a file of a comment."""
    named = [item for one in on_record(ak.current_app_row(), ak.visit().person, worksheet, record) if one["number"] == number
             for item in one["files"] or () if item["file"] == content]
    if not named:
        raise ak.NotFound("There is no such file.")
    return ak.file_response(named[0])


@ak.hookimpl
def register_component() -> ak.Component:
    return Comments()


@ak.hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@ak.hookimpl
def register_blueprint() -> Iterable[ak.Pages]:
    return [pages]


@ak.hookimpl
def record_panels(app: ak.App, person: str, worksheet: str, seq: int) -> Iterable[ak.RecordPanel]:
    comments = COMMENTS.rows(app, worksheet=worksheet, record=seq)
    html = render_template("comments/panel.html", comments=comments, worksheet=worksheet, record=seq)
    return [ak.RecordPanel(title=f"Comments ({len(comments)})", html=Markup(html))]


@ak.hookimpl
def record_purged(app: ak.App, worksheet: str, seqs: Sequence[int] | None) -> None:
    COMMENTS.purge_where(app, worksheet=worksheet, **({} if seqs is None else {"record": seqs}))


@ak.hookimpl
def register_commands(cli: click.Group) -> None:
    @ak.verb(cli, "comments")
    @click.argument("app_id")
    def comments(app_id: str) -> dict[str, Any]:
        """List the comments of an app."""
        with ak.apps.opened(app_id) as app:
            return {"comments": COMMENTS.rows(app)}
