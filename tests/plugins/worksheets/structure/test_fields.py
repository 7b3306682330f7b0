"""Fields: chosen by type, made and changed in forms, each mistake beside what it is about."""

from __future__ import annotations

import pytest

from core.api import as_tenant, documents, placing, server, transaction
from plugins.worksheets.service import store_of
from plugins.worksheets.structure import field_type_menu
from plugins.worksheets.structure.field_form import COLOURS
from tests.forms import untouched
from tests.plugins.worksheets.structure.building import Site, why
from tests.plugins.worksheets.web.making import RED, SHEET, Desk, key_of

NEEDING = {"relationship", "subform", "cascading_select", "formula", "text_combination", "lookup", "rollup", "count", "embed",
           "currency"}
"""Types that cannot be made of a name alone; each has a test of its own, or its options are filled beforehand."""


def test_a_new_worksheet_can_be_used_at_once(site: Site) -> None:
    """It has a field that names its records and a grid, and its page says what to do next."""
    key = site.new_worksheet("Customers")
    body = site.body(key)
    assert [("Name", "text")] == [(one["name"], one["type"]) for one in body["fields"]]
    assert ["grid"] == [one["type"] for one in body["views"]]
    assert "Now add its fields" in site.admin.get(site.structure(key)).get_data(as_text=True)


def test_a_worksheet_without_a_name_is_refused_beside_the_name(site: Site) -> None:
    """Nothing is made, and the page says so at the field."""
    answer = site.send(f"{site.manage}/worksheet/new", v__name="")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_every_type_is_offered_with_a_sentence(site: Site) -> None:
    """No registered type is left out but those that only an import makes, and none is left unexplained."""
    key = site.new_worksheet("Customers")
    text = site.admin.get(site.structure(key, "/field/new")).get_data(as_text=True)
    for name in server().registry.field_types:
        assert (f"type={name}" in text) == (name not in field_type_menu.HIDDEN), name
    assert [] == [one.name for _, group in field_type_menu.groups() for one in group if not one.says]


def test_every_type_that_needs_no_more_than_a_name_can_be_made(site: Site) -> None:
    """Each form opens, and saves what it shows."""
    key = site.new_worksheet("Things")
    for name in server().registry.field_types:
        if name in NEEDING or name in field_type_menu.HIDDEN:
            continue
        more = {"o__choices__0__name": "One"} if name.endswith("_select") else {"o__text": "Mind the gap"} if name == "remark" else {}
        answer = site.new_field(key, name, f"My {name}", **more)
        assert answer.status_code == 303, f"{name}: {why(answer)}"
        assert site.field(key, f"My {name}")["type"] == name
        again = site.structure(key, f"/field/{site.field(key, f'My {name}')['key']}")
        assert site.send(again).status_code == 303, name


def test_a_form_saved_untouched_changes_nothing(desk: Desk) -> None:
    """Whatever field there is, its form says all that it holds."""
    site = Site(desk.server, desk.organization_id, desk.app_id, desk.owner)
    before = site.body(SHEET)
    for one in before["fields"]:
        if one["type"] not in field_type_menu.HIDDEN:
            answer = site.send(site.structure(SHEET, f"/field/{one['key']}"))
            assert answer.status_code == 303, f"{one['type']}: {why(answer)}"
    assert before == site.body(SHEET)


def test_choices_have_names_and_colours(site: Site) -> None:
    """Blank rows are left out; a row more can be asked for without saving."""
    key = site.new_worksheet("Tasks")
    address = site.structure(key, "/field/new?type=single_select")
    answer = site.send(address, v__name="Status", o__choices__0__name="Open", o__choices__1__name="Done",
                       o__choices__1__colour=COLOURS[6], do="add o.choices")
    assert "o.choices.3.name" in answer.get_data(as_text=True)
    site.new_field(key, "single_select", "Status", o__choices__0__name="Open", o__choices__1__name="Done", o__choices__1__colour=COLOURS[6])
    choices = site.field(key, "Status")["options"]["choices"]
    assert [("Open", COLOURS[1]), ("Done", COLOURS[6])] == [(one["name"], one["colour"]) for one in choices]


