"""The page of a record's history: what happened in words, as far as one may read it; versions brought back with one click, and undone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.api import Document, as_tenant, direct, documents, transaction
from plugins.worksheets import record_bin, service
from plugins.worksheets.history_log import BLOCK, MOST_VALUE_BYTES
from plugins.worksheets.history_versions import entries
from plugins.worksheets.web.editors import digest
from plugins.worksheets.web.history import PAGE
from tests.plugins.worksheets.web.making import BLUE, PEOPLE, RED, SHEET, Desk, key_of, rights
from tests.web import Browser

TEXT = key_of("f", "text")


def page(desk: Desk, seq: int = 1, browser: Browser | None = None, sheet: str = SHEET, query: str = "") -> str:
    """Return the page of a record's history, with one space where it has several and without marks."""
    html = (browser or desk.owner).get(desk.url(f"/record/{seq}/history{query}", sheet)).get_data(as_text=True)
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<h1>")[2]).split())


def ids(desk: Desk, seq: int = 1, sheet: str = SHEET) -> list[int]:
    """Return the entries of a record, newest first."""
    with as_tenant(desk.organization_id):
        return [one.id for one in entries(desk.app, sheet, seq)]


def bring_back(desk: Desk, entry: int, seq: int = 1, browser: Browser | None = None, sheet: str = SHEET, **data: Any) -> str:
    """Press the button of a version and return the page to which that leads, without marks."""
    answer = (browser or desk.owner).post(desk.url(f"/record/{seq}/history/{entry}/bring-back", sheet), data=data, follow_redirects=True)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


def test_every_type_of_field_is_told_as_people_see_it(desk: Desk) -> None:
    """By the names of choices, links and people; before and after; nothing in the form in which it is stored."""
    desk.put(PEOPLE, name="Ada")
    desk.put(text="Old words", single_select=RED, number=1)
    desk.put(seq=1, text="New <words>", single_select=BLUE, multiple_select=[RED], number=2500, date="2026-01-02", link=[1],
             checkbox=True, duration=3600, long_text="Line one\nLine two", region=["Berlin"], person="system")
    html = desk.owner.get(desk.url("/record/1/history")).get_data(as_text=True)
    found = page(desk)
    assert "New &lt;words&gt;" in html and "<words>" not in html
    for told in ("Old words → changed to New", "Red → changed to Blue", "empty → changed to Ada", "Line one Line two", "2,500"):
        assert told in found, told
    assert "Created" in found and "Changed" in found and "Appkeep" in found
    assert not re.search(r"\b[fow]_[A-Za-z0-9]{10}\b", found) and "{" not in found
    assert f'href="{desk.url("/record/1/history")}"' in desk.owner.get(desk.url("/record/1")).get_data(as_text=True)


def test_a_version_is_brought_back_with_one_click_and_that_is_undone(desk: Desk) -> None:
    """The record is as it was, an entry says so, and Undo takes it back."""
    desk.put(PEOPLE, name="Ada")
    desk.put(text="One", number=1, single_select=RED)
    was = desk.vals(1)
    desk.put(seq=1, text="Two", number=None, single_select=BLUE, link=[1])
    then = desk.vals(1)

    said = bring_back(desk, ids(desk)[-1])
    assert desk.vals(1) == was and "The version is back. Undo" in said and "Brought back the version of" in said
    assert "The version is back" not in page(desk)

    assert "Undid bringing back the version of" in bring_back(desk, ids(desk)[0], undo="1")
    assert desk.vals(1) == then


def test_an_undo_is_refused_once_somebody_changed_the_record(desk: Desk) -> None:
    """What they wrote stays."""
    desk.put(text="One")
    desk.put(seq=1, text="Two")
    bring_back(desk, ids(desk)[-1])
    entry = ids(desk)[0]
    desk.put(seq=1, number=7)
    assert "Somebody changed this record since. Nothing was undone." in bring_back(desk, entry, undo="1")
    assert (desk.value(1, "text"), desk.value(1, "number")) == ("One", 7)


def test_auto_numbers_and_computed_fields_stay(desk: Desk) -> None:
    """A version is of what is entered; who made the record and its number are no part of it."""
    desk.put(text="One", number=2)
    number = desk.value(1, "autonumber")
    desk.put(seq=1, number=3)
    bring_back(desk, ids(desk)[-1])
    assert (desk.value(1, "autonumber"), desk.value(1, "number")) == (number, 2)


