"""References through a restore: every single one of a backup is there afterwards, or the report has it with its reason.

APPKEEP_TEST_REFERENCES says how many apps are damaged; a failing one names its seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.api import Document, apps, direct, documents, transaction
from plugins.worksheets import service
from plugins.worksheets.compute import Computation
from plugins.worksheets.query.sources import reader, record_views
from tenants import departments, members, org_roles
from tests.conftest import made_organization
from tests.plugins.worksheets import referring
from tests.plugins.worksheets.accountant import ASIDE, RESTORED
from tests.plugins.worksheets.referring import O1, O2, O3, PARTS, ROWS, SET, A, B, C, Referring, damaged, key, restored, to
from tests.web import make_member

SEEDS = {"sqlite": int(os.environ.get("APPKEEP_TEST_REFERENCES", "4")), "postgresql": 1}


def changed_fields(made: Referring, backup: str) -> None:
    """Values, choices, files, things of the organization and records of another app are changed or go."""
    made.put(A, 1, link=[3])
    made.put(A, 1, file=None)
    made.put(A, 2, rows=None)
    made.put(A, 3, rows=[2, 3])
    made.do({"op": "hide", "document": f"worksheet/{A}/field/{key('self')}"})
    made.change(A, "one", options={"choices": referring.choices(O1, O2)})
    made.change(A, "many", options={"choices": [{"key": one, "name": "Renamed"} for one in (O1, O2, O3)]})
    with transaction():
        documents.put(made.app, Document(kind="option_set", key=SET, body={"name": "Set", "choices": referring.choices(O2)}, position=0), "system")
        departments.remove(made.department.partition("/")[2])
        org_roles.remove(made.org_role.partition("/")[2])
        service.delete_record(apps.find(made.other_id), C, 2, "system")
        service.purge_record(apps.find(made.other_id), C, 2, "system")


def purged(made: Referring, backup: str) -> None:
    """A worksheet, a field, an option set and an app go for good; fields point elsewhere, or store nothing any more."""
    made.purge_document(f"worksheet/{B}")
    made.purge_document(f"worksheet/{A}/field/{key('way')}")
    made.purge_document(f"option_set/{SET}")
    made.change(A, "self", options=to(C))
    made.change(A, "free", type="formula", options={"expression": "1"})
    made.change(A, "file", type="text", options={})
    with transaction():
        apps.delete(apps.find(made.other_id))


def deleted(made: Referring, backup: str) -> None:
    """Records are deleted or purged, and so are parents of rows; a worksheet is deleted."""
    made.do({"op": "delete_record", "worksheet": C, "seq": 2})
    made.purge(C, 3)
    made.purge(A, 2)
    made.do({"op": "hide", "document": f"worksheet/{B}"})


def purged_of_another(made: Referring, backup: str) -> None:
    """Only one worksheet is restored, and not the one whose record went for good."""
    made.purge(B, 2)
    made.purge(A, 4)


def place(sheet: str, seq: int) -> str:
    """Return a record's address."""
    return f"worksheet/{sheet}/record/{seq}"


Entries = dict[str, tuple[str, int, str, str]]
CASES: tuple[tuple[Any, tuple[str, ...], Entries], ...] = (
    (changed_fields, (), {
        "the value was changed": (A, 1, "link", place(B, 1)),
        "a file was taken out of the record": (A, 1, "file", "{file}"),
        "a row was given to another parent": (A, 2, "rows", place(ROWS, 2)),
        "the field was deleted": (A, 2, "self", place(A, 1)),
        "a choice was deleted": (A, 2, "one", f"choice/{O3}"),
        "a choice was renamed": (A, 2, "many", f"choice/{O2}"),
        "a choice of an option set was deleted": (A, 2, "set", f"choice/{O1}"),
        "a department was removed": (A, 1, "dept", "{department}"),
        "an org role was removed": (A, 1, "role", "{org_role}"),
        "a record of another app was purged": (A, 1, "other", "app/{other}/" + place(C, 2)),
    }),
    (purged, (), {
        "the worksheet of the record was purged": (A, 1, "link", place(B, 1)),
        "the field was purged": (A, 1, "way", place(C, 1)),
        "an option set was purged": (A, 2, "set", f"choice/{O1}"),
        "the field points into another worksheet": (A, 2, "self", place(A, 1)),
        "the field is of a type that stores nothing": (A, 1, "free", place(C, 1)),
        "the field is of a type that does not fit": (A, 1, "file", "{file}"),
        "another app was deleted": (A, 1, "other", "app/{other}/" + place(C, 2)),
    }),
    (deleted, (), {
        "the record was deleted": (A, 1, "way", place(C, 2)),
        "the record was purged": (A, 3, "way", place(C, 4)),
        "the parent of rows was purged": (A, 2, "rows", place(ROWS, 2)),
        "the worksheet of the record was deleted": (A, 1, "link", place(B, 1)),
    }),
    (purged_of_another, (f"worksheet/{A}",), {
        "the record was purged, and its worksheet is not ticked": (A, 1, "link", place(B, 2)),
    }),
)
PAGE = Path(__file__).resolve().parents[3] / "docs/restoring-fields.md"


