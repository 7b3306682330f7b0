"""The pages on documents that serve every component: listed, made, changed, moved, hidden, part by part."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from core.api import App, apps, documents, transaction
from core.runs import service as runs
from tests.core.web.editor.browsing import sent_of
from tests.core.web.notebooks import body, made, manage, names, notes
from tests.web import Browser, make_member, signed_in


def sent(client: Browser, address: str) -> dict[str, str]:
    """Return what a form sends that nobody touched."""
    answer = client.get(address)
    assert 200 == answer.status_code
    return dict(sent_of(answer.get_data(as_text=True)))


def save(client: Browser, address: str, **given: str) -> TestResponse:
    """Send a form with a few things changed; names are those of the schema."""
    form = sent(client, address) | {f"v.{name}": value for name, value in given.items()} | {"do": "save"}
    return client.post(address, data=MultiDict(form))


def page(answer: TestResponse) -> str:
    """Return an answer's text."""
    return answer.get_data(as_text=True)


def test_the_management_counts_what_there_is(client: Browser, notebooks: App) -> None:
    """A card a component; the bin says how much is in it."""
    address = made(notebooks, "Red")
    made(notebooks, "Blue")
    assert "2 notebooks" in page(client.get(manage(notebooks)))
    with transaction():
        documents.hide(apps.find(notebooks.id), address, "system")
    assert "1 notebook" in page(client.get(manage(notebooks))) and "1 item" in page(client.get(manage(notebooks)))


def test_a_component_lists_its_documents_in_order(client: Browser, notebooks: App) -> None:
    """By kind, each leading to its editor."""
    address = made(notebooks, "Red", description="Of roses")
    made(notebooks, "Blue")
    text = page(client.get(manage(notebooks, "notebooks")))
    assert text.index("Red</a>") < text.index("Blue</a>")
    assert manage(notebooks, address) in text and "Of roses" in text and manage(notebooks, "notebook/new") in text


def test_a_component_without_documents_says_so(client: Browser, notebooks: App) -> None:
    """And one that there is not is not found."""
    assert "None yet" in page(client.get(manage(notebooks, "notebooks")))
    assert 404 == client.get(manage(notebooks, "nothing")).status_code


def test_a_document_is_made(client: Browser, notebooks: App) -> None:
    """With what was typed and the empty lists that its kind asks for; one comes to its editor."""
    answer = save(client, manage(notebooks, "notebook/new"), name="Red", description="Of roses")
    assert 303 == answer.status_code
    address = answer.location.removeprefix(manage(notebooks))
    assert {"name": "Red", "description": "Of roses", "notes": []} == body(notebooks, address)
    assert "Notebook created." in page(client.get(answer.location))


def test_what_does_not_fit_is_refused_beside_its_field(client: Browser, notebooks: App) -> None:
    """Nothing is made, what was typed is still there, and each field says what is wrong with it."""
    address = manage(notebooks, "notebook/new")
    form = sent(client, address) | {"v.name": "", "v.description": "Kept words", "do": "more v"} | {"v~more": "pages"}
    opened = client.post(address, data=form)
    form = dict(sent_of(page(opened))) | {"v.pages": "100", "do": "save"}
    answer = client.post(address, data=form)
    text = page(answer)
    assert 422 == answer.status_code and [] == names(notebooks)
    assert 2 == text.count('class="error"') == text.count('aria-invalid="true"')
    assert "Kept words" in text and 'value="100"' in text


def test_a_single_kind_is_not_made_again(client: Browser, notebooks: App) -> None:
    """Every app has its one."""
    assert 404 == client.get(manage(notebooks, "cover/new")).status_code


def test_an_untouched_form_changes_nothing(client: Browser, notebooks: App) -> None:
    """Its parts, which the form does not ask for, stay too."""
    address = made(notebooks, "Red", notes=notes("Ash", "Birch"), pages=7)
    before = body(notebooks, address)
    assert 303 == save(client, manage(notebooks, address)).status_code
    assert before == body(notebooks, address)


def test_a_document_is_changed_where_it_stands(client: Browser, notebooks: App) -> None:
    """Its place among its siblings and its parts are as before."""
    address = made(notebooks, "Red", notes=notes("Ash"))
    made(notebooks, "Blue")
    assert 303 == save(client, manage(notebooks, address), name="Green").status_code
    assert ["Green", "Blue"] == names(notebooks)
    assert notes("Ash") == body(notebooks, address)["notes"]


def test_a_stale_edit_is_refused(client: Browser, notebooks: App) -> None:
    """Whoever was slower is told, keeps what they typed, and overwrites nothing."""
    address = made(notebooks, "Red")
    form = sent(client, manage(notebooks, address))
    save(client, manage(notebooks, address), name="First")
    answer = client.post(manage(notebooks, address), data=form | {"v.name": "Second", "do": "save"})
    assert 409 == answer.status_code
    assert "Somebody else changed this" in page(answer) and 'value="Second"' in page(answer)
    assert ["First"] == names(notebooks)


def test_the_editor_says_who_points_here(client: Browser, notebooks: App) -> None:
    """Before something is deleted, one sees what will find it gone."""
    address = made(notebooks, "Red")
    made(notebooks, "Index", about={"ref": address})
    text = page(client.get(manage(notebooks, address)))
    assert "It is used by" in text and "Index</a>" in text


def test_a_hidden_document_is_in_the_bin(client: Browser, notebooks: App) -> None:
    """Gone from the list and from its address; hiding it again is not found."""
    address = made(notebooks, "Red")
    answer = client.post(manage(notebooks, f"{address}/hide"))
    assert manage(notebooks, "notebooks") == answer.location
    assert [] == names(notebooks) and [address] == [a for a, _ in documents.bin_of(apps.find(notebooks.id))]
    assert 404 == client.get(manage(notebooks, address)).status_code
    assert 404 == client.post(manage(notebooks, f"{address}/hide")).status_code