def test_a_choice_that_records_hold_is_not_taken_out_without_asking(desk: Desk) -> None:
    """The page says how many records hold it; only after a tick it goes, and the records keep their value."""
    site = Site(desk.server, desk.organization_id, desk.app_id, desk.owner)
    seq = desk.put(text="One", single_select=RED)
    address = site.structure(SHEET, f"/field/{key_of('f', 'single_select')}")
    without = {f"o.choices.{n}.{part}": value for n, choice in enumerate(site.field(SHEET, "single_select")["options"]["choices"][1:])
               for part, value in (*choice.items(),)}
    rows = {f"o.choices.{n}~row": "1" for n in range(2)}
    digest = {name: value for name, value in untouched(site.admin, address).items() if not name.startswith("o.choices")}
    refused = site.admin.post(address, data={**digest, **without, **rows})
    assert refused.status_code == 409
    assert "“<bdi>Red</bdi>” in 1 record" in refused.get_data(as_text=True)
    assert len(site.field(SHEET, "single_select")["options"]["choices"]) == 3
    assert site.admin.post(address, data={**digest, **without, **rows, "sure": "1"}).status_code == 303
    assert len(site.field(SHEET, "single_select")["options"]["choices"]) == 2
    assert desk.value(seq, "single_select") == RED


def test_a_currency_starts_with_an_unit_and_two_decimals(site: Site) -> None:
    """What a type cannot do without is filled beforehand."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "currency", "Total")
    assert {"decimals": 2, "currency": "EUR"} == site.field(key, "Total")["options"]


def test_a_relationship_can_be_made_with_its_other_side(site: Site) -> None:
    """One form makes both fields, and each knows the other."""
    customers, orders = site.new_worksheet("Customers"), site.new_worksheet("Orders")
    answer = site.new_field(orders, "relationship", "Customer", o__target=f"worksheet/{customers}", two_way="1", other_name="Their orders",
                            **{"o.target~alt": "0"})
    assert answer.status_code == 303, why(answer)
    made = site.field(orders, "Customer")
    mirror = site.field(customers, "Their orders")
    assert {"ref": f"worksheet/{orders}/field/{made['key']}"} == mirror["options"]["mirrors"]


def test_a_relationship_without_a_target_is_refused(site: Site) -> None:
    """It says beside the target what is missing, and makes neither side."""
    orders = site.new_worksheet("Orders")
    answer = site.new_field(orders, "relationship", "Customer", two_way="1")
    assert answer.status_code == 422
    assert len(site.body(orders)["fields"]) == 1


def test_a_formula_is_written_with_names_and_stored_with_keys(site: Site) -> None:
    """Renaming a field later changes how the formula reads, not what it says."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "number", "Pieces")
    site.new_field(key, "formula", "Twice", o__expression="{Pieces} * 2")
    pieces = site.field(key, "Pieces")["key"]
    assert site.field(key, "Twice")["options"]["expression"] == f"{{{pieces}}} * 2"
    site.send(site.structure(key, f"/field/{pieces}"), v__name="Number of pieces")
    page = site.admin.get(site.structure(key, f"/field/{site.field(key, 'Twice')['key']}")).get_data(as_text=True)
    assert "{Number of pieces} * 2" in page


@pytest.mark.parametrize(("formula", "says"), [
    ("{Nothing} * 2", "Unknown field “Nothing”"), ("{Pieces} *", "character"), ("nonsense({Pieces})", "nonsense"), ("", "")])
