"""The log: every act with who, when, from where, which backup and its result; filtered, paged, as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.api import apps, as_tenant, transaction
from core.backups.log import acts_of, note
from core.base.time import moved
from core.web.csvfile import harmless
from tenants import service
from tests.core.web.backups.conftest import Place, words
from tests.web import PASSWORD, make_member, signed_in


def rows(place: Place, args: str = "") -> list[list[str]]:
    """Return the lines of the CSV without its head."""
    answer = place.get(f"/logs.csv{args}")
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff") and "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))[1:]


def test_every_act_is_listed(place: Place) -> None:
    """Made, downloaded, renamed, pinned, checked, refused, restored, deleted: the newest first, runs with steps and report."""
    place.post("/new", data={"name": "First"})
    place.work()
    backup = place.backups()[0].id
    place.get(f"/{backup}/download/config")
    place.post(f"/{backup}/rename", data={"name": "Second"})
    place.post(f"/{backup}/pin", data={"pinned": "1"})
    place.post(f"/{backup}/delete", data={"sure": "1"})
    place.post(f"/{backup}/pin", data={"pinned": "0"})
    place.post(f"/{backup}/check")
    place.work()
    place.post(f"/{backup}/delete", data={"sure": "1"})
    with as_tenant(place.organization_id):
        found = [(act.act, act.result) for act in reversed(acts_of(place.app_id))]
    assert [("backup", "asked"), ("backup", "done"), ("download", "done"), ("rename", "done"), ("pin", "done"), ("delete", "conflict"),
            ("unpin", "done"), ("check", "asked"), ("check", "done"), ("delete", "done")] == found
    shown = place.get("/logs").get_data(as_text=True)
    assert 4 == shown.count(">Details</a>") and "127.0.0.1" in shown and "Second" in shown
    assert 10 == len(rows(place))


def test_what_stands_in_one_cell_stands_apart(place: Place) -> None:
    """Also on a narrow screen, where one does not stand below the other."""
    backup = place.back_up(name="Gone")
    place.post(f"/{backup}/delete", data={"sure": "1"})
    shown = re.sub(r"<[^>]+>", "", place.get("/logs").get_data(as_text=True))
    assert re.search(r"\w 127\.0\.0\.1", shown) and "Gone Deleted" in shown and re.search(r"\w127\.0\.0\.1|GoneDeleted", shown) is None


def test_the_log_is_filtered_by_kind_person_and_day(place: Place) -> None:
    """Days are those of the organization's time zone, both ends included; together they narrow."""
    with as_tenant(place.organization_id), transaction():
        service.find_organization(place.organization_id).time_zone = "Pacific/Auckland"
    for n, (act, person) in enumerate([("pin", "system"), ("unpin", place.owner), ("pin", place.owner)]):
        with moved(86400 * n), as_tenant(place.organization_id):
            note(act, place.app_id, person, n=n)
    assert 2 == len(rows(place, "?act=pin")) and 1 == len(rows(place, "?person=system"))
    assert 1 == len(rows(place, f"?act=pin&person={place.owner}"))
    first = rows(place, "?person=system")[0][0]
    day = datetime.fromisoformat(first).astimezone(ZoneInfo("Pacific/Auckland")).date().isoformat()
    assert 1 == len(rows(place, f"?since={day}&until={day}")) and 3 == len(rows(place, f"?since={day}"))
    assert 1 == len(rows(place, f"?until={day}"))
    assert "No results" in place.text("/logs?until=1999-01-01")


@pytest.mark.parametrize("args", ["?since=yesterday", "?since=2026-13-01", "?until=9999-12-31", "?since=0001-01-01", "?before=x",
                                  "?before=" + "9" * 40, "?act=dance", "?person=" + "u" * 500])
def test_filters_that_make_no_sense_never_fail(place: Place, args: str) -> None:
    """What is wrong with a day is said beside it."""
    place.back_up()
    answer = place.get(f"/logs{args}")
    assert 200 == answer.status_code
    assert ("Enter a date as" in words(answer)) is (args in ("?since=yesterday", "?since=2026-13-01"))
    assert 200 == place.get(f"/logs.csv{args}").status_code


