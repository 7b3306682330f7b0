"""Views and forms: each type asks for what it shows; conditions, sorts and shown fields without a line of JSON."""

from __future__ import annotations

from core.api import as_tenant, documents, placing, transaction
from tests.forms import untouched
from tests.plugins.worksheets.structure.building import Site, why
from tests.plugins.worksheets.structure.rows import rows_of
from tests.plugins.worksheets.web.making import SHEET, VIEW, Desk, field_ref, key_of, rights


def sheet_with_fields(site: Site) -> str:
    """Make a worksheet of tasks and return its key."""
    key = site.new_worksheet("Tasks")
    site.new_field(key, "single_select", "Status", o__choices__0__name="Open", o__choices__1__name="Done")
    site.new_field(key, "date", "Due")
    site.new_field(key, "number", "Hours")
    return key


def ref(site: Site, key: str, name: str) -> str:
    """Return the address of a field."""
    return f"worksheet/{key}/field/{site.field(key, name)['key']}"


def test_every_type_of_view_is_made_and_shows_records(site: Site) -> None:
    """What a type needs is filled with the first field that goes with it."""
    key = sheet_with_fields(site)
    site.put(key, Name="Paint the door", Due="2026-11-23")
    for kind in ("grid", "kanban", "gallery", "calendar", "timeline", "form"):
        answer = site.new_view(key, kind, f"My {kind}")
        assert answer.status_code == 303, f"{kind}: {why(answer)}"
        view = site.view(key, f"My {kind}")
        assert view["type"] == kind
        shown = site.admin.get(f"/o/{site.organization_id}/apps/{site.app_id}/worksheet/{key}?view={view['key']}", follow_redirects=True)
        assert shown.status_code == 200
        assert f"My {kind}" in shown.get_data(as_text=True)
    assert site.view(key, "My kanban")["stack_field"] == {"ref": ref(site, key, "Status")}
    assert site.view(key, "My calendar")["start_field"] == {"ref": ref(site, key, "Due")}


def test_a_board_without_a_field_to_stack_by_is_refused_beside_it(site: Site) -> None:
    """And the page says which types of fields would do."""
    key = site.new_worksheet("Notes")
    text = site.new_view(key, "kanban", "Board").get_data(as_text=True)
    assert "single select" in text
    assert 'aria-invalid="true"' in text
    assert 1 == len(site.body(key)["views"])


def test_conditions_are_rows_and_become_the_view_s_filter(site: Site) -> None:
    """A row without a field is left out; all or any of the others. One without a value is refused."""
    key = sheet_with_fields(site)
    address = site.structure(key, "/view/new?type=grid")
    hours, status = site.field(key, "Hours")["key"], site.field(key, "Status")
    data = {**untouched(site.admin, address), "v.name": "Long ones", "where": [hours, status["key"], ""], "op": ["greater", "is", ""],
            "value": ["8", status["options"]["choices"][0]["key"], ""], "match": "any"}
    refused = site.admin.post(address, data={**data, "value": ["", status["options"]["choices"][0]["key"], ""]})
    assert "Enter a value for the condition on “Hours”" in refused.get_data(as_text=True)
    assert site.admin.post(address, data=data).status_code == 303
    assert {"any": [
        {"field": {"ref": ref(site, key, "Hours")}, "operator": "greater", "value": "8"},
        {"field": {"ref": ref(site, key, "Status")}, "operator": "is", "value": status["options"]["choices"][0]["key"]}]
    } == site.view(key, "Long ones")["filter"]


def test_a_filter_in_a_filter_is_kept_and_edited_as_a_tree(desk: Desk) -> None:
    """What rows cannot say has the form of its schema, which loses nothing."""
    site = Site(desk.server, desk.organization_id, desk.app_id, desk.owner)
    leaf = {"field": field_ref(SHEET, "text"), "operator": "contains", "value": "a"}
    nested = {"any": [{"all": [leaf]}, {"field": field_ref(SHEET, "number"), "operator": "greater", "value": 3}]}
    put_view(desk, {**VIEW, "filter": nested})
    address = site.structure(SHEET, f"/view/{VIEW['key']}")
    assert "Without conditions" not in site.admin.get(address).get_data(as_text=True)
    assert site.send(address).status_code == 303
    assert nested == site.view(SHEET, "All")["filter"]


def test_views_saved_untouched_do_not_change(desk: Desk) -> None:
    """Whatever a view says, its form says it all."""
    site = Site(desk.server, desk.organization_id, desk.app_id, desk.owner)
    full = {**VIEW, "description": "Some of them", "row_height": "large", "sorts": [{"field": field_ref(SHEET, "text"), "descending": True}],
            "filter": {"all": [{"field": field_ref(SHEET, "number"), "operator": "greater", "value": "3"},
                               {"field": field_ref(SHEET, "date"), "operator": "within", "unit": "this_week"},
                               {"field": field_ref(SHEET, "checkbox"), "operator": "is", "value": True}]}}
    put_view(desk, full)
    before = site.body(SHEET)["views"]
    for view in before:
        address = site.structure(SHEET, f"/view/{view['key']}")
        rows = rows_of(site.admin.get(address).get_data(as_text=True))
        answer = site.admin.post(address, data={**untouched(site.admin, address), **rows})
        assert answer.status_code == 303, why(answer)
    after = site.body(SHEET)["views"]
    assert before == after