def test_a_formula_with_a_mistake_is_refused_beside_it(site: Site, formula: str, says: str) -> None:
    """What is wrong and where, at the formula itself; nothing is saved."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "number", "Pieces")
    answer = site.new_field(key, "formula", "Twice", o__expression=formula)
    text = answer.get_data(as_text=True)
    assert 400 <= answer.status_code < 500
    assert says in text
    assert 'id="i-o-expression-h"><p class="error">' in text.replace("\n", "")
    assert len(site.body(key)["fields"]) == 2


def test_a_formula_is_tried_on_the_first_records_while_it_is_written(site: Site) -> None:
    """Nothing is saved by trying."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "number", "Pieces")
    site.put(key, Name="First", Pieces=21)
    form = {"type": "formula", "field": "", "do": "try", "v.name": "Twice", "o.expression": "{Pieces} * 2"}
    text = site.admin.post(site.structure(key, "/formula"), data=form).get_data(as_text=True)
    assert "First" in text
    assert "42" in text
    wrong = site.admin.post(site.structure(key, "/formula"), data={**form, "o.expression": "{Pieces"}).get_data(as_text=True)
    assert 'class="error"' in wrong
    assert len(site.body(key)["fields"]) == 2


def test_lookups_and_rollups_reach_through_a_link(site: Site) -> None:
    """They offer the link fields of the worksheet, and the fields behind the one that is chosen."""
    customers, orders = site.new_worksheet("Customers"), site.new_worksheet("Orders")
    site.new_field(customers, "number", "Discount")
    site.new_field(orders, "relationship", "Customer", o__target=f"worksheet/{customers}", **{"o.target~alt": "0", "two_way": ""})
    through, target = (f"worksheet/{sheet}/field/{site.field(sheet, name)['key']}"
                       for sheet, name in ((orders, "Customer"), (customers, "Discount")))
    for kind, more in (("lookup", {}), ("rollup", {"o__function": "sum"}), ("count", {})):
        values = {"o__through": through, **({"o__target": target} if kind != "count" else {}), **more}
        answer = site.new_field(orders, kind, f"By {kind}", **values)
        assert answer.status_code == 303, why(answer)
        assert site.field(orders, f"By {kind}")["options"]["through"] == {"ref": through}


def test_fields_are_renamed_moved_deleted_and_brought_back(site: Site) -> None:
    """Each on the worksheet's own page, where one comes back to."""
    key = site.new_worksheet("Customers")
    site.new_field(key, "email", "Email")
    address = site.structure(key, f"/field/{site.field(key, 'Email')['key']}")
    site.send(address, v__name="Mail")
    moved = site.admin.post(f"{address}/move", data={"to": "up", "back": site.structure(key)})
    assert moved.headers["Location"].startswith(site.structure(key))
    assert ["Mail", "Name"] == [one["name"] for one in site.body(key)["fields"]]
    part = site.field(key, "Mail")["key"]
    site.admin.post(f"{address}/hide", data={"back": site.structure(key)})
    page = site.admin.get(site.structure(key)).get_data(as_text=True)
    assert "Recycle bin" in page
    assert ["Name"] == [one["name"] for one in site.body(key)["fields"]]
    back = site.admin.post(f"{site.manage}/bin/bring-back", data={"document": f"worksheet/{key}/field/{part}", "back": site.structure(key)})
    assert back.headers["Location"].startswith(site.structure(key))
    assert "Mail" in [one["name"] for one in site.body(key)["fields"]]


def test_a_stale_form_saves_nothing(site: Site) -> None:
    """Who opened the form before somebody else saved is told, and keeps what they typed."""
    key = site.new_worksheet("Customers")
    site.new_field(key, "text", "City")
    address = site.structure(key, f"/field/{site.field(key, 'City')['key']}")
    old = untouched(site.admin, address)
    site.send(address, v__name="Town")
    answer = site.admin.post(address, data={**old, "v.name": "Place"})
    assert answer.status_code == 409
    assert "Place" in answer.get_data(as_text=True)
    assert site.field(key, "Town")


