"""A record by its number: created, read, changed, deleted, brought back; and nothing overwritten unseen."""

from __future__ import annotations

from tests.plugins.worksheets.http_api.conftest import PEOPLE, ROWS, SHEET, Desk, Records, edit_sheet, named, records_of
from tests.plugins.worksheets.web.making import RED, field, field_ref, key_of


def test_a_record_lives(both: Records) -> None:
    """Created, read as it was answered, changed in part, emptied in part, deleted, brought back."""
    made = both.make(text="A", number=2, single_select=RED, date="2026-11-23")
    assert named({"text": "A", "number": 2, "single_select": RED, "date": "2026-11-23", "autonumber": 1}) == made["values"]
    assert (4, made["created_at"]) == (made["computed"][key_of("f", "double")], made["computed"][key_of("f", "created_time")])
    assert made == both.get(made["number"])
    changed = both.change(made["number"], number=3, date=None)
    assert named({"text": "A", "number": 3, "single_select": RED, "autonumber": 1}) == changed["values"]
    assert made["etag"] != changed["etag"] and made["created_at"] == changed["created_at"] < changed["updated_at"]
    both.program.send("DELETE", f"{both.url}/{made['number']}", status=204)
    assert 404 == both.refused(made["number"])
    assert [made["number"]] == both.numbers(deleted="true")
    assert changed == both.program.send("POST", f"{both.url}/{made['number']}/restore", status=200)
    assert [made["number"]] == both.numbers() and [] == both.numbers(deleted="true")


def test_creating_says_where_the_record_is(owner: Records) -> None:
    """With its state, as reading it does."""
    answer = owner.program.ask("POST", owner.url, json={"values": named({"text": "A"})})
    assert (201, f"/api/v1{owner.url}/1", f'"{answer.get_json()["etag"]}"') == (
        answer.status_code, answer.headers["Location"], answer.headers["ETag"])


def test_two_writers_do_not_overwrite_each_other_unseen(owner: Records) -> None:
    """Who read the record before the other changed it is told so, and changes or deletes nothing."""
    seen = owner.make(text="A")["etag"]
    owner.change(1, match=seen, text="first")
    for method in ("PATCH", "DELETE"):
        refused = owner.program.send(method, f"{owner.url}/1", {"values": named({"text": "second"})} if method == "PATCH" else None,
                                     status=412, If_Match=f'"{seen}"')
        assert ("precondition_failed", owner.get(1)["etag"]) == (refused["code"], refused["etag"])
    assert "first" == owner.get(1)["values"][key_of("f", "text")]
    owner.program.send("DELETE", f"{owner.url}/1", status=204, If_Match=f'"{owner.get(1)["etag"]}"')


def test_writing_what_is_there_changes_nothing(owner: Records) -> None:
    """Nor does it make the record look changed."""
    made = owner.make(text="A", number=1)
    assert made == owner.change(1, match=made["etag"], text="A", number=1)


def test_what_is_computed_is_never_answered_as_unchanged(desk: Desk, owner: Records) -> None:
    """It may be another one with the record the same; where nothing is computed, 304 saves the answer."""
    owner.make(text="A")
    etag = f'"{owner.get(1)["etag"]}"'
    assert 200 == owner.program.ask("GET", f"{owner.url}/1", headers={"If-None-Match": etag}).status_code
    people = records_of(desk, sheet=PEOPLE)
    people.make(name="Ann")
    answer = people.program.ask("GET", f"{people.url}/1", headers={"If-None-Match": f'"{people.get(1)["etag"]}"'})
    assert (304, b"") == (answer.status_code, answer.data)


def test_a_new_record_has_the_defaults_of_what_is_not_named(desk: Desk, owner: Records) -> None:
    """As a form would have; who says null wants none."""
    edit_sheet(desk, fields=[field("text", default="Hello"), field("number", default=7)])
    assert named({"text": "Hello", "number": 7}) == owner.make()["values"]
    assert named({"number": 1}) == owner.make(text=None, number=1)["values"]


