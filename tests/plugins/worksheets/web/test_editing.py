"""Editing in place: every type of field, mistakes beside their cell, nothing of others overwritten without a word."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from core.api import InvalidValue, as_tenant, direct, documents, transaction
from plugins.worksheets import service as records
from plugins.worksheets.web.cells.cell import Given
from plugins.worksheets.web.cells.files import read_signature
from plugins.worksheets.web.editors import digest
from tenants import service as tenants
from tests.plugins.worksheets.web.making import BLUE, GREEN, PEOPLE, RED, SHEET, Desk, key_of
from tests.web import OWNER

ENTERED: list[tuple[str, dict[str, Any], Any]] = [
    ("text", {"": "Hello <b>"}, "Hello <b>"),
    ("long_text", {"": "one\r\ntwo"}, "one\ntwo"),
    ("rich_text", {"": "**bold**"}, "**bold**"),
    ("number", {"": "1,234"}, 1234),
    ("number", {"": "-7"}, -7),
    ("exact", {"": "12.5"}, "12.50"),
    ("exact", {"": "12,5"}, "12.50"),
    ("currency", {"": "1 250.00"}, "1250.00"),
    ("percent", {"": "25 %"}, 25),
    ("date", {"": "2026-11-23"}, "2026-11-23"),
    ("datetime", {"": "2026-11-23T09:30"}, "2026-11-23T09:30:00Z"),
    ("time", {"": "09:30"}, "09:30:00"),
    ("duration", {"": "1:30:00"}, 5400),
    ("duration", {"": "1 h 5 min"}, 3900),
    ("duration", {"": "2:30"}, 150),
    ("checkbox", {"": "1"}, True),
    ("single_select", {"": BLUE}, BLUE),
    ("multiple_select", {"": ["", RED, GREEN]}, [RED, GREEN]),
    ("rating", {"": "4"}, 4),
    ("email", {"": " ada@example.org "}, "ada@example.org"),
    ("phone", {"": "+49 451 1002"}, "+49 451 1002"),
    ("url", {"": "https://example.org/x"}, "https://example.org/x"),
    ("url", {"": "example.org"}, "example.org"),
    ("url", {"": "mailto:ada@example.org"}, "mailto:ada@example.org"),
    ("url", {"": "http://localhost:8080/a?b#c"}, "http://localhost:8080/a?b#c"),
    ("identity_number", {"": "A-1234"}, "A-1234"),
    ("location", {"-lat": "53.8655", "-lon": "10.6866", "-label": "Lübeck"}, {"lat": "53.8655", "lon": "10.6866", "label": "Lübeck"}),
    ("region", {"": ["Germany", "", "Lübeck"]}, ["Germany", "Lübeck"]),
    ("link", {"": ["2", "1"]}, [2, 1]),
    ("way", {"": "2"}, [1, 2]),
    ("free_link", {"": [f"worksheet/{PEOPLE}/record/1"]}, [{"ref": f"worksheet/{PEOPLE}/record/1"}]),
]


def send(desk: Desk, seq: int, word: str, parts: dict[str, Any], was: Any = None, **more: Any) -> Any:
    """Save a cell as the browser does: the value's parts, and the mark of the value as it was."""
    key = key_of("f", word)
    form = {f"{key}{part}": value for part, value in parts.items()} | {f"was-{key}": digest(was)}
    return desk.owner.post(desk.url(f"/record/{seq}/cell/{key}"), data=form, headers={"HX-Request": "true"}, **more)


@pytest.fixture
def seq(desk: Desk) -> int:
    """A record with a text, and two people of whom the second has the first as boss."""
    desk.put(PEOPLE, name="Ada")
    desk.put(PEOPLE, name="Bo", boss=[1])
    return desk.put(text="First")


@pytest.mark.parametrize(("word", "parts", "expected"), ENTERED)
def test_each_type_is_entered_in_its_cell(desk: Desk, seq: int, word: str, parts: dict[str, Any], expected: Any) -> None:
    """What a form's controls send becomes the value as it is stored, and the whole row comes back."""
    answer = send(desk, seq, word, parts, was=desk.value(seq, word))

    assert answer.status_code == 200, answer.get_data(as_text=True)[-500:]
    assert f'data-seq="{seq}"' in answer.get_data(as_text=True)
    assert desk.value(seq, word) == expected


