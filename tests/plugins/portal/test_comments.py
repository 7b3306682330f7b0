"""Comments on records: by members, and by people outside as far as their portal role gives; what is internal stays inside."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from core.api import Document, as_tenant, db, direct, documents, transaction
from core.backups.catalog import find_backup
from plugins.roles import service as roles
from plugins.worksheets import comments
from plugins.worksheets import service as records
from plugins.worksheets.comments import named_in
from plugins.worksheets.models import Comment
from tenants import service as tenants
from tenants.notifications import inbox
from tests.forms import FormReader
from tests.plugins.portal.people import ANN, BEN, DEALS, Place, built, entered, role
from tests.web import Browser, make_member, signed_in
from tests.writing import at_once, each

RECORD = f"worksheet/{DEALS}/record"
HELPER = "r_1111111111"


@pytest.fixture
def place(organization: str) -> Place:
    """An app with an open portal whose customers may comment, and a role of members."""
    found = built(organization)
    role(found, comment=True)
    with transaction():
        documents.put(found.row, Document(kind="role", key=HELPER, position=0, body={"name": "Helper", "worksheets": [
            {"worksheet": {"ref": f"worksheet/{DEALS}"}, "read": "all"}]}), "system")
    return found


def member(server: Flask, place: Place, email: str, name: str, *, helps: bool = True) -> Browser:
    """Return a browser of a member, who has the role of helpers."""
    person = make_member(place.organization_id, email)
    with as_tenant(place.organization_id), transaction():
        tenants.user_by_email(email).name = name
        if helps:
            roles.assign(place.row, HELPER, f"user/{person}")
    return signed_in(server, email)


def inside(place: Place, path: str = f"{RECORD}/1") -> str:
    """Return the address of a page of members."""
    return f"/o/{place.organization_id}/apps/{place.id}/{path}"


def said(client: Browser, url: str) -> list[str]:
    """Return the comments that a page shows."""
    page = client.get(url)
    assert 200 == page.status_code
    return re.findall(r'<p class="pre-line">(.*?)</p>', page.get_data(as_text=True), re.DOTALL)


def test_what_is_internal_stays_inside(place: Place, server: Flask) -> None:
    """A guest sees what was shared and their own; members see all, and whose it is."""
    mia, ann = member(server, place, "mia@inside.example", "Mia Moss"), entered(server, place, ANN, name="Ann Other")
    mia.post(inside(place, f"{RECORD}/1/comments"), data={"text": "Watch out: bad payer"})
    mia.post(inside(place, f"{RECORD}/1/comments"), data={"text": "We call you", "shared": "1"})
    ann.post(place.url(f"{RECORD}/1/comments"), data={"text": "When?\n<b>Tomorrow</b>?"})
    assert ["We call you", "When?\n&lt;b&gt;Tomorrow&lt;/b&gt;?"] == said(ann, place.url(f"{RECORD}/1"))
    assert ["Watch out: bad payer", "We call you", "When?\n&lt;b&gt;Tomorrow&lt;/b&gt;?"] == said(mia, inside(place))
    page = mia.get(inside(place)).get_data(as_text=True)
    assert "Ann Other (portal)" in page and "Shared with the portal" in page and "@ and a name" in page
    theirs = ann.get(place.url(f"{RECORD}/1")).get_data(as_text=True)
    assert "Mia Moss" in theirs and "@ and a name" not in theirs and "Shared with" not in theirs


def test_nobody_comments_where_they_may_not(place: Place, server: Flask) -> None:
    """Not on others' records, not without the right, not as a member without a role; too long or empty is refused with a sentence."""
    ann, idle = entered(server, place, ANN), member(server, place, "idle@inside.example", "Ida Idle", helps=False)
    assert 404 == ann.post(place.url(f"{RECORD}/2/comments"), data={"text": "Hello"}).status_code
    assert 404 == idle.post(inside(place, f"{RECORD}/1/comments"), data={"text": "Hello"}).status_code
    for text in ("", "  ", "x" * 5001, "a\0b"):
        refused = ann.post(place.url(f"{RECORD}/1/comments"), data={"text": text})
        assert 422 == refused.status_code and "Enter a comment of 1 to 5,000" in refused.get_data(as_text=True)
    role(place)
    assert 403 == ann.post(place.url(f"{RECORD}/1/comments"), data={"text": "Hello"}).status_code
    assert 'id="comments"' not in ann.get(place.url(f"{RECORD}/1")).get_data(as_text=True)
    assert [] == db.session.scalars(comments.select(Comment).where(Comment.app_id == place.id)).all()