@pytest.mark.parametrize("case", range(len(CASES)))
def test_what_the_page_says_of_targets_is_so(server: Flask, organization: str, case: int) -> None:
    """Row by row of docs/restoring-fields.md, for data alone and for all; undone in between, everything is as it was before."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    made, (damage, only, entries) = referring.make(), CASES[case]
    backup, cells = direct.back_up(made.app).id, dict[str, list[str]]()
    damage(made, backup)
    before = direct.content_id(made.app)
    for config in (False, True):
        result, _, run = restored(made.app_id, backup, config=config, only=only)
        assert [] == result.wrong
        for name, entry in entries.items():
            cells.setdefault(name, []).append(outcome(made, entry, result.by_entry))
        direct.undo(made.app, run)
        assert before == direct.content_id(made.app)
    page = PAGE.read_text()
    missing = [row for name, said in cells.items() if (row := f"| {name} | {' | '.join(said)} |") not in page]
    assert not missing, "\n".join(["the page lacks", *missing])


def outcome(made: Referring, entry: tuple[str, int, str, str], by_entry: dict[Any, str]) -> str:
    """Return what became of a reference, as the page says it."""
    sheet, seq, word, target = entry
    file = f"file/{made.file['file']}"
    target = target.format(file=file, department=made.department, org_role=made.org_role, other=made.other_id)
    found = by_entry[sheet, seq, key(word), target]
    return {RESTORED: "restored", ASIDE: "kept in the bin, with the field"}.get(found, f"listed: {found}")


def test_whatever_was_damaged_every_reference_is_accounted_for(server: Flask, engine: str) -> None:
    """Some kinds of damage drawn by a seed, then the data restored, undone, and the whole restored: nothing is dropped in silence."""
    server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    for seed in range(SEEDS[engine]):
        with made_organization(f"References {seed}"):
            made = referring.make()
            backup = direct.back_up(made.app).id
            acts = damaged(made.app_id, seed)
            before = direct.content_id(made.app)
            for config in (False, True):
                result, _, run = restored(made.app_id, backup, config=config)
                assert [] == result.wrong, (seed, config, acts)
                assert result.total > 60
                direct.undo(made.app, run)
                assert before == direct.content_id(made.app), (seed, config, acts)


def test_a_record_is_deleted_although_the_worksheet_of_its_rows_was(made: Referring) -> None:
    """Rows that lie in the bin with their worksheet hold up nobody, and come back with their parent by a restore."""
    backup = direct.back_up(made.app).id
    made.do({"op": "hide", "document": f"worksheet/{ROWS}"}, {"op": "delete_record", "worksheet": A, "seq": 2})
    assert {} == made.vals(A, 2)
    result, _, _ = restored(made.app_id, backup, config=True)
    assert ([], [2]) == (result.wrong, made.vals(A, 2)["rows"])


@pytest.fixture
def made(sqlite_server: Flask) -> Iterator[Referring]:
    """An app with every kind of reference, on SQLite; backups may follow each other at once."""
    sqlite_server.extensions["appkeep"].config.values["backup_interval_s"] = 0
    with made_organization("References"):
        yield referring.make()


def listed(said: dict[str, Any], *words: str) -> set[tuple[str, int, str, str]]:
    """Return (worksheet, record, target, reason) of what is listed of fields called so."""
    return {(one["worksheet"], one["record"], one["target"], one["reason"]) for name in ("references_not_restored", "choices_not_there")
            for one in said.get(name, ()) if one["field"] in {key(word) for word in words}}


def kept_account(made: Referring, backup: str, *, config: bool = False, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Restore, have the accountant find nothing wrong, and return the report on worksheets."""
    result, said, _ = restored(made.app_id, backup, config=config, only=only)
    assert [] == result.wrong
    return said