@pytest.mark.parametrize("word", sorted({word for word, _, _ in ENTERED} | {"member", "department", "org_role", "file", "signature", "imported"}
                                        - {"imported"}))
def test_each_type_has_an_editor(desk: Desk, seq: int, word: str) -> None:
    """The editor of a cell comes as a form with its token and the mark of the value."""
    answer = desk.owner.get(desk.url(f"/record/{seq}/cell/{key_of('f', word)}"))

    assert answer.status_code == 200
    assert f'name="was-{key_of("f", word)}"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("word", ["autonumber", "double", "created_time", "created_by", "imported"])
def test_what_is_computed_or_given_has_no_editor(desk: Desk, seq: int, word: str) -> None:
    """Values that nobody enters are refused: they are seen and not changed."""
    assert desk.owner.get(desk.url(f"/record/{seq}/cell/{key_of('f', word)}")).status_code == 403


@pytest.mark.parametrize(("word", "text"), [
    ("number", "many"), ("exact", "1.234"), ("date", "tomorrow"), ("datetime", "soon"), ("email", "nobody"), ("url", "javascript:alert(1)"),
    ("email", "mailto:a@b.de"), ("email", "A@B.DE,"), ("email", "Ann <a@b.de>"), ("url", "http://"), ("url", "https:///x"), ("url", "mailto:"),
    ("url", "/"), ("url", "https://[x"),
    ("rating", "9"), ("duration", "long"), ("single_select", "o_Nothing111"), ("link", "99"), ("text", ""), ("percent", "1e99"),
    ("free_link", "worksheet/w_Nothing111/record/1"), ("free_link", f"worksheet/{PEOPLE}/record/{2**63}"),
    pytest.param("free_link", f"worksheet/{PEOPLE}/record/{'9' * 5000}", id="free_link-endless"), ("member", "user/nobody"), ("department", "department/d_Nothing111")])
def test_a_mistake_is_shown_at_its_cell(desk: Desk, seq: int, word: str, text: str) -> None:
    """A refused value answers 422 with the editor, what was typed in it, and a sentence; nothing is saved."""
    before = desk.vals(seq)

    answer = send(desk, seq, word, {"": text}, was=desk.value(seq, word))

    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "closest td"
    assert 'class="error"' in answer.get_data(as_text=True)
    assert desk.vals(seq) == before


def test_an_emptied_cell_is_empty(desk: Desk, seq: int) -> None:
    """Nothing entered is no value at all."""
    desk.put(seq=seq, number=5)

    send(desk, seq, "number", {"": ""}, was=5)

    assert desk.value(seq, "number") is None


def test_computed_values_of_the_row_follow(desk: Desk, seq: int) -> None:
    """The row that comes back has what builds on the value, computed anew."""
    assert ">42<" in send(desk, seq, "number", {"": "21"}).get_data(as_text=True)


def test_somebody_elses_change_is_not_overwritten_in_silence(desk: Desk, seq: int) -> None:
    """When the value changed since the editor was opened, theirs is shown, and only saving again puts mine in its place."""
    desk.put(seq=seq, number=1)
    desk.put(seq=seq, number=2)

    answer = send(desk, seq, "number", {"": "3"}, was=1)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert "Somebody changed this" in page and "It is now: 2" in page and 'value="3"' in page
    assert desk.value(seq, "number") == 2

    assert send(desk, seq, "number", {"": "3"}, was=2).status_code == 200
    assert desk.value(seq, "number") == 3


def test_somebody_elses_change_of_another_field_is_kept(desk: Desk, seq: int) -> None:
    """A form writes what its visitor touched, nothing else."""
    desk.put(seq=seq, number=1)
    number, words = key_of("f", "number"), key_of("f", "text")
    form = {number: "1", f"was-{number}": digest(1), words: "Mine", f"was-{words}": digest("First")}
    desk.put(seq=seq, number=2)

    answer = desk.owner.post(desk.url(f"/record/{seq}/edit"), data=form)

    assert answer.status_code == 302
    assert (desk.value(seq, "text"), desk.value(seq, "number")) == ("Mine", 2)


