"""People who press buttons, save record forms and send forms at the same time, each with a connection of their own: nothing is lost."""

from __future__ import annotations

from flask import Flask

from core.api import as_tenant, db
from tests.forms import untouched
from tests.plugins.worksheets.web.making import RED, key_of, make_desk
from tests.web import signed_in
from tests.writing import at_once, each

TIMES = 20


def test_a_button_and_a_record_form_keep_each_others_fields(server: Flask) -> None:
    """The button sets a field beside the one that the form changes; the form was opened before, and says so only of its own field."""
    desk = make_desk(server)
    with as_tenant(desk.organization_id):
        desk.put(text="before", number="0")
    presser, editor = signed_in(server), signed_in(server)
    lost: list[str] = []

    def press(_: int) -> None:
        if presser.post(desk.url("/record/1/button/b_Button1111")).status_code != 302:
            lost.append("a button was refused")

    def save(n: int) -> None:
        address = desk.url("/record/1/edit")
        form = {**untouched(editor, address), key_of("f", "text"): f"edit {n}"}
        if editor.post(address, data=form).status_code not in (302, 303):
            lost.append(f"edit {n} was refused")
            return
        db.session.rollback()
        if desk.value(1, "text") != f"edit {n}":
            lost.append(f"edit {n} is not there")

    assert [] == at_once(server, desk.organization_id, each(TIMES, press), each(TIMES, save))
    assert [] == [one for one in lost if "not there" in one or "button" in one]
    with as_tenant(desk.organization_id):
        assert (RED, f"edit {TIMES - 1}") == (desk.value(1, "single_select"), desk.value(1, "text"))


def test_records_that_a_form_makes_at_once_are_all_there(server: Flask) -> None:
    """Each with a number of its own, once."""
    desk = make_desk(server)
    senders = [signed_in(server), signed_in(server)]
    refused: list[int] = []

    def sending(which: int):  # type: ignore[no-untyped-def]  # a function of a number
        def send(n: int) -> None:
            address = desk.url("/new?view=v_Form111111")
            form = {**untouched(senders[which], address), key_of("f", "text"): f"{which} {n}", key_of("f", "number"): str(n)}
            answer = senders[which].post(address, data=form)
            if answer.status_code not in (200, 302, 303):
                refused.append(answer.status_code)
        return send

    assert [] == at_once(server, desk.organization_id, *(each(TIMES, sending(which)) for which in (0, 1)))
    assert [] == refused
    with as_tenant(desk.organization_id):
        found = sorted(str(desk.value(seq, "text")) for seq in range(1, 2 * TIMES + 1))
    assert sorted(f"{which} {n}" for which in (0, 1) for n in range(TIMES)) == found