def test_a_field_is_hidden_in_a_view_and_moved_up(site: Site) -> None:
    """A tick shows it; where all are shown in the worksheet's order nothing is stored, so that new fields show by themselves."""
    key = sheet_with_fields(site)
    site.new_view(key, "grid", "Second")
    assert "fields" not in site.view(key, "Second")
    address = site.structure(key, f"/view/{site.view(key, 'Second')['key']}")
    moved = site.send(address, do="up v.fields.3").get_data(as_text=True)
    assert moved.index('aria-label="Hours"') < moved.index('aria-label="Due"')
    data = {**untouched(site.admin, address), "v.fields.3.hidden": "true"}
    assert site.admin.post(address, data=data).status_code == 303
    assert [False, False, False, True] == [bool(one.get("hidden")) for one in site.view(key, "Second")["fields"]]
    grid = site.admin.get(f"/o/{site.organization_id}/apps/{site.app_id}/worksheet/{key}?view={site.view(key, 'Second')['key']}")
    assert 'title="Sort by Hours"' not in grid.get_data(as_text=True)


def test_sorts_and_groups_are_rows_of_fields(site: Site) -> None:
    """A button adds a row; the direction is a tick."""
    key = sheet_with_fields(site)
    address = site.structure(key, "/view/new?type=grid")
    text = site.send(address, do="add v.sorts").get_data(as_text=True)
    assert 'name="v.sorts.0.field"' in text
    rows = {"v.sorts.0~row": "1", "v.sorts.0.field": ref(site, key, "Due"), "v.sorts.0.descending": "true",
            "v.groups.0~row": "1", "v.groups.0.field": ref(site, key, "Status")}
    answer = site.admin.post(address, data={**untouched(site.admin, address), "v.name": "Due last", **rows})
    assert answer.status_code == 303, why(answer)
    view = site.view(key, "Due last")
    assert [{"field": {"ref": ref(site, key, "Due")}, "descending": True}] == view["sorts"]
    assert [{"field": {"ref": ref(site, key, "Status")}}] == [{"field": one["field"]} for one in view["groups"]]


def test_a_form_for_records_starts_with_all_fields(site: Site) -> None:
    """One only moves them about; it is laid out on the record's page."""
    key = sheet_with_fields(site)
    answer = site.send(site.structure(key, "/form/new"), v__name="Two columns")
    assert answer.status_code == 303, why(answer)
    form = site.body(key)["forms"][0]
    assert [ref(site, key, one["name"]) for one in site.body(key)["fields"]] == [one["ref"] for one in form["sections"][0]["fields"]]
    assert site.send(site.structure(key, f"/form/{form['key']}"), v__name="Other").status_code == 303
    assert ["Other"] == [one["name"] for one in site.body(key)["forms"]]


def test_rules_and_buttons_are_made_in_forms_that_offer_own_fields_only(site: Site) -> None:
    """No field of another worksheet is offered."""
    key = sheet_with_fields(site)
    other = site.new_worksheet("Others")
    text = site.send(site.structure(key, "/rule/new"), do="add v.then").get_data(as_text=True)
    assert ref(site, key, "Due") in text
    assert f"worksheet/{other}/field" not in text
    rows = {"v.then.0~row": "1", "v.then.0.do": "require", "v.then.0.field": ref(site, key, "Due")}
    address = site.structure(key, "/rule/new")
    assert site.admin.post(address, data={**untouched(site.admin, address), "v.name": "Due is needed", **rows}).status_code == 303
    assert "require" == site.body(key)["rules"][0]["then"][0]["do"]
    assert site.send(site.structure(key, "/button/new"), v__name="Open", v__do="open_url", v__url="https://example.org/").status_code == 303
    assert "https://example.org/" == site.body(key)["buttons"][0]["url"]


def test_the_grid_leads_admins_to_the_structure_and_nobody_else(desk: Desk) -> None:
    """Each column's head leads to its field; whoever is no admin sees none of it."""
    desk.put(text="One")
    own = desk.owner.get(desk.url()).get_data(as_text=True)
    base = f"/o/{desk.organization_id}/apps/{desk.app_id}/manage/worksheet/{SHEET}"
    for rest in (f"/field/{key_of('f', 'text')}", "/field/new", "/view/new", "#fields", "#views", "#forms"):
        assert f'href="{base}{rest}"' in own, rest
    reader, _ = desk.person_with("reader@example.org", rights())
    assert base not in reader.get(desk.url()).get_data(as_text=True)
    assert reader.get(base).status_code == 403


def put_view(desk: Desk, view: dict) -> None:  # type: ignore[type-arg]
    """Put a view in the place of the one of its key."""
    with as_tenant(desk.organization_id), transaction():
        placing.put_part(desk.app, documents.get(desk.app, f"worksheet/{SHEET}"), "view", view, "system")