def test_moments_are_entered_in_the_organizations_time_zone(desk: Desk, seq: int) -> None:
    """09:30 in Berlin in November is 08:30 UTC; what is not touched keeps its parts of a second."""
    with as_tenant(desk.organization_id), transaction():
        tenants.find_organization(desk.organization_id).time_zone = "Europe/Berlin"

    send(desk, seq, "datetime", {"": "2026-11-23T09:30"})
    assert desk.value(seq, "datetime") == "2026-11-23T08:30:00Z"

    desk.put(seq=seq, datetime="2026-11-23T08:30:00.5Z")
    send(desk, seq, "datetime", {"": "2026-11-23T09:30"}, was="2026-11-23T08:30:00.5Z")
    assert desk.value(seq, "datetime") == "2026-11-23T08:30:00.5Z"


def test_people_are_chosen_from_the_organization(desk: Desk, seq: int) -> None:
    """A member is offered by name and stored by address."""
    person = f"user/{tenants.user_by_email(OWNER).id}"

    assert person in desk.owner.get(desk.url(f"/record/{seq}/cell/{key_of('f', 'member')}")).get_data(as_text=True)
    send(desk, seq, "member", {"": [person]})

    assert desk.value(seq, "member") == [{"org": person}]


def test_a_file_is_uploaded_kept_and_taken_out(desk: Desk, seq: int) -> None:
    """Files come with the form; those whose tick is gone go."""
    key = key_of("f", "file")
    send(desk, seq, "file", {"": (io.BytesIO(b"one"), "../../a b.txt")}, content_type="multipart/form-data")
    first = desk.value(seq, "file")

    assert [(item["name"], item["size"]) for item in first] == [("a b.txt", 3)]

    form = {f"was-{key}": digest(first), f"{key}-keep": first[0]["file"], key: (io.BytesIO(b"two"), "b.png")}
    desk.owner.post(desk.url(f"/record/{seq}/cell/{key}"), data=form, content_type="multipart/form-data")
    assert [item["name"] for item in desk.value(seq, "file")] == ["a b.txt", "b.png"]

    desk.owner.post(desk.url(f"/record/{seq}/cell/{key}"), data={f"was-{key}": digest(desk.value(seq, "file"))})
    assert desk.value(seq, "file") is None


def test_a_digest_from_outside_gives_nobody_a_file(desk: Desk, seq: int) -> None:
    """What a form says it keeps is kept only if the record had it; a forged file is none."""
    other = desk.put(text="Other")
    send(desk, other, "file", {"": (io.BytesIO(b"private"), "p.txt")}, content_type="multipart/form-data")
    content = desk.value(other, "file")[0]["file"]
    key = key_of("f", "file")

    desk.owner.post(desk.url(f"/record/{seq}/cell/{key}"), data={
        f"was-{key}": "", f"{key}-keep": content, f"{key}-new": f'{{"file":"{content}","name":"p","size":7,"type":"text/plain"}}'})

    assert desk.value(seq, "file") is None


def test_a_file_survives_a_mistake_elsewhere_in_the_form(desk: Desk) -> None:
    """The form comes back with the uploaded file signed in it, so that it need not be chosen again."""
    file, words, mail = key_of("f", "file"), key_of("f", "text"), key_of("f", "email")
    wrong = {words: "New", f"was-{words}": "", mail: "nobody", f"was-{mail}": "", f"was-{file}": "", file: (io.BytesIO(b"kept"), "k.txt")}
    page = desk.owner.post(desk.url("/new"), data=wrong, content_type="multipart/form-data")
    signed = page.get_data(as_text=True).partition(f'name="{file}-new" value="')[2].partition('"')[0]

    assert page.status_code == 422 and signed
    right = {words: "New", f"was-{words}": "", f"was-{file}": "", f"{file}-new": signed}
    assert desk.owner.post(desk.url("/new"), data=right).status_code == 302
    assert [item["name"] for item in desk.value(1, "file")] == ["k.txt"]


def test_a_card_is_moved_by_its_menu(desk: Desk, seq: int) -> None:
    """Moving a card changes the field that stacks it, and goes back to the board."""
    key = key_of("f", "single_select")
    back = desk.url("?view=v_Board11111")

    answer = desk.owner.post(desk.url(f"/record/{seq}/move/{key}"), data={key: RED, f"was-{key}": "", "back": back})

    assert (answer.status_code, answer.location) == (302, back)
    assert desk.value(seq, "single_select") == RED


