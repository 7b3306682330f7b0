"""A record's page, its form, its rows, its buttons, forms that make records."""

from __future__ import annotations

from core.api import as_tenant
from tests.plugins.worksheets.web.making import PEOPLE, RED, ROWS, Desk, key_of

TEXT, NUMBER, MAIL = key_of("f", "text"), key_of("f", "number"), key_of("f", "email")


def test_a_record_shows_all_it_has(desk: Desk) -> None:
    """Values by type, layout items, who made it; nothing of it is taken for HTML."""
    desk.put(PEOPLE, name="Ada <i>")
    desk.put(text="<script>x", rich_text="**bold** <img src=x onerror=y> [a](javascript:z)", link=[1], url="https://example.org",
             identity_number="AB-123456", duration=5400, checkbox=True, rating=3, region=["A", "B"])

    page = desk.owner.get(desk.url("/record/1")).get_data(as_text=True)

    for text in ("&lt;script&gt;x", "<strong>bold</strong>", "Ada &lt;i&gt;", "1:30:00", "3 of 5", "A › B", "<svg", "Only &lt;b&gt;words"):
        assert text in page
    for text in ("<script>x", "onerror=y>", 'href="javascript', "AB-123456"):
        assert text not in page.replace("&lt;", "&lt; ")


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    """Numbers that no record has, or ever could have."""
    for seq in ("1", "0", "99999999999999999999999"):
        assert desk.owner.get(desk.url(f"/record/{seq}")).status_code == 404


def test_a_new_record_is_made_in_a_form(desk: Desk) -> None:
    """The form keeps what was typed when something is missing, and says what beside the field."""
    wrong = desk.owner.post(desk.url("/new"), data={TEXT: "", f"was-{TEXT}": "", NUMBER: "12", f"was-{NUMBER}": ""})
    page = wrong.get_data(as_text=True)

    assert wrong.status_code == 422
    assert "This field is required." in page and 'value="12"' in page

    made = desk.owner.post(desk.url("/new"), data={TEXT: "New", f"was-{TEXT}": "", NUMBER: "12", f"was-{NUMBER}": ""})
    assert (made.status_code, made.location) == (302, desk.url("/record/1"))
    assert desk.value(1, "number") == 12


def test_a_value_that_must_be_unique_is_refused_beside_its_field(desk: Desk) -> None:
    """What only the worksheet can know comes back to the field too."""
    desk.put(text="A", email="a@example.org")

    answer = desk.owner.post(desk.url("/new"), data={TEXT: "B", f"was-{TEXT}": "", MAIL: "a@example.org", f"was-{MAIL}": ""})

    assert answer.status_code == 422
    assert "record 1 already has this value" in answer.get_data(as_text=True)


def test_neighbours_lead_from_record_to_record(desk: Desk) -> None:
    """Previous and next are the nearest that are there."""
    for n in range(3):
        desk.put(text=str(n))
    desk.owner.post(desk.url("/record/2/delete"))

    page = desk.owner.get(desk.url("/record/1")).get_data(as_text=True)

    assert f'rel="next" href="{desk.url("/record/3")}"' in page and 'rel="prev"' not in page


def test_rows_of_a_subform_belong_to_their_record(desk: Desk) -> None:
    """A row is added from its record, shown in it, and removed into the bin of rows."""
    desk.put(text="Order")
    what = key_of("f", "what")

    added = desk.owner.post(desk.url(f"/record/1/rows/{key_of('f', 'rows')}/add"), data={what: "Bolts", f"was-{what}": ""})
    page = desk.owner.get(desk.url("/record/1")).get_data(as_text=True)

    assert added.status_code == 302
    assert desk.value(1, "rows") == [1] and "Bolts" in page and desk.url("/record/1/edit", ROWS) in page

    removed = desk.owner.post(desk.url("/record/1/delete", ROWS), data={"back": desk.url("/record/1")})
    assert removed.location == desk.url("/record/1")
    assert desk.is_deleted(1, ROWS) and "Bolts" not in desk.owner.get(desk.url("/record/1")).get_data(as_text=True)


def test_a_button_sets_its_fields(desk: Desk) -> None:
    """Buttons that do something do it; those whose work is not done here are not shown."""
    desk.put(text="A")
    page = desk.owner.get(desk.url("/record/1")).get_data(as_text=True)

    assert "Make it red" in page and ">Run<" not in page
    assert desk.owner.post(desk.url("/record/1/button/b_Button1111")).status_code == 302
    assert desk.value(1, "single_select") == RED
    assert desk.owner.post(desk.url("/record/1/button/b_Run1111111")).status_code == 404


def test_a_form_view_makes_a_record(desk: Desk) -> None:
    """It asks with its own words for its own fields, and thanks; other fields cannot be slipped in."""
    page = desk.owner.get(desk.url("/new?view=v_Form111111")).get_data(as_text=True)
    assert "Tell us" in page and "Your words" in page and "Send it" in page

    url = desk.url("/new?view=v_Form111111")
    missing = desk.owner.post(url, data={TEXT: "Hi", f"was-{TEXT}": "", NUMBER: "", f"was-{NUMBER}": ""})
    sent = desk.owner.post(url, data={TEXT: "Hi", f"was-{TEXT}": "", NUMBER: "3", f"was-{NUMBER}": "", MAIL: "x@example.org", f"was-{MAIL}": ""})

    assert missing.status_code == 422
    assert "Thank you so much." in sent.get_data(as_text=True)
    assert desk.vals(1) == {TEXT: "Hi", NUMBER: 3, key_of("f", "autonumber"): 1}


def test_nothing_is_written_while_the_app_is_restored(desk: Desk) -> None:
    """Reads go on; a save is refused in words."""
    from core.api import db, transaction
    from core.runs.service import request

    desk.put(text="A")
    with as_tenant(desk.organization_id), transaction():
        desk.app.restoring_run_id = request("restore", desk.app, {}, "system", send=False).id
    db.session.rollback()

    assert desk.owner.get(desk.url("/record/1")).status_code == 200
    assert desk.owner.post(desk.url("/record/1/delete")).status_code == 409
    assert not desk.is_deleted(1)