def test_the_rules_of_a_worksheet_hold(desk: Desk, owner: Records) -> None:
    """Required, unique, the auto-number that is given, and what the admin's rules ask for and set."""
    assert "required" in owner.make(422)["detail"]
    owner.make(text="A", email="a@example.org")
    assert "unique" in owner.make(422, text="B", email="a@example.org")["detail"]
    assert key_of("f", "autonumber") == owner.make(403, text="B", autonumber=7)["field"]
    rule = {"key": "k_RuLe111111", "name": "Big", "when": {"field": field_ref(SHEET, "number"), "operator": "greater", "value": 10}, "then": [
        {"do": "require", "field": field_ref(SHEET, "phone"), "message": "Whom do we call?"},
        {"do": "set", "field": field_ref(SHEET, "checkbox"), "value": True}]}
    edit_sheet(desk, rules=[rule])
    refused = owner.make(422, text="B", number=11)
    assert ("rule_broken", {key_of("f", "phone"): "Whom do we call?"}) == (refused["code"], refused["fields"])
    assert owner.make(text="B", number=11, phone="123")["values"][key_of("f", "checkbox")]


def test_rows_of_a_subform_are_added_by_themselves(desk: Desk, owner: Records) -> None:
    """A row is made and belongs to its record from then on; no other record is made a row, which could be deleted with its new owner."""
    owner.make(text="A")
    rows, field_key = records_of(desk, sheet=ROWS), key_of("f", "rows")
    made = owner.program.send("POST", f"{owner.url}/1/rows/{field_key}", {"values": named({"what": "Nails", "pieces": 3})}, status=201)
    assert (rows.get(1), [1]) == (made, owner.get(1)["values"][field_key])
    rows.make(what="Not mine")
    assert "rows" in owner.change(1, 403, rows=[1, 2])["detail"]
    owner.program.send("POST", f"{owner.url}/1/rows/{key_of('f', 'text')}", {"values": {}}, status=404)
    owner.program.send("POST", f"{owner.url}/1/rows/{field_key}", {"values": named({"what": 3})}, status=422)
    assert [1] == owner.get(1)["values"][field_key]


def test_the_way_through_a_tree_is_found(desk: Desk, owner: Records) -> None:
    """Who names the last record names all; a way that is none is refused."""
    people = records_of(desk, sheet=PEOPLE)
    people.make(name="Top")
    people.make(name="Below", boss=[1])
    people.make(name="Lowest", boss=[2])
    assert [1, 2, 3] == owner.make(text="A", way=[3])["values"][key_of("f", "way")]
    assert [1, 2] == owner.change(1, way=[1, 2])["values"][key_of("f", "way")]
    assert key_of("f", "way") == owner.change(1, 422, way=[2, 3])["field"]


def test_worksheets_are_told_with_fields_and_views(desk: Desk, owner: Records) -> None:
    """Choices with their names, what may be written, what is computed."""
    listed = owner.program.get(f"{owner.app}/worksheets")["items"]
    assert {"worksheet": SHEET, "name": "Things", "may_create": True} in listed
    found = owner.program.get(f"{owner.app}/worksheets/{SHEET}")
    fields = {one["key"]: one for one in found["fields"]}
    assert [("Red", RED)] == [(one["name"], one["key"]) for one in fields[key_of("f", "single_select")]["choices"]][:1]
    told = {word: (fields[key_of("f", word)]["writable"], fields[key_of("f", word)]["computed"]) for word in ("text", "double", "autonumber")}
    assert {"text": (True, False), "double": (False, True), "autonumber": (False, False)} == told
    assert (True, False) == (fields[key_of("f", "text")]["required"], fields[key_of("f", "number")]["required"])
    assert key_of("f", "hint") not in fields
    assert ("v_ALL1111111", "All", "grid") == tuple(found["views"][0][name] for name in ("key", "name", "type"))


def test_the_bin_is_walked(owner: Records) -> None:
    """The last deleted first, each once."""
    for n in range(7):
        owner.make(text=str(n))
    owner.batch(delete=[{"number": n} for n in range(1, 8)])
    assert sorted(range(1, 8)) == sorted(walked := owner.walk(deleted="true", limit=3)) and 7 == len(walked)
    assert 422 == owner.ask(deleted="true", search="x").status_code
    assert 422 == owner.ask(deleted="true", cursor="bad").status_code