def test_a_type_is_changed_and_values_that_fit_are_kept(site: Site) -> None:
    """A text that is a number becomes that number; one that is none is set aside, and the page said so before."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "text", "Pieces")
    site.put(key, Name="A", Pieces="12")
    part = site.field(key, "Pieces")["key"]
    assert "as=number" in site.admin.get(site.structure(key, f"/field/{part}/type")).get_data(as_text=True)
    address = site.structure(key, f"/field/{part}?as=number")
    assert "set aside" in site.admin.get(address).get_data(as_text=True)
    assert site.send(address).status_code == 303
    assert site.field(key, "Pieces")["type"] == "number"


def test_a_default_that_does_not_fit_is_refused_beside_it(site: Site) -> None:
    """A number field does not start with a word."""
    key = site.new_worksheet("Orders")
    answer = site.new_field(key, "number", "Pieces", v__default="many")
    assert 400 <= answer.status_code < 500
    assert "This value does not fit the field" in answer.get_data(as_text=True)


def test_an_index_is_switched_on_and_off(site: Site) -> None:
    """On the worksheet's page, for the types that have one value to go by; the index holds the records there are."""
    key = site.new_worksheet("Orders")
    site.new_field(key, "number", "Pieces")
    site.new_field(key, "multiple_select", "Tags", o__choices__0__name="One")
    site.put(key, Name="A", Pieces=12)
    pieces, tags = site.field(key, "Pieces")["key"], site.field(key, "Tags")["key"]
    page = site.admin.get(site.structure(key)).get_data(as_text=True)
    assert f"/field/{pieces}/index" in page
    assert f"/field/{tags}/index" not in page
    site.admin.post(site.structure(key, f"/field/{pieces}/index"), data={"on": "1"})
    assert site.field(key, "Pieces")["indexed"] is True
    with as_tenant(site.organization_id):
        assert {pieces: "number"} == dict(store_of(site.app).index.kinds(key))
    site.admin.post(site.structure(key, f"/field/{pieces}/index"), data={"on": ""})
    assert "indexed" not in site.field(key, "Pieces")
    assert site.admin.post(site.structure(key, f"/field/{tags}/index"), data={"on": "1"}).status_code == 422


@pytest.mark.parametrize("rest", ["/field/new?type=nonsense", "/field/f_1111111111", "/view/new?type=nonsense", "/view/v_1111111111",
                                  "/form/l_1111111111", "/field/f_1111111111/type"])
def test_what_is_not_there_is_refused(site: Site, rest: str) -> None:
    """Addresses that were made up do not break the server."""
    key = site.new_worksheet("Orders")
    assert site.admin.get(site.structure(key, rest)).status_code in (404, 422)


@pytest.mark.parametrize("name", ["Due", "due", "  DUE ", "D\u0075e"])
def test_a_second_field_of_the_same_name_is_refused_beside_it(site: Site, name: str) -> None:
    """Whatever its case and spaces; by making, by renaming, and on the other side of a relationship."""
    key = site.new_worksheet("Tasks")
    assert 303 == site.new_field(key, "date", "Due").status_code
    refused = site.new_field(key, "text", name)
    assert "There is already a field “Due”" in why(refused) and refused.status_code >= 400
    rename = site.structure(key, f"/field/{site.field(key, 'Name')['key']}")
    assert site.send(rename, v__name=name).status_code >= 400
    other = site.new_worksheet("Others")
    mirrored = site.new_field(other, "relationship", "Task", o__target=f"worksheet/{key}", two_way="1", other_name=name,
                              **{"o.target~alt": "0"})
    assert mirrored.status_code >= 400 and ["Name"] == [one["name"] for one in site.body(other)["fields"]]
    assert ["Name", "Due"] == [one["name"] for one in site.body(key)["fields"]]


def test_doubles_that_came_in_with_a_file_still_work_and_are_named(site: Site) -> None:
    """Each can be saved as it is; the page of the worksheet says which to rename."""
    key = site.new_worksheet("Tasks")
    with as_tenant(site.organization_id), transaction():
        sheet = documents.get(site.app, f"worksheet/{key}")
        twice = [{"key": f"f_Twice1111{n}", "type": "text", "name": "Note", "options": {}} for n in (1, 2)]
        placing.put_body(site.app, sheet, {**sheet.body, "fields": [*sheet.body["fields"], *twice]}, "system")
    assert "Several fields are called “<bdi>Note</bdi>”" in site.admin.get(site.structure(key)).get_data(as_text=True)
    assert 303 == site.send(site.structure(key, "/field/f_Twice11111"), v__description="The first").status_code
    assert 303 == site.send(site.structure(key, "/field/f_Twice11112"), v__name="Note 2").status_code
    assert "Several fields" not in site.admin.get(site.structure(key)).get_data(as_text=True)