def test_what_cannot_be_as_it_was_is_told(desk: Desk) -> None:
    """A link to a record that is gone stays as it is now; the rest comes back."""
    for name in ("Ada", "Bob"):
        desk.put(PEOPLE, name=name)
    desk.put(text="One", link=[1])
    desk.put(seq=1, text="Two", link=[2])
    desk.owner.post(desk.url("/record/1/delete", PEOPLE))
    said = bring_back(desk, ids(desk)[-1])
    assert "“link” stays as it is: what it pointed to was deleted" in said
    assert (desk.value(1, "text"), desk.value(1, "link")) == ("One", [2])


def test_what_the_worksheet_refuses_is_refused_in_words(desk: Desk) -> None:
    """A value that must be unique and that another record has by now; nothing is written."""
    desk.put(text="One", email="a@example.org")
    desk.put(seq=1, email="b@example.org", text="Two")
    desk.put(text="Other", email="a@example.org")
    assert "must be unique" in bring_back(desk, ids(desk)[-1])
    assert desk.value(1, "text") == "Two"
    assert "already as it was then" in bring_back(desk, ids(desk)[0])


def test_a_field_that_became_required_is_asked_for(desk: Desk) -> None:
    """A version without it is refused."""
    desk.put(text="One")
    desk.put(seq=1, phone="+49 1")
    with as_tenant(desk.organization_id), transaction():
        body = documents.get(desk.app, f"worksheet/{SHEET}").body
        fields = [{**one, "required": True} if one["key"] == key_of("f", "phone") else one for one in body["fields"]]
        documents.put(desk.app, Document(kind="worksheet", key=SHEET, body={**body, "fields": fields}, position=2), "system")
    assert "required" in bring_back(desk, ids(desk)[-1])
    assert desk.value(1, "phone") == "+49 1"


def test_fields_that_one_may_not_read_are_not_there(desk: Desk) -> None:
    """Not their names, not their values, and no entry that has nothing else; what is brought back leaves them as they are."""
    desk.put(text="One", secret="Hidden one")
    desk.put(seq=1, secret="Hidden two")
    desk.put(seq=1, text="Two", secret="Hidden three")
    browser, _ = desk.person_with("some@example.org", rights(update="all", fields=[
        {"field": {"ref": f"worksheet/{SHEET}/field/{key_of('f', 'secret')}"}, "read": False, "write": False}]))
    found = page(desk, browser=browser)
    assert "Hidden" not in found and "secret" not in found and found.count("Changed") == 1
    bring_back(desk, ids(desk)[-1], browser=browser)
    assert (desk.value(1, "text"), desk.value(1, "secret")) == ("One", "Hidden three")


def test_a_deleted_field_is_told_to_those_who_manage_the_app(desk: Desk) -> None:
    """By its last known name; others see nothing of it."""
    desk.put(text="One", phone="+49 30 1")
    desk.put(seq=1, phone="+49 30 2")
    browser, _ = desk.person_with("some@example.org", rights())
    with as_tenant(desk.organization_id), transaction():
        documents.hide(desk.app, f"worksheet/{SHEET}/field/{key_of('f', 'phone')}", "system")
    assert "phone +49 30 1 → changed to +49 30 2" in page(desk)
    assert "phone" not in page(desk, browser=browser) and "Changed" not in page(desk, browser=browser)


def test_what_a_record_was_before_it_was_theirs_is_not_told(desk: Desk) -> None:
    """Whoever may read their own records only sees the entries between which the record was theirs, and brings back nothing older."""
    browser, person = desk.person_with("own@example.org", rights(read="own", update="own"))
    mine = [{"org": f"user/{person}"}]
    desk.put(text="Sensitive", number=1)
    desk.put(seq=1, text="Still sensitive")
    desk.put(seq=1, member=mine, text="Handed over")
    desk.put(seq=1, text="Mine by now")
    desk.put(seq=1, text="Finished")
    found = page(desk, browser=browser)
    assert "ensitive" not in found and "Handed over → changed to Mine by now" in found
    assert "Changes from before you had access to this record are not shown." in found
    handed, first = ids(desk)[2], ids(desk)[-1]
    for entry in (handed, first):
        assert browser.post(desk.url(f"/record/1/history/{entry}/bring-back")).status_code == 404
    bring_back(desk, ids(desk)[1], browser=browser)
    assert desk.value(1, "text") == "Mine by now"

    desk.put(text="Made by them", person=person)
    assert "not shown" not in page(desk, 2, browser=browser) and "Created" in page(desk, 2, browser=browser)


