"""A form that is refused with a page of its own, by a restore, an outage or a deletion: what was typed stands there, and what passes can be sent again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.test import TestResponse

from core.api import apps, as_tenant, transaction
from core.backups.catalog import find_backup
from core.backups.plan import Options
from core.backups.requests import request_restore
from core.base.time import now_us
from core.runs.service import find
from plugins.worksheets import service as worksheets
from tests.core.web.backups.conftest import COMPANIES, Place, words
from tests.core.web.test_away import database_away

OURS = {"Sec-Fetch-Site": "same-origin"}
LONG = "Typed for minutes & more. " * 20
NAME = "f_CoName1111"
DIGEST = "7e9e42da8fa3315d9f73"


@contextmanager
def closed(place: Place) -> Iterator[None]:
    """Have the app closed to writers by a restore of it."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        run = request_restore(app, find_backup(backup_id), Options(backup=backup_id, config=True, data=False), place.owner, send=False)
        app.restoring_run_id = run.id
    yield
    with as_tenant(place.organization_id), transaction():
        find(run.id).state, find(run.id).exclusive_app_id, find(run.id).ended_at = "cancelled", None, now_us()


def at(place: Place, path: str = "new") -> str:
    """Return the address of a page of a worksheet."""
    return f"/o/{place.organization_id}/apps/{place.app_id}/worksheet/{COMPANIES}/{path}"


def send(place: Place, path: str = "new", text: str = "Typed for minutes", site: str = "same-origin") -> TestResponse:
    """Send a record's form with a text and what such forms say for themselves."""
    return place.browser.post(at(place, path), data={f"was-{NAME}": "", "was-another": DIGEST, NAME: text, "key": "o_ProposaL11"},
                              headers={"Sec-Fetch-Site": site})


def sent_again(place: Place, answer: TestResponse) -> TestResponse:
    """Click on the button of a page that sends a form again."""
    text = answer.get_data(as_text=True)
    to = re.findall(r'<form class="form" method="post" action="([^"]+)"', text)[0]
    fields = re.findall(r'<textarea hidden name="([^"]+)">\n([^<]*)</textarea>', text)
    return place.browser.post(html.unescape(to), data={name: html.unescape(value) for name, value in fields}, headers=OURS)


def test_what_a_restore_refuses_can_be_sent_again_when_it_has_ended(place: Place) -> None:
    """The page shows what was typed, nothing of the form's own, and a click makes the record."""
    with closed(place):
        answer = send(place)
        assert 409 == answer.status_code and "being restored" in words(answer)
        assert ["<li>Typed for minutes</li>"] == re.findall(r'<ul class="kept">(.*?)</ul>', answer.get_data(as_text=True))
        assert 409 == sent_again(place, answer).status_code
    assert 302 == sent_again(place, answer).status_code


def test_what_an_outage_refuses_can_be_sent_again(place: Place) -> None:
    """The page that asks nothing of the database carries it."""
    with database_away():
        answer = send(place)
    assert 503 == answer.status_code and "Typed for minutes" in words(answer)
    assert 302 == sent_again(place, answer).status_code


def test_what_was_typed_into_a_record_that_is_gone_can_be_copied(place: Place) -> None:
    """All of it, and no button that would be refused again."""
    with as_tenant(place.organization_id), transaction():
        worksheets.delete_record(apps.find(place.app_id), COMPANIES, 1, place.owner)
    answer = send(place, "record/1/edit", LONG)
    assert 404 == answer.status_code and LONG.strip() in html.unescape(words(answer)) and "Try again" not in words(answer)


def test_a_page_elsewhere_puts_no_words_into_it(place: Place) -> None:
    """A form that another site had the browser send is not shown."""
    with closed(place):
        assert "Typed for minutes" not in words(send(place, site="cross-site"))


def test_what_goes_with_a_password_is_not_shown(place: Place) -> None:
    """A page that refuses a password repeats nothing of its form."""
    with database_away():
        answer = place.browser.post("/sign-in", data={"email": "somebody@example.org", "password": "a horse"}, headers=OURS)
    assert 503 == answer.status_code and "somebody@" not in words(answer) and "a horse" not in words(answer)