def test_two_choices_views_or_worksheets_of_one_name_are_refused(site: Site) -> None:
    """For the same reason: nobody could tell them apart."""
    key = site.new_worksheet("Tasks")
    assert "There is already a choice “open”" in why(site.new_field(key, "single_select", "Status", o__choices__0__name="Open",
                                                                   o__choices__1__name="open"))
    assert site.new_view(key, "grid", " all ").status_code >= 400 and 1 == len(site.body(key)["views"])
    assert site.send(f"{site.manage}/worksheet/new", v__name="TASKS").status_code >= 400
    other = site.new_worksheet("Others")
    assert site.send(site.structure(other), v__name="tasks").status_code >= 400


@pytest.mark.parametrize("kind", ["number", "percent"])
def test_a_new_number_takes_decimals(site: Site, kind: str) -> None:
    """Two unless one says otherwise, and the form says how many; fields that stand keep what they have."""
    key = site.new_worksheet("Orders")
    shown = site.admin.get(site.structure(key, f"/field/new?type={kind}")).get_data(as_text=True)
    assert "Decimal places" in shown and "0 keeps whole numbers only" in shown
    assert 303 == site.new_field(key, kind, "Hours").status_code
    site.put(key, Hours="8.5")
    assert 2 == site.field(key, "Hours")["options"]["decimals"]


def test_the_warning_before_deleting_names_what_of_the_worksheet_uses_the_field(site: Site) -> None:
    """Boards, filters, sorts and formulas of the field's own worksheet; a view that only shows it is none."""
    key = site.new_worksheet("Tasks")
    site.new_field(key, "single_select", "Status", o__choices__0__name="Open")
    site.new_field(key, "number", "Hours")
    assert 303 == site.new_view(key, "kanban", "Board").status_code
    assert 303 == site.new_field(key, "formula", "Twice", o__expression="{Hours} * 2").status_code
    status, hours = (site.admin.get(site.structure(key, f"/field/{site.field(key, name)['key']}")).get_data(as_text=True)
                     for name in ("Status", "Hours"))
    assert "the view “Board” (columns of its cards)" in status and "the field “Twice”" in hours
    assert "the view “Board”" not in hours and "the view “All”" not in status


def test_a_calendar_starts_with_a_date_field_not_with_a_formula(site: Site) -> None:
    """A formula that gives a number by its format is not even offered."""
    key = site.new_worksheet("Tasks")
    site.new_field(key, "number", "Hours")
    site.new_field(key, "formula", "Cost", o__expression="{Hours} * 2", **{"o.format~on": "1", "o.format.type": "number"})
    site.new_field(key, "date", "Due")
    assert 303 == site.new_view(key, "calendar", "When").status_code
    assert {"ref": f"worksheet/{key}/field/{site.field(key, 'Due')['key']}"} == site.view(key, "When")["start_field"]


def test_values_that_an_option_excludes_are_told(site: Site) -> None:
    """Fewer stars: how many values are set aside stands on the page; with more stars they are there again, and nothing is told."""
    key = site.new_worksheet("Films")
    site.new_field(key, "rating", "Stars")
    stars = site.field(key, "Stars")["key"]
    for value in (5, 4, 2):
        site.put(key, Stars=value)
    address = site.structure(key, f"/field/{stars}")
    shown = site.admin.get(site.send(address, o__max="3").headers["Location"]).get_data(as_text=True)
    assert "does not accept them now: 2." in shown
    shown = site.admin.get(site.send(address, o__max="5").headers["Location"]).get_data(as_text=True)
    assert "was saved" in shown and "set aside" not in shown


def test_names_turn_nothing_around(site: Site) -> None:
    """What turns the direction of text is left out of the names of worksheets, fields and views."""
    key = site.new_worksheet("Or\u202eders")
    site.new_field(key, "number", "Pie\u2067ces")
    shown = site.admin.get(site.structure(key)).get_data(as_text=True)
    assert "Orders" in shown and "Pieces" in shown and "\u202e" not in shown and "\u2067" not in shown