def test_who_may_not_change_a_record_is_offered_nothing(desk: Desk) -> None:
    """They read its history; a version they post for all the same is refused."""
    desk.put(text="One")
    desk.put(seq=1, text="Two")
    browser, _ = desk.person_with("reader@example.org", rights())
    assert "One → changed to Two" in page(desk, browser=browser) and "Bring back" not in page(desk, browser=browser)
    assert browser.post(desk.url(f"/record/1/history/{ids(desk)[-1]}/bring-back")).status_code == 403
    assert desk.value(1, "text") == "Two"


def test_a_version_that_was_not_kept_whole_says_why(desk: Desk) -> None:
    """An act on many records without values lies between, or a value that was too long; there is no button, and a post is refused."""
    desk.put(text="One", long_text="x" * (MOST_VALUE_BYTES + 9))
    desk.put(seq=1, text="Two", long_text=None)
    desk.put(seq=1, text="Three")
    assert "too long to keep → changed to empty" in page(desk)
    assert "Cannot be brought back whole: “long_text” was too long to keep." in page(desk)
    assert "was too long to keep" in bring_back(desk, ids(desk)[-1])
    assert desk.value(1, "text") == "Three"


def test_a_record_in_the_bin_shows_its_history_to_who_sees_the_bin(desk: Desk) -> None:
    """From where it is restored; no version is offered before."""
    desk.put(text="One")
    desk.put(seq=1, text="Two")
    browser, _ = desk.person_with("reader@example.org", rights())
    desk.owner.post(desk.url("/record/1/delete"))
    found = page(desk)
    assert "Moved to the recycle bin" in found and "One → changed to Two" in found and "Bring back this version" not in found
    assert browser.get(desk.url("/record/1/history")).status_code == 404
    assert f'href="{desk.url("/record/1/history")}"' in desk.owner.get(desk.url("/bin")).get_data(as_text=True)
    assert desk.owner.post(desk.url(f"/record/1/history/{ids(desk)[-1]}/bring-back")).status_code == 404


def test_a_long_history_has_pages(desk: Desk) -> None:
    """Each entry is on one of them, newest first."""
    desk.put(text="Start")
    for n in range(2 * PAGE):
        desk.put(seq=1, number=n)
    first = desk.owner.get(desk.url("/record/1/history")).get_data(as_text=True)
    shown, html = re.findall(r'id="entry-(\d+)"', first), first
    while (more := re.search(r'rel="next" href="([^"]+)"', html)) is not None:
        html = desk.owner.get(more[1]).get_data(as_text=True)
        shown += re.findall(r'id="entry-(\d+)"', html)
    assert shown == [str(one) for one in ids(desk)] and len(shown) == 2 * PAGE + 1
    assert desk.owner.get(desk.url("/record/1/history?before=x")).status_code == 200


@pytest.mark.parametrize("way", ["form", "cell", "bulk delete", "button", "form view", "board"])
def test_each_way_of_a_page_leaves_an_entry_of_whoever_goes_it(desk: Desk, way: str) -> None:
    """By hand, with their name."""
    number = key_of("f", "number")
    browser, person = desk.person_with("some@example.org", rights(update="all", delete="all", create=True))
    desk.put(text="One", number=1)
    change = {f"was-{number}": digest(1), number: "5"}
    seq = 1
    match way:
        case "form":
            browser.post(desk.url("/record/1/edit"), data=change)
        case "cell":
            browser.post(desk.url(f"/record/1/cell/{number}"), data=change)
        case "bulk delete":
            browser.post(desk.url("/delete"), data={"seq": ["1"]})
        case "button":
            browser.post(desk.url("/record/1/button/b_Button1111"))
        case "form view":
            browser.post(desk.url("/new?view=v_Form111111"), data={f"was-{TEXT}": "", TEXT: "New", f"was-{number}": "", number: "3"})
            seq = 2
        case "board":
            select = key_of("f", "single_select")
            browser.post(desk.url(f"/record/1/move/{select}"), data={f"was-{select}": digest(None), select: RED})
    with as_tenant(desk.organization_id):
        newest = next(entries(desk.app, SHEET, seq))
    assert (newest.by, newest.how) == (person, "")
    assert "some" in page(desk, seq)


