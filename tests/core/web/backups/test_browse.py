"""Browsing a backup: the app's own pages show what was in it, nothing of the app as it is, and nothing that writes."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, event, select

from core.api import apps, as_tenant, browsing, content_connection, db, direct, standing, transaction
from core.backups import browse, scratch
from core.backups.catalog import delete, find_backup
from core.objects.index import StoredObject
from core.web.gate import BROWSE, Needs, needs_of
from plugins.worksheets import comments
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.models import Record
from tests.conftest import opened_server
from tests.core.web.backups.conftest import COMPANIES, Place, furnish, words
from tests.web import Browser, make_member, signed_in
from tests.wrecking import wreck

AROUND = re.compile(r"/(|account|notifications|sign-out|static/.*|o/o_\w+/(approvals)?|o/o_\w+/apps/a_\w+/manage/backups/b_\w+(/restore)?)$")
"""What stands around every page that shows a backup: the bar of the server, and what leads out of the backup."""
LIVE = re.compile(r"\b(document|hidden_part|record|attachment|counter|record_index|record_key|record_comment|public_link|role_member)\b")
PREPARING = "Preparing … "


def home(place: Place, backup_id: str) -> str:
    """Return what the addresses begin with at which a backup is browsed."""
    return f"/o/{place.organization_id}/apps/{place.app_id}/backups/{backup_id}/browse"


def ready(browser: Browser, path: str) -> Any:
    """Return the answer of a page, asked for until nothing is being prepared any more."""
    for _ in range(100):
        answer = browser.get(path)
        if PREPARING not in (answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""):
            return answer
    raise AssertionError(f"{path} is never ready")


def links(page: str) -> list[str]:
    """Return the addresses within this server that a page leads to or brings something from."""
    return [html.unescape(found).partition("?v=")[0] if "/static/" in found else html.unescape(found)
            for found in re.findall(r'(?:href|src|action|hx-get|hx-post|data-url)="(/[^"]*)"', page)]


def walked(browser: Browser, start: str) -> Iterator[tuple[str, Any]]:
    """Yield (address, answer) of every page of a backup that can be reached by links."""
    waiting, known = [f"{start}/contents", f"{start}/"], set[str]()
    while waiting:
        path = waiting.pop(0).partition("#")[0]
        if path in known or "month=" in path:
            continue  # a calendar goes on for ever
        known.add(path)
        answer = ready(browser, path)
        yield path, answer
        waiting += [link for link in links(shown(answer)) if link.startswith(start)]


def shown(answer: Any) -> str:
    """Return the HTML of a page, "" of a file."""
    return str(answer.get_data(as_text=True)) if answer.mimetype == "text/html" else ""


def content(answer: Any) -> str:
    """Return what an answer shows of the backup: a page from its bar on, without tokens; a file's bytes by their number."""
    text = shown(answer).partition('<section class="looking browsing"')[2]
    return re.sub(r'(csrf_token" value=")[^"]*', r"\1", text) or f"{answer.mimetype} {len(answer.data)}"


@contextmanager
def statements(place: Place) -> Iterator[list[str]]:
    """Collect what is asked of the server's own database meanwhile."""
    found: list[str] = []
    with place.server.app_context():
        engine: Engine = db.engine

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if browsing() is not None:
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def test_every_page_of_a_backup_stays_inside_and_offers_nothing_that_writes(place: Place) -> None:
    """Each link leads to another page of the backup or to what stands around; there is no form that posts and no cell to edit."""
    start, count = home(place, place.back_up()), 0
    for path, answer in walked(place.browser, start):
        assert 200 == answer.status_code, (path, answer.status_code)
        text, count = shown(answer), count + 1
        out = {link for link in links(text) if not link.startswith(start) and not AROUND.match(link) and "/restore?asked=1" not in link}
        assert set() == out, (path, out)
        posting = set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', text)) - {"/sign-out"}
        assert set() == posting and "data-edit" not in text and "hx-post" not in text, path
        assert "App management" not in text and "New comment" not in text, path
    assert count > 60


def test_nothing_that_changes_later_changes_a_letter(place: Place) -> None:
    """The pages are the same after the app was wrecked: records, fields, documents, its name, comments."""
    start = home(place, place.back_up())
    before = {path: content(answer) for path, answer in walked(place.browser, start)}
    with as_tenant(place.organization_id):
        app = apps.find(place.app_id)
        with transaction():
            comments.add(SheetAccess.of(app, standing(app, place.owner), COMPANIES), 1, "Said later", place.owner, shared=False)
        wreck(app)
    scratch_of(place, remove=True)
    after = {path: content(answer) for path, answer in walked(place.browser, start)}
    assert before.keys() == after.keys()
    assert [] == [path for path in before if before[path] != after[path]]
    assert "Said later" not in "".join(after.values())