def test_a_link_that_points_elsewhere_is_listed_although_its_numbers_are_the_same(made: Referring) -> None:
    """Record 1 of another worksheet is another record: nobody has touched a value, and all of them are told."""
    backup = direct.back_up(made.app).id
    made.change(B, "link", options=to(C))
    said = kept_account(made, backup)
    assert {(B, n, f"worksheet/{A}/record/{n % 4 + 1}", "the field points elsewhere now") for n in range(1, 5)} == listed(said, "link")
    assert not listed(kept_account(made, backup, config=True), "link")


def test_what_has_not_changed_is_told_where_its_target_has_gone(made: Referring) -> None:
    """In another app, in the organization, among the choices: the values stand as they were, though of two things one is gone."""
    with transaction():
        stays = f"department/{departments.add('Stays', None).id}"
    made.put(A, 1, dept=[{"org": made.department}, {"org": stays}])
    backup = direct.back_up(made.app).id
    with transaction():
        departments.remove(made.department.partition("/")[2])
        service.delete_record(apps.find(made.other_id), C, 2, "system")
        service.purge_record(apps.find(made.other_id), C, 2, "system")
    made.change(A, "one", options={"choices": referring.choices(O1, O2)})
    before = [made.vals(A, n) for n in range(1, 5)]
    said = kept_account(made, backup)
    assert {(A, n, made.department, "its target was deleted") for n in range(1, 5)} == listed(said, "dept")
    assert {(A, n, f"app/{made.other_id}/worksheet/{C}/record/2", "the record was deleted") for n in (1, 4)} == listed(said, "other")
    assert {(A, 2, f"choice/{O3}", "the choice was deleted; the value is kept")} == listed(said, "one")
    assert before == [made.vals(A, n) for n in range(1, 5)]


def others(made: Referring, sheet: str, word: str) -> dict[int, Any]:
    """Return what a computed field shows, by record."""
    computation, rows = Computation(reader(made.app, None), now=0), list(service.all_rows(made.app, sheet))
    views = record_views(rows)
    computation.load(f"worksheet/{sheet}", [key(word)], views)
    return {view.seq: computation.compute(f"worksheet/{sheet}", key(word), view) for view in views}


def both_sides(made: Referring) -> None:
    """Both sides of the two-way link say the same."""
    expected: dict[int, list[int]] = {}
    for seq in range(1, 5):
        for target in made.vals(A, seq).get("link", ()):
            expected.setdefault(target, []).append(seq)
    assert expected == {seq: sorted(found) for seq, found in others(made, B, "back").items() if found}


@pytest.mark.parametrize("sides", [(A,), (B,), (A, B)])
def test_both_sides_of_a_two_way_link_agree(made: Referring, sides: tuple[str, ...]) -> None:
    """Whichever side was purged, and both: every link is there again, and the side that is computed shows it."""
    backup = direct.back_up(made.app).id
    for sheet in sides:
        made.purge(sheet, 1, 2, 3)
    made.put(A, 4, link=None) if A not in sides else None
    said = kept_account(made, backup)
    assert not said.keys() & {"references_not_restored", "fields_left"}
    both_sides(made)
    assert [2, 3] == made.vals(A, 2)["link"]


def test_the_computed_side_follows_the_stored_one(made: Referring) -> None:
    """Gone, or with nothing to follow: the links are listed or restored by the side that stores them, and both agree once it is back."""
    backup = direct.back_up(made.app).id
    made.purge_document(f"worksheet/{B}/field/{key('back')}")
    made.change(A, "link", type="text", options={})
    said = kept_account(made, backup)
    assert 8 == len(listed(said, "link"))
    assert not listed(kept_account(made, backup, config=True), "link")
    both_sides(made)