def test_a_long_log_has_pages(place: Place) -> None:
    """Each line on exactly one page; the filter goes along; the CSV has all of them."""
    with as_tenant(place.organization_id), transaction():
        for n in range(120):
            note("pin", place.app_id, place.owner, number=f"line {n}!")
        note("unpin", place.app_id, place.owner)
    seen, args = [], "?act=pin"
    while args:
        shown = place.get(f"/logs{args}").get_data(as_text=True)
        seen += [n for n in range(119, -1, -1) if f"line {n}!" in shown]  # no token of a form has a space
        older = shown.partition(">Older</a>")[0].rpartition('href="')[2].partition('"')[0] if ">Older</a>" in shown else ""
        args = "?" + older.partition("?")[2].replace("&amp;", "&") if older else ""
    assert list(range(119, -1, -1)) == seen
    assert 120 == len(rows(place, "?act=pin"))


def test_more_than_a_batch_comes_as_one_csv(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order, each line once."""
    monkeypatch.setattr("core.web.backups.logs.BATCH_ACTS", 7)
    with as_tenant(place.organization_id), transaction():
        for n in range(30):
            note("pin", place.app_id, place.owner, number=n)
    assert [f"number: {n}" for n in range(29, -1, -1)] == [row[8] for row in rows(place)]


@pytest.mark.parametrize("name", [
    "=1+1", "+SUM(A1)", "-2+3", "@cmd", "\tx", "\nx", "\rx", "\n=1+1", " =1+1", "\u00a0=1+1", "\u3000+1+1", "\u200b=1", "\ufeff@x", "\0=1",
    "＝1+1", "＋1", "－1", "＠x", "﹦1", "﹢1", "﹣1", "﹫x", " ＝1", "\u2212x", "\u2028=1", "-", "=", "--1", "-1.5.2", "-1e", "+1"])
def test_no_cell_of_the_csv_is_a_formula(place: Place, name: str) -> None:
    """What begins like one has a quote before it."""
    assert f"'{name}" == harmless(name) and 5 == harmless(5)
    if name.isprintable() and name == name.strip():
        place.post(f"/{place.back_up(name='x')}/rename", data={"name": name})
        cells = [cell for row in rows(place) for cell in row]
        assert f"'{name}" in cells and not any(cell[:1] in ("=", "+", "-", "@") for cell in cells)


def test_nobody_else_reads_the_log(place: Place) -> None:
    """A member of the app who is none of its admins gets 404 or 403; and the log of another app is another."""
    make_member(place.organization_id, "member@example.org")
    member = signed_in(place.server, "member@example.org")
    assert {404} == {member.get(f"{place.root}/logs{end}").status_code for end in ("", ".csv")}
    place.back_up()
    with as_tenant(place.organization_id), transaction():
        other = apps.create("Other", place.owner).id
    assert "No entries yet" in words(place.browser.get(place.root.replace(place.app_id, other) + "/logs"))


def test_a_refused_restore_is_in_the_log(place: Place) -> None:
    """With its code and sentence."""
    backup_id = place.back_up()
    place.post(f"/{backup_id}/restore", data={"asked": "1", "config": "1", "plan": "x", "answer": PASSWORD})
    assert "Plan changed" in place.text("/logs")


def test_a_time_in_a_reason_is_told_as_people_read_it(place: Place) -> None:
    """In the organization's time zone; not as programs write it, neither in the log nor where it is refused."""
    with as_tenant(place.organization_id), transaction():
        service.find_organization(place.organization_id).time_zone = "Pacific/Auckland"
        note("backup", place.app_id, place.owner, result="too_soon", reason="The next one can start at 2026-01-01T12:00:00Z.")
    shown = place.text("/logs")
    assert "The next one can start at 2 Jan 2026, 01:00:00 ." in shown and "T12:00:00Z" not in shown


def test_a_long_name_is_cut_on_the_screen_and_whole_in_the_page(place: Place) -> None:
    """All of it is in the title, and the cell can be reached by keyboard."""
    name = "x" * 120
    place.back_up(name=name)
    shown = place.get("/logs").text
    assert f'<a class="cut" title="{name}"' in shown
