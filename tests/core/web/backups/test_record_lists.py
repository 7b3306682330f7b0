"""Records by name: the lists of a plan, restoring single records, what they need, their versions, comparing two backups."""

from __future__ import annotations

import csv
import io
import re

from core.api import apps, as_tenant, direct, documents, transaction
from core.base.db import db
from core.runs.models import Run
from plugins.worksheets import service as worksheets
from plugins.worksheets.service import loads
from tests.core.web.backups.conftest import Place, words
from tests.core.web.backups.test_restore import form_of, started


class Records:
    """The records of one worksheet, by the names of its fields."""

    def __init__(self, place: Place, name: str) -> None:
        self.place = place
        with as_tenant(place.organization_id):
            self.document = next(d for d in documents.live(apps.find(place.app_id), "worksheet") if d.body["name"] == name)
        self.key = self.document.key
        self.fields = {f["name"]: f["key"] for f in self.document.body["fields"]}

    def get(self, seq: int) -> dict[str, object] | None:
        """Return a live record's values by field key; None where there is none."""
        with as_tenant(self.place.organization_id):
            row = worksheets.store_of(apps.find(self.place.app_id)).row(self.key, seq)
            db.session.rollback()
        return None if row is None or row.deleted_at is not None else loads(row.vals)

    def put(self, seq: int, **values: object) -> None:
        """Change values, named by their fields."""
        with as_tenant(self.place.organization_id), transaction():
            given = {self.fields[name.replace("_", " ")]: value for name, value in values.items()}
            worksheets.put_record(apps.find(self.place.app_id), self.key, seq, given, self.place.owner)

    def delete(self, seq: int, *, purge: bool = False) -> None:
        """Move a record to the bin, or remove it for good."""
        with as_tenant(self.place.organization_id), transaction():
            app = apps.find(self.place.app_id)
            worksheets.delete_record(app, self.key, seq, self.place.owner)
            if purge:
                worksheets.purge_record(app, self.key, seq, self.place.owner)


def names_on(page: str) -> list[str]:
    """Return what the records of a list are called, in their order."""
    return re.findall(r"<li class=\"card stack-s\">.*?<strong>(.*?)</strong>", page, re.DOTALL)


def test_a_plan_leads_to_its_records(place: Place) -> None:
    """The number of overwritten records is a link to their list: each by its name, with every value before and after."""
    companies = Records(place, "Companies")
    was = companies.get(1)
    assert was is not None
    backup_id = place.back_up()
    companies.put(1, Name="Changed & lost")
    companies.delete(2)
    page = place.get(f"/{backup_id}/restore").get_data(as_text=True)
    links = re.findall(r'href="([^"]*/restore/records/worksheets/[^"]*)"', page)
    assert 2 == len(links)
    lists = [place.browser.get(link.replace("&amp;", "&")) for link in links]
    told = {"show=brought_back" in link: words(answer) for link, answer in zip(links, lists, strict=True)}
    assert f"Name Changed &amp; lost → {was[companies.fields['Name']]}" in told[False]
    assert "#2" in told[True]
    assert "Nothing changes on this page." in told[True]


def test_a_list_is_searched_and_paged(place: Place) -> None:
    """A search looks at names and values on both sides; each page goes on where the one before ended, and none is told twice."""
    companies = Records(place, "Companies")
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        made = [worksheets.put_record(app, companies.key, None, {companies.fields["Name"]: f"Company {n}"}, place.owner) for n in range(120)]
    backup_id = place.back_up()
    for seq in made:
        companies.delete(seq)
    path = f"/{backup_id}/restore/records/worksheets/{companies.key}?asked=1&data=1&show=brought_back"
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = place.get(path + after).get_data(as_text=True)
        seen += names_on(page)
        found = re.search(r"after=(\d+)\">Next", page)
        after = f"&after={found[1]}" if found else ""
    assert [f"Company {n}" for n in range(120)] == seen
    found_by = [names_on(place.get(f"{path}&q={q}").get_data(as_text=True)) for q in ("company+7", "Y+107", "no+such")]
    assert [["Company 7", *(f"Company {n}" for n in range(70, 80))], ["Company 107"], []] == found_by