def test_circles_come_back_whole(made: Referring) -> None:
    """Records that point to each other in a circle, to themselves and to their own kind, all of them purged."""
    backup = direct.back_up(made.app)
    for sheet in (A, B, C):
        made.purge(sheet, 1, 2, 3, 4)
    said = kept_account(made, backup.id)
    assert not said.keys() & {"references_not_restored", "choices_not_there"}
    assert ([1, 4], [2, 3], [3]) == (made.vals(A, 1)["self"], made.vals(A, 2)["link"], made.vals(B, 2)["link"])
    assert backup.content_id == direct.content_id(made.app)


@pytest.mark.parametrize("gone", ["deleted", "purged", "parts purged"])
def test_rows_come_back_with_their_parent(made: Referring, gone: str) -> None:
    """Rows, and rows of rows: those that went to the bin with their parent, and those that went for good."""
    backup = direct.back_up(made.app)
    made.do({"op": "delete_record", "worksheet": A, "seq": 1})
    assert [{}, {}] == [made.vals(ROWS, 1), made.vals(PARTS, 3)]
    if gone != "deleted":
        made.do({"op": "purge_record", "worksheet": A, "seq": 1}, *({"op": "purge_record", "worksheet": PARTS, "seq": n} for n in (1, 3)
                                                                    if gone == "parts purged"))
    kept_account(made, backup.id)
    assert ([1, 3], "part 3") == (made.vals(ROWS, 1)["parts"], made.vals(PARTS, 3)["name"])
    assert backup.content_id == direct.content_id(made.app)


def test_a_row_that_was_moved_has_one_parent_again(made: Referring) -> None:
    """The one that it had at the backup."""
    backup = direct.back_up(made.app).id
    made.put(A, 2, rows=None)
    made.put(A, 3, rows=[2, 3])
    kept_account(made, backup)
    assert ([2], [3]) == (made.vals(A, 2)["rows"], made.vals(A, 3)["rows"])


def test_members_are_restored_whoever_is_one_by_now(made: Referring) -> None:
    """Somebody who left the organization, and somebody who left and came back."""
    organization = made.app.organization_id
    people = [make_member(organization, f"{name}@example.org") for name in ("left", "back")]
    value = [{"org": f"user/{person}"} for person in people]
    made.put(A, 1, member=value)
    backup = direct.back_up(made.app).id
    with transaction():
        for person in people:
            members.remove(person, "owner", from_apps=False)
    make_member(organization, "back@example.org")
    made.put(A, 1, member=None)
    said = kept_account(made, backup)
    assert (value, set()) == (made.vals(A, 1)["member"], listed(said, "member"))


def test_what_waits_in_the_bin_is_told_where_its_target_has_gone(made: Referring) -> None:
    """The field is deleted, and the worksheet that it points into is purged: the value waits word for word, and points to nothing."""
    backup = direct.back_up(made.app).id
    made.do({"op": "hide", "document": f"worksheet/{A}/field/{key('way')}"})
    made.purge_document(f"worksheet/{C}")
    said = kept_account(made, backup)
    assert {(A, n, place(C, m), "the record was deleted") for n in range(1, 5) for m in (1, n + 1)} == listed(said, "way")


def test_a_converted_link_is_checked_too(made: Referring) -> None:
    """A subform now, of the same worksheet: what it points to is restored where it is there, and listed where not."""
    backup = direct.back_up(made.app).id
    made.change(A, "way", type="relationship", options=to(C))
    made.purge(C, 1)
    said = kept_account(made, backup, only=(f"worksheet/{A}",))
    assert {(A, n, place(C, 1), "the record was deleted") for n in range(1, 5)} == listed(said, "way")
    assert [[2], [3], [4], [5]] == [made.vals(A, n)["way"] for n in range(1, 5)]


def test_two_worksheets_may_have_a_field_of_the_same_key(made: Referring) -> None:
    """Each field has its own choices."""
    with transaction():
        for sheet, choice in (("w_Xxxxxxxxxx", O1), ("w_Yyyyyyyyyy", O2)):
            documents.put(made.app, referring.sheet(sheet, [referring.field("again", "single_select", choices=referring.choices(choice))]), "system")
            service.put_record(made.app, sheet, None, {key("again"): choice}, "system")
    backup = direct.back_up(made.app).id
    for sheet in ("w_Xxxxxxxxxx", "w_Yyyyyyyyyy"):
        made.put(sheet, 1, again=None)
    assert set() == listed(kept_account(made, backup), "again")