def test_a_refused_comment_stays_in_its_form(place: Place, server: Flask) -> None:
    """With the tick, and with the reason beside it; sent again, shortened, it is there."""
    mia = member(server, place, "mia@inside.example", "Mia Moss")
    form = {"text": "\n  Long <story> " + "x" * 5000, "shared": "1"}
    refused = mia.post(inside(place, f"{RECORD}/1/comments"), data=form)
    shown = FormReader(action=inside(place, f"{RECORD}/1/comments"))
    shown.feed(refused.get_data(as_text=True))
    assert (422, form) == (refused.status_code, {name: shown.found[name] for name in form})
    assert 302 == mia.post(inside(place, f"{RECORD}/1/comments"), data={**form, "text": "Short"}).status_code
    assert ["Short"] == said(mia, inside(place))


def test_one_deletes_ones_own(place: Place, server: Flask) -> None:
    """An admin of the app deletes anybody's."""
    mia, ann = member(server, place, "mia@inside.example", "Mia Moss"), entered(server, place, ANN)
    mia.post(inside(place, f"{RECORD}/1/comments"), data={"text": "Mine", "shared": "1"})
    ann.post(place.url(f"{RECORD}/1/comments"), data={"text": "Hers"})
    with as_tenant(place.organization_id):
        mine, hers = (db.session.scalar(comments.select(Comment.key).where(Comment.text == text)) for text in ("Mine", "Hers"))
    assert 404 == ann.post(place.url(f"{RECORD}/1/comments/{mine}/remove")).status_code
    assert 404 == mia.post(inside(place, f"{RECORD}/1/comments/{hers}/remove")).status_code
    assert 302 == ann.post(place.url(f"{RECORD}/1/comments/{hers}/remove")).status_code
    with as_tenant(place.organization_id), transaction():
        owner = make_member(place.organization_id, "owner@inside.example")
        tenants.name_admin(place.row, owner)
    assert 302 == signed_in(server, "owner@inside.example").post(inside(place, f"{RECORD}/1/comments/{mine}/remove")).status_code
    assert [] == said(mia, inside(place))


def test_whoever_is_named_or_takes_part_is_told(place: Place, server: Flask) -> None:
    """As far as they may read the record; nobody of what they wrote themselves."""
    mia = member(server, place, "mia@inside.example", "Mia Moss")
    member(server, place, "max@inside.example", "Max Moss")
    member(server, place, "idle@inside.example", "Ida Idle", helps=False)
    mia.post(inside(place, f"{RECORD}/1/comments"), data={"text": "@Max Moss and @ida idle and @Mia Moss: look"})
    ann = entered(server, place, ANN)
    ann.post(place.url(f"{RECORD}/1/comments"), data={"text": "Hello?"})
    with as_tenant(place.organization_id):
        told = {name: [one.text for one in inbox.items(tenants.user_by_email(f"{name}@inside.example").id)] for name in ("mia", "max", "idle")}
    assert {"mia": ["Hello?"], "max": ["@Max Moss and @ida idle and @Mia Moss: look"], "idle": []} == told


def test_names_in_a_text() -> None:
    """The longest that fits; an address of mail names nobody."""
    people = [("u_1", "Mia"), ("u_2", "Mia Moss"), ("u_3", "Ömer")]
    assert ["u_2", "u_1", "u_3"] == named_in("@mia moss, @Mia! @ömer", people)
    assert [] == named_in("mail@Mia.example @Miamax @", people)


def test_comments_are_beside_a_backup_and_go_with_their_record(place: Place, server: Flask) -> None:
    """They change no content_id, are there again with a record that comes back, and go when it goes for good."""
    ann = entered(server, place, ANN)
    before = direct.content_id(place.row)
    ann.post(place.url(f"{RECORD}/1/comments"), data={"text": "Kept"})
    assert before == direct.content_id(place.row)
    backup = direct.back_up(place.row, data=True)
    with transaction():
        records.delete_record(place.row, DEALS, 1, "system")
    direct.restore(place.row, find_backup(backup.id), data=True)
    assert ["Kept"] == said(ann, place.url(f"{RECORD}/1"))
    with transaction():
        records.delete_record(place.row, DEALS, 1, "system")
        records.purge_record(place.row, DEALS, 1, "system")
    with as_tenant(place.organization_id):
        assert [] == db.session.scalars(comments.select(Comment)).all()


def test_two_who_comment_at_once_are_both_kept(place: Place, server: Flask) -> None:
    """Ten of each."""
    ann, mia = entered(server, place, ANN), member(server, place, "mia@inside.example", "Mia Moss")
    entered(server, place, BEN)
    assert [] == at_once(
        server, place.organization_id,
        each(10, lambda n: ann.post(place.url(f"{RECORD}/1/comments"), data={"text": f"a{n}"}) and None),
        each(10, lambda n: mia.post(inside(place, f"{RECORD}/1/comments"), data={"text": f"m{n}"}) and None))
    assert 20 == len(said(mia, inside(place)))