def test_a_list_is_a_file_too(place: Place) -> None:
    """As CSV: a line a value that differs, harmless to spreadsheets."""
    companies = Records(place, "Companies")
    companies.put(1, Name="=1+1")
    backup_id = place.back_up()
    companies.put(1, Name="Other")
    answer = place.get(f"/{backup_id}/restore/records/worksheets/{companies.key}/csv?asked=1&data=1&show=overwritten")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [["Record", "Name", "Field", "Before", "After"], ["1", "'=1+1", "Name", "Other", "'=1+1"]] == rows


def test_a_single_record_comes_back_alone(place: Place) -> None:
    """What is ticked on the list is restored, everything else stays; and the undo takes just that back."""
    companies = Records(place, "Companies")
    was = companies.get(1)
    backup_id = place.back_up()
    companies.put(1, Name="Wrong")
    companies.put(2, Name="Also wrong")
    args = f"?asked=1&data=1&some=1&safety=1&only=worksheet/{companies.key}/record/1"
    page = place.get(f"/{backup_id}/restore{args}").get_data(as_text=True)
    assert "Chosen one by one" in page
    assert 303 == started(place, backup_id, args).status_code
    assert ["succeeded"] == place.work()
    assert was == companies.get(1)
    other = companies.get(2)
    assert other is not None and "Also wrong" == other[companies.fields["Name"]]
    with as_tenant(place.organization_id):
        run = db.session.query(Run).filter_by(kind="restore").one().id
        direct.undo(apps.find(place.app_id), run)
    again = companies.get(1)
    assert again is not None and "Wrong" == again[companies.fields["Name"]]


def test_what_a_record_needs_is_offered_and_never_taken_in_silence(place: Place) -> None:
    """A contact whose company is gone for good: the company is offered. Without it the link stays empty, with it both are back."""
    companies, contacts = Records(place, "Companies"), Records(place, "Contacts")
    link = contacts.fields["Company"]
    seq = next(n for n in range(1, 50) if (vals := contacts.get(n)) is not None and vals.get(link))
    was = contacts.get(seq)
    assert was is not None
    company = was[link][0]  # type: ignore[index]
    backup_id = place.back_up()
    contacts.delete(seq)
    companies.delete(company, purge=True)
    args = f"?asked=1&data=1&some=1&safety=1&only=worksheet/{contacts.key}/record/{seq}"
    page = place.get(f"/{backup_id}/restore{args}")
    assert "The selected parts need more." in words(page)
    assert f"Record {company} of Companies" in words(page)
    form = form_of(page.get_data(as_text=True))
    assert "need" not in form  # nothing is ticked for anybody
    with as_tenant(place.organization_id):
        assert companies.get(company) is None
    args += f"&need=worksheet/{companies.key}/record/{company}"
    assert 303 == started(place, backup_id, args).status_code
    assert ["succeeded"] == place.work()
    assert was[link] == (contacts.get(seq) or {}).get(link)
    assert companies.get(company) is not None


def test_a_choice_comes_back_alone(place: Place) -> None:
    """A choice that was removed is offered with the record that has it, and comes back to its place; other edits stay."""
    deals = Records(place, "Deals")
    field = next(f for f in deals.document.body["fields"] if f["type"] == "single_select" and f["options"].get("choices"))
    seq = next(n for n in range(1, 60) if (vals := deals.get(n)) is not None and vals.get(field["key"]))
    choice = (deals.get(seq) or {})[field["key"]]
    backup_id = place.back_up()
    with as_tenant(place.organization_id), transaction():
        app = apps.find(place.app_id)
        body = {**deals.document.body, "name": "Sales", "fields": [
            f if f["key"] != field["key"] else {**f, "options": {"choices": [c for c in f["options"]["choices"] if c["key"] != choice]}}
            for f in deals.document.body["fields"]]}
        documents.put(app, type(deals.document)(kind="worksheet", key=deals.key, body=body, position=deals.document.position), place.owner)
    deals.delete(seq)
    args = f"?asked=1&data=1&some=1&safety=1&only=worksheet/{deals.key}/record/{seq}"
    offered = words(place.get(f"/{backup_id}/restore{args}"))
    name = next(c["name"] for c in field["options"]["choices"] if c["key"] == choice)
    assert f"Choice {name} of Deals" in offered
    assert 303 == started(place, backup_id, args + f"&need=worksheet/{deals.key}/choice/{choice}").status_code
    assert ["succeeded"] == place.work()
    with as_tenant(place.organization_id):
        after = documents.get(apps.find(place.app_id), f"worksheet/{deals.key}")
    assert "Sales" == after.body["name"]
    assert field == next(f for f in after.body["fields"] if f["key"] == field["key"])
    assert choice == (deals.get(seq) or {})[field["key"]]