def test_the_way_back_stays_in_the_app(desk: Desk, seq: int) -> None:
    """An address of somewhere else is not gone to."""
    key = key_of("f", "single_select")
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", f"/o/{desk.organization_id}\r\nX: y"):
        answer = desk.owner.post(desk.url(f"/record/{seq}/move/{key}"), data={key: RED, f"was-{key}": "", "back": back})
        assert answer.location == desk.url()


def test_choosing_is_bounded_and_searched(desk: Desk, seq: int) -> None:
    """A picker lists twenty, and finds the others by what they are called."""
    for n in range(30):
        desk.put(PEOPLE, name=f"Person {n:02d}")
    key = key_of("f", "link")

    page = desk.owner.get(desk.url(f"/record/{seq}/cell/{key}")).get_data(as_text=True)
    found = desk.owner.get(desk.url(f"/choose/{key}?find-{key}=Person+27")).get_data(as_text=True)

    assert page.count(f'name="{key}"') == 20
    assert "Person 27" in found and found.count(f'name="{key}"') == 1


def test_a_value_that_fits_no_more_does_not_keep_others_from_being_changed(desk: Desk, seq: int) -> None:
    """A field takes one file since: the two of before stay, until somebody changes them."""
    send(desk, seq, "file", {"": [(io.BytesIO(b"a"), "a.txt"), (io.BytesIO(b"b"), "b.txt")]}, content_type="multipart/form-data")
    two = desk.value(seq, "file")
    with as_tenant(desk.organization_id), transaction():
        sheet = documents.get(desk.app, f"worksheet/{SHEET}")
        fields = [{**one, "options": {"multiple": False}} if one["key"] == key_of("f", "file") else one for one in sheet.body["fields"]]
        documents.put(desk.app, replace(sheet, body={**sheet.body, "fields": fields}), "system")
    text, file = key_of("f", "text"), key_of("f", "file")
    form = {f"was-{text}": digest("First"), text: "Second", f"was-{file}": digest(two), f"{file}-keep": [one["file"] for one in two]}

    assert desk.owner.post(desk.url(f"/record/{seq}/edit"), data=form).status_code == 302
    assert (desk.value(seq, "text"), desk.value(seq, "file")) == ("Second", two)
    more = {"-keep": [one["file"] for one in two], "": (io.BytesIO(b"c"), "c.txt")}
    assert send(desk, seq, "file", more, was=two, content_type="multipart/form-data").status_code == 422


def test_an_address_that_stands_already_stays(desk: Desk, seq: int) -> None:
    """As an earlier version or an import let it in: it is read, saved with its record, brought back from a backup, and is no link."""
    old = {"email": "mailto:a@b.de", "url": "http://"}
    with as_tenant(desk.organization_id):
        with transaction():
            records.put_record(desk.app, SHEET, seq, {key_of("f", word): value for word, value in old.items()}, "system")
        backup = direct.back_up(desk.app)
    shown = desk.owner.get(desk.url(f"/record/{seq}")).get_data(as_text=True)
    assert ">http://</" in shown and 'href="http://"' not in shown
    form = {name: text for word, value in {"text": desk.value(seq, "text"), **old}.items()
            for name, text in ((key_of("f", word), value), (f"was-{key_of('f', word)}", digest(value)))}
    assert desk.owner.post(desk.url(f"/record/{seq}/edit"), data={**form, key_of("f", "text"): "Second"}).status_code == 302
    assert [*old.values(), "Second"] == [desk.value(seq, word) for word in (*old, "text")]
    send(desk, seq, "url", {"": "https://example.org"}, was="http://")
    with as_tenant(desk.organization_id):
        direct.restore(desk.app, backup, config=False)
    assert "http://" == desk.value(seq, "url")


def test_a_signature_of_another_kind_stays_when_nobody_touches_it(desk: Desk) -> None:
    """One that an import brought; a new one has to be a picture all the same."""
    field: Any = SimpleNamespace(key="f")
    old = [{"file": "0" * 64, "name": "signature.svg", "size": 1, "type": "image/svg+xml"}]
    form = MultiDict([("f-keep", "0" * 64)])

    def given(fresh: list[dict[str, Any]]) -> Given:
        return Given(form, old, ZoneInfo("UTC"), {"f": fresh}, lambda _field, _seq: [])

    assert old == read_signature(field, given([]))
    with pytest.raises(InvalidValue):
        read_signature(field, given([{**old[0], "file": "1" * 64}]))