def scratch_of(place: Place, *, remove: bool = False) -> list[Path]:
    """Return where scratch files lie, or remove them all."""
    with place.server.app_context():
        found = [one.path for one in scratch.kept()]
        for path in found if remove else ():
            scratch.remove(path)
    return found


def test_the_live_app_is_neither_read_nor_written(server: Flask) -> None:
    """On each engine, no statement on an app's content reaches the database while a backup is browsed, and none that writes."""
    place = Place(server, *furnish(), signed_in(server))
    start = home(place, place.back_up())
    with statements(place) as found:
        paths = [f"{start}/contents", f"{start}/", f"{start}/worksheet/{COMPANIES}", f"{start}/worksheet/{COMPANIES}/record/1",
                 f"{start}/worksheet/{COMPANIES}?sort=f_CoName1111", f"{start}/worksheet/{COMPANIES}?q=a"]
        paths += [link for link in links(place.browser.get(f"{start}/contents").get_data(as_text=True)) if link.startswith(f"{start}/")]
        for path in paths:
            assert 200 == ready(place.browser, path).status_code, path
    assert found and [] == [one for one in found if LIVE.search(one)]
    assert [] == [one for one in found if re.match(r"\s*(INSERT|UPDATE|DELETE)", one, re.IGNORECASE)]


def test_a_question_that_forgets_the_backup_is_refused(place: Place) -> None:
    """Code that asks the session's connection for content, past `content_connection`, fails instead of showing the live app."""
    backup_id = place.back_up()
    with as_tenant(place.organization_id), browse.opened(apps.find(place.app_id), find_backup(backup_id)):
        with pytest.raises(RuntimeError, match="content_connection"):
            db.session.connection().execute(Record.__table__.select())
        assert "sqlite" == content_connection().dialect.name
        assert [] == db.session.execute(Record.__table__.select()).all()  # nothing was asked for yet


def test_the_pages_show_the_backup(place: Place) -> None:
    """Names, records, search, sort, a record, a link to another, a file, and the bar with its ways out."""
    backup_id = place.back_up(name="Before the change")
    place.change()
    start = home(place, backup_id)
    contents = words(place.browser.get(f"{start}/contents"))
    assert "Before the change" in contents and "Companies" in contents and "Firms" not in contents
    grid = words(ready(place.browser, f"{start}/worksheet/{COMPANIES}"))
    assert "Companies" in grid and "Changed & lost" not in grid and "Nothing here can be changed" in grid
    found = words(ready(place.browser, f"{start}/worksheet/{COMPANIES}?q=Changed"))
    assert "No records found" in found
    assert "Changed &amp; lost" in words(place.browser.get(f"/o/{place.organization_id}/apps/{place.app_id}/worksheet/{COMPANIES}"))
    assert 404 == place.browser.get(f"{start}/worksheet/{COMPANIES}/record/999999").status_code


def test_no_address_of_a_backup_takes_anything_but_a_question(sqlite_server: Flask) -> None:
    """All of them answer GET only, need the right to restore, and are for members."""
    rules = [rule for rule in sqlite_server.url_map.iter_rules() if rule.rule.startswith(BROWSE)]
    assert len(rules) > 8
    for rule in rules:
        assert {"GET", "HEAD", "OPTIONS"} == rule.methods, rule.rule
        assert Needs.BACKUP is needs_of(sqlite_server.view_functions[rule.endpoint], rule), rule.rule


def test_who_may_not_restore_may_not_browse(place: Place) -> None:
    """Members without the app get 404, an admin of the organization who is none of the app too; nobody is asked to sign in."""
    start = home(place, place.back_up())
    make_member(place.organization_id, "member@example.org")
    make_member(place.organization_id, "admin@example.org", "admin")
    for email in ("member@example.org", "admin@example.org"):
        client = signed_in(place.server, email)
        for path in ("/contents", "/", f"/worksheet/{COMPANIES}", f"/worksheet/{COMPANIES}/record/1"):
            assert 404 == client.get(start + path).status_code, (email, path)


@pytest.mark.parametrize("backup_id", ["b_ZZZZZZZZZZ", "..", "%2e%2e", "b_1%00", "'--", "b_" + "x" * 300])
def test_a_backup_that_is_not_there_is_not_found(place: Place, backup_id: str) -> None:
    """Hostile ids name no backup, and no folder."""
    assert place.browser.get(f"{home(place, backup_id)}/contents").status_code in (404, 308, 301)
    assert [] == scratch_of(place)


def test_a_deleted_backup_is_not_found_and_its_scratch_goes(place: Place) -> None:
    """The clock removes what was unpacked of it."""
    backup_id = place.back_up()
    start = home(place, backup_id)
    assert 200 == place.browser.get(f"{start}/contents").status_code and 1 == len(scratch_of(place))
    with as_tenant(place.organization_id), transaction():
        delete(backup_id, place.owner)
    assert 404 == place.browser.get(f"{start}/contents").status_code
    scratch.tick()
    assert [] == scratch_of(place)