def test_a_records_page_leads_to_its_versions_in_backups(place: Place) -> None:
    """Each backup that has it says what would change; a version like today's offers nothing; a deleted record is found as well."""
    place.server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    companies = Records(place, "Companies")
    first = place.back_up(name="First")
    companies.put(1, Name="Second name")
    place.back_up(name="Second")
    record = place.browser.get(f"/o/{place.organization_id}/apps/{place.app_id}/worksheet/{companies.key}/record/1")
    link = re.search(r'href="([^"]*)">Versions in backups', record.get_data(as_text=True))
    assert link is not None
    page = place.browser.get(link[1])
    assert "Second" in words(page) and "The same as now." in words(page)
    assert 1 == page.get_data(as_text=True).count("Restore this version")
    assert f"/{first}/restore?" in page.get_data(as_text=True)
    companies.delete(1, purge=True)
    assert "This record was deleted. You can restore it from a backup." in words(place.browser.get(link[1]))
    assert 404 == place.get(f"/records/worksheet/{companies.key}/99999").status_code
    assert 404 == place.get("/records/worksheet/w_9999999999/1").status_code


def test_two_backups_are_compared(place: Place) -> None:
    """Documents and records that were added, changed and removed from one to the other, each record by name; and with now."""
    place.server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    companies = Records(place, "Companies")
    first = place.back_up()
    companies.put(1, Name="Renamed")
    companies.delete(2)
    place.change()
    second = place.back_up()
    companies.put(1, Name="Renamed again")
    page = place.get(f"/{first}/compare?with={second}", follow_redirects=True)
    assert "name Companies → Firms" in words(page)
    row = re.search(r"<tr><th scope=\"row\">Firms</th>(.*?)</tr>", page.get_data(as_text=True))
    assert row is not None
    assert ["0", "1", "1"] == re.findall(r">(\d+)<", row[1])
    changed = words(place.get(f"/{first}/compare/{second}/records/worksheets/{companies.key}?show=changed"))
    assert "Changed &amp; lost" in changed or "Renamed" in changed
    now = words(place.get(f"/{second}/compare/app/records/worksheets/{companies.key}?show=changed"))
    assert "Renamed again" in now
    assert "No differences" in words(place.get(f"/{second}/compare/{second}"))


def test_hostile_addresses_of_lists_open_nothing(place: Place) -> None:
    """Whatever stands in the address, there is no list or a list of nothing, and no error of the server."""
    companies, backup_id = Records(place, "Companies"), place.back_up()
    for path in ("worksheets/w_9999999999", "nothing/x", "pages/p_1", "worksheets/%00", f"worksheets/{companies.key}/csv?show=x"):
        assert place.get(f"/{backup_id}/restore/records/{path}").status_code in (400, 404), path
    for args in ("asked=1&data=1&show=nonsense", "asked=1&data=1&after=99999999999999999999", "asked=1", f"asked=1&data=1&q={'x' * 5000}",
                 "asked=1&data=1&some=1&only=worksheet/../record/1", "asked=1&data=1&some=1&only=worksheet/w_1/record/0"):
        assert place.get(f"/{backup_id}/restore/records/worksheets/{companies.key}?{args}").status_code < 500, args




def test_a_browsed_record_leads_to_its_own_restore(place: Place) -> None:
    """While browsing a backup, what is looked at can be restored alone: the record, the worksheet, the page; and it is what is chosen."""
    companies, backup_id = Records(place, "Companies"), place.back_up()
    companies.put(1, Name="Changed")
    browse = f"/o/{place.organization_id}/apps/{place.app_id}/backups/{backup_id}/browse"
    contents = place.browser.get(f"{place.root}/{backup_id}", follow_redirects=True).get_data(as_text=True)
    found = re.search(r'href="([^"]*/browse/contents[^"]*)"', contents)
    browse = found[1].rpartition("/contents")[0] if found else browse
    for path, words_of_it in ((f"worksheet/{companies.key}/record/1", "Companies: "), (f"worksheet/{companies.key}", "selected")):
        page = place.browser.get(f"{browse}/{path}").get_data(as_text=True)
        link = re.search(r'href="([^"]*)">Restore only this (?:record|worksheet)', page)
        assert link is not None, path
        plan = words(place.browser.get(link[1].replace("&amp;", "&")))
        assert "To overwrite" in plan and ("1 chosen part" in plan), words_of_it