def test_one_comes_back_to_pages_of_this_management_only(client: Browser, notebooks: App) -> None:
    """An address elsewhere, or one that climbs out, is not followed."""
    for back, followed in ((manage(notebooks, "settings/navigation"), True), ("https://evil.example/", False),
                           (manage(notebooks, "../../x"), False), (manage(notebooks, "\\evil"), False)):
        answer = client.post(manage(notebooks, f"{made(notebooks, 'Red')}/hide"), data={"back": back})
        assert (back if followed else manage(notebooks, "notebooks")) == answer.location


def test_a_single_document_cannot_be_hidden(client: Browser, notebooks: App) -> None:
    """An app always has exactly one."""
    with transaction():
        documents.put(apps.find(notebooks.id), documents.Document(kind="cover", key="main", body={"name": "C"}, position=0), "system")
    assert 409 == client.post(manage(notebooks, "cover/main/hide")).status_code
    assert "Delete this" not in page(client.get(manage(notebooks, "cover/main")))


def test_documents_move_up_and_down(client: Browser, notebooks: App) -> None:
    """One step; at the ends, and for what is no direction, nothing moves."""
    made(notebooks, "Red")
    second = made(notebooks, "Blue")
    made(notebooks, "Green")
    for to, order in (("up", "Blue Red Green"), ("up", "Blue Red Green"), ("down", "Red Blue Green"), ("down", "Red Green Blue"),
                      ("down", "Red Green Blue"), ("sideways", "Red Green Blue")):
        assert 303 == client.post(manage(notebooks, f"{second}/move"), data={"to": to}).status_code
        assert order.split() == names(notebooks)


def test_a_part_is_made_changed_moved_and_hidden(client: Browser, notebooks: App) -> None:
    """Each with its own page; it keeps its key."""
    address = made(notebooks, "Red", notes=notes("Ash"))
    assert 303 == save(client, manage(notebooks, f"{address}/note/new"), name="Birch").status_code
    first, second = body(notebooks, address)["notes"]  # type: ignore[misc]
    assert "Birch" == second["name"] and second["key"].startswith("m_")
    save(client, manage(notebooks, f"{address}/note/{first['key']}"), name="Uno")
    client.post(manage(notebooks, f"{address}/note/{second['key']}/move"), data={"to": "up"})
    assert [second, {**first, "name": "Uno"}] == body(notebooks, address)["notes"]
    answer = client.post(manage(notebooks, f"{address}/note/{second['key']}/hide"))
    assert manage(notebooks, address) == answer.location
    assert [{**first, "name": "Uno"}] == body(notebooks, address)["notes"]


def test_a_part_that_does_not_fit_is_refused(client: Browser, notebooks: App) -> None:
    """Beside its field; parts and kinds of parts that there are not are not found."""
    address = made(notebooks, "Red", notes=notes("Ash"))
    answer = save(client, manage(notebooks, f"{address}/note/new"), name="x" * 101)
    assert 422 == answer.status_code and 'class="error"' in page(answer)
    for path in ("note/m_9999999999", "leaf/new", "note/m_9999999999/hide", "note/m_9999999999/move"):
        method = client.post if path.endswith(("hide", "move")) else client.get
        assert 404 == method(manage(notebooks, f"{address}/{path}")).status_code
    assert notes("Ash") == body(notebooks, address)["notes"]


def test_whoever_manages_the_app_comes_to_the_editor(client: Browser, notebooks: App) -> None:
    """The address of a document leads there; to others, without a right, it does not exist."""
    address = made(notebooks, "Red")
    where = f"/o/{notebooks.organization_id}/apps/{notebooks.id}/{address}"
    assert manage(notebooks, address) == client.get(where).location
    assert 404 == client.get(where.replace("notebook", "leaflet")).status_code


@pytest.mark.parametrize("path", ["", "notebooks", "notebook/new", "bin"])
def test_pages_are_for_admins_of_the_app(sqlite_server: Flask, client: Browser, notebooks: App, path: str) -> None:
    """A member who has no role does not learn of the app."""
    make_member(notebooks.organization_id, "mia@example.org")
    assert 404 == signed_in(sqlite_server, "mia@example.org").get(manage(notebooks, path)).status_code


def test_nothing_is_written_while_the_app_is_restored(client: Browser, notebooks: App) -> None:
    """The refusal says why; reading goes on."""
    address = made(notebooks, "Red")
    with transaction():
        run = runs.request("restore", apps.find(notebooks.id), {}, "system", send=False)
        apps.find(notebooks.id).restoring_run_id = run.id
    answer = save(client, manage(notebooks, address), name="Blue")
    assert answer.status_code in (409, 423) and "being restored" in page(answer)
    assert ["Red"] == names(notebooks)


def test_what_is_gone_is_named_by_its_kind(client: Browser, notebooks: App) -> None:
    """Not by an id that nobody has ever seen; in its editor and in the bin."""
    address = made(notebooks, "Red")
    key = address.partition("/")[2]
    with transaction():
        documents.hide(apps.find(notebooks.id), address, "system")
    gone = client.get(manage(notebooks, address))
    assert 404 == gone.status_code and "This notebook does not exist" in page(gone)
    for _ in range(2):
        brought = client.post(manage(notebooks, "bin/bring-back"), data={"address": address})
    for answer in (gone, brought):
        assert key not in page(answer).partition("<h1")[2]