def test_the_bin_says_who_deleted_what_and_which_backups_have_it(desk: Desk) -> None:
    """Newest first; of backups to those who may see them."""
    for text in ("One", "Two", "Three"):
        desk.put(text=text)
    with as_tenant(desk.organization_id):
        direct.back_up(desk.app)
    desk.put(text="Since")
    browser, _ = desk.person_with("some@example.org", rights(delete="all"))
    browser.post(desk.url("/record/2/delete"))
    desk.owner.post(desk.url("/record/4/delete"))
    desk.owner.post(desk.url("/record/1/delete"))
    html = desk.owner.get(desk.url("/bin")).get_data(as_text=True)
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr><td>.*?</tr>", html, re.DOTALL)]
    assert [row.split()[0] for row in rows] == ["One", "Since", "Two"]
    assert "In 1 backup , of" in rows[0] and "In none" in rows[1] and "some" in rows[2]
    assert "/manage/backups/b_" in html
    assert "backup" not in browser.get(desk.url("/bin")).get_data(as_text=True).partition("<h1>")[2].lower()


def test_a_bin_of_many_pages_is_walked_both_ways(desk: Desk) -> None:
    """By when records were deleted, also where several were at the same moment; each once."""
    with as_tenant(desk.organization_id), transaction():
        service.put_records(desk.app, SHEET, [{"values": {TEXT: f"Thing {n}"}} for n in range(120)], "system")
        store = service.store_of(desk.app)
        for n in range(1, 121):
            store.set_deleted(SHEET, [n], 1_000_000 + (n * 7) % 40)
    seen, url = [], desk.url("/bin")
    pages = 0
    while url:
        html = desk.owner.get(url).get_data(as_text=True)
        seen += [int(one) for one in re.findall(r'name="seq" value="(\d+)"', html)]
        more, back = re.search(r'rel="next" href="([^"]+)"', html), re.search(r'rel="prev" href="([^"]+)"', html)
        pages += 1
        assert (back is None) is (pages == 1)
        last, url = url, more[1].replace("&amp;", "&") if more else ""
    assert pages == 3 and sorted(seen) == list(range(1, 121))
    assert seen == sorted(seen, key=lambda n: (-((n * 7) % 40), -n))
    html = desk.owner.get(last).get_data(as_text=True)
    previous = re.search(r'rel="prev" href="([^"]+)"', html)
    assert previous is not None
    again = desk.owner.get(previous[1].replace("&amp;", "&")).get_data(as_text=True)
    assert [int(one) for one in re.findall(r'name="seq" value="(\d+)"', again)] == seen[50:100]
    assert "Not known" in again


def test_a_bin_that_is_looked_through_in_parts_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may read few of many deleted records: each page says that there may be more, and leads on to all of theirs."""
    monkeypatch.setattr(record_bin, "LOOK_ROWS", 10)
    monkeypatch.setattr(record_bin, "AT_ONCE", 5)
    browser, person = desk.person_with("own@example.org", rights(read="own", delete="own"))
    for n in range(32):
        desk.put(text=f"Thing {n}", person=person if n in (2, 3, 30) else "system")
    with as_tenant(desk.organization_id), transaction():
        for n in range(1, 33):
            service.store_of(desk.app).set_deleted(SHEET, [n], 1_000_000 + n)
    seen, url = [], desk.url("/bin")
    while url:
        html = browser.get(url).get_data(as_text=True)
        seen += [int(one) for one in re.findall(r'name="seq" value="(\d+)"', html)]
        assert "The recycle bin is empty" not in html
        more = re.search(r'rel="next" href="([^"]+)"', html)
        url = more[1].replace("&amp;", "&") if more else ""
    assert seen == [31, 4, 3]


def test_numbers_beside_a_range_are_not_in_it(desk: Desk) -> None:
    """A record at the bound of a block shows what happened to it, and to it alone."""
    with as_tenant(desk.organization_id), transaction():
        service.put_records(desk.app, SHEET, [{"seq": n, "values": {TEXT: "x"}} for n in (BLOCK - 1, BLOCK)], "system")
    assert "Created" in page(desk, BLOCK - 1) and "Created" in page(desk, BLOCK)