def test_a_backup_of_configuration_says_that_it_has_no_records(place: Place) -> None:
    """Its worksheets are there, empty; nobody is told that they may create one."""
    start = home(place, place.back_up(data=False))
    assert "holds the configuration only" in words(place.browser.get(f"{start}/contents"))
    grid = words(ready(place.browser, f"{start}/worksheet/{COMPANIES}"))
    assert "No records yet" in grid and "New record" not in grid


def lose(home: Path) -> None:
    """Lose all that lies in the store."""
    for pack in (home / "objects").rglob("*.zst"):
        pack.unlink()


def test_a_damaged_backup_says_which_and_what_to_do(place: Place, home: Path) -> None:
    """The page names the backup; no half of it is shown as the whole."""
    backup_id = place.back_up(name="Broken one")
    lose(home)
    answer = place.browser.get(f"/o/{place.organization_id}/apps/{place.app_id}/backups/{backup_id}/browse/contents")
    assert 409 == answer.status_code and "Broken one" in words(answer) and "missing or damaged" in words(answer)
    with as_tenant(place.organization_id):  # the next backup stores it again
        assert db.session.scalar(select(StoredObject.content).where(StoredObject.lost_at.is_not(None)))


def test_records_that_are_lost_are_no_empty_page(place: Place, home: Path) -> None:
    """Where only the records are gone, each page that needs them says so: a grid, a record, a page with a chart."""
    backup_id = place.back_up(name="Broken one")
    start = f"/o/{place.organization_id}/apps/{place.app_id}/backups/{backup_id}/browse"
    assert 200 == place.browser.get(f"{start}/contents").status_code
    lose(home)
    for path in (f"/worksheet/{COMPANIES}", f"/worksheet/{COMPANIES}/record/1", f"/worksheet/{COMPANIES}?q=a"):
        answer = place.browser.get(start + path)
        assert 409 == answer.status_code and "Broken one" in words(answer), path
    charts = [link for link in links(place.browser.get(f"{start}/contents").get_data(as_text=True)) if "/page/" in link]
    assert 409 in [place.browser.get(path).status_code for path in charts]


def test_large_worksheets_are_unpacked_in_steps(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that takes longer says how far it is and comes in the end; it is the same as one that came at once."""
    path = f"{home(place, place.back_up())}/worksheet/{COMPANIES}?sort=-f_CoName1111"
    at_once = content(ready(place.browser, path))
    scratch_of(place, remove=True)
    monkeypatch.setattr(browse, "STEP_S", 0.0)
    first = place.browser.get(path)
    assert PREPARING in words(first) and 'http-equiv="refresh"' in shown(first) and "no-store" == first.headers["Cache-Control"]
    assert path == place.browser.get(path, headers={"HX-Request": "true"}).headers["HX-Redirect"]
    assert at_once == content(ready(place.browser, path))


def test_what_lies_in_the_folder_is_made_anew_where_it_cannot_be_used(place: Place) -> None:
    """A folder that was emptied, a file that is half made or garbage, and one that is gone are noticed."""
    path = f"{home(place, place.back_up())}/worksheet/{COMPANIES}"
    whole = content(ready(place.browser, path))
    file = scratch_of(place)[0] / scratch.FILE
    for spoil in (_unlink, _empty, _garble, _remove):
        for beside in file.parent.glob("*-wal"):
            beside.unlink()
        spoil(file)
        assert whole == content(ready(place.browser, path))


def _unlink(file: Path) -> None:
    file.unlink()


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _garble(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def _remove(file: Path) -> None:
    shutil.rmtree(file.parent)


def test_scratch_files_are_closed_to_others(place: Place) -> None:
    """Nobody else on the machine reads them."""
    place.browser.get(f"{home(place, place.back_up())}/contents")
    path = scratch_of(place)[0]
    assert [0o700, 0o600] == [one.stat().st_mode & 0o777 for one in (path, path / scratch.FILE)]


def test_room_is_bounded(home: Path, furnished: tuple[Path, str, str, str]) -> None:
    """The backup that was used least recently goes where all together take more room than there is; one that is idle goes too."""
    shutil.copytree(furnished[0], home, dirs_exist_ok=True)
    for server in opened_server(home, "", browse_limit_bytes=1, backup_interval_s=0):
        place = Place(server, *furnished[1:], signed_in(server))
        with as_tenant(place.organization_id):
            ids = [direct.back_up(apps.find(place.app_id), person=place.owner).id for _ in range(2)]
        for backup_id in ids:
            assert 200 == place.browser.get(
                f"/o/{place.organization_id}/apps/{place.app_id}/backups/{backup_id}/browse/contents").status_code
        assert [ids[1]] == [one.backup_id for one in scratch.kept()]
        answer = place.browser.get(f"/o/{place.organization_id}/apps/{place.app_id}/backups/{ids[1]}/browse/worksheet/{COMPANIES}")
        assert 409 == answer.status_code and "APPKEEP_BROWSE_LIMIT_BYTES" in words(answer)
