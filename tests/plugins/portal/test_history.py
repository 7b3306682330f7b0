"""The history of records and guests: what they write is theirs, and they are shown no history."""

from __future__ import annotations

import pytest
from flask import Flask

from core.api import apps, transaction
from plugins.portal import accounts
from plugins.worksheets.history_versions import entries
from plugins.worksheets.web.editors import digest
from tenants import service as tenants
from tests.plugins.portal.people import ANN, DEALS, TITLE, Place, built, entered
from tests.web import signed_in

RECORD = f"worksheet/{DEALS}/record/1"


@pytest.fixture
def place(organization: str) -> Place:
    """An app with an open portal."""
    return built(organization)


def test_a_guest_is_the_author_and_sees_no_history(place: Place, server: Flask) -> None:
    """The page is not there for them, nor a link to it; a member reads who it was."""
    ann = entered(server, place, name="Ann Customer")
    answer = ann.post(place.url(f"{RECORD}/edit"), data={f"was-{TITLE}": digest("Deal of Ann"), TITLE: "Deal of mine"})
    assert answer.status_code == 302
    account = accounts.by_email(place.row, ANN)
    newest = next(entries(apps.find(place.id), DEALS, 1))
    assert account is not None and (newest.by, newest.how) == (account.key, "")
    assert newest.changes == {TITLE: ["Deal of Ann", "Deal of mine"]}

    page = ann.get(place.url(RECORD)).get_data(as_text=True)
    assert "Deal of mine" in page and ">History<" not in page and "/history" not in page
    for path in (f"{RECORD}/history", f"{RECORD}/history/{newest.id}/bring-back"):
        assert ann.get(place.url(path)).status_code == 404 == ann.post(place.url(path)).status_code

    with transaction():
        tenants.name_admin(place.row, tenants.user_by_email("owner@example.org").id)
    told = signed_in(server).get(f"/o/{place.organization_id}/apps/{place.id}/{RECORD}/history").get_data(as_text=True)
    assert "Ann Customer" in told and "Deal of mine" in told
