"""The recycle bin of an app: what is in it, brought back to where it was, deleted for good only when it is meant."""

from __future__ import annotations

from core.api import App, apps, documents, transaction
from tests.core.web.notebooks import body, made, manage, names, notes
from tests.web import Browser


def hide(app: App, *addresses: str) -> None:
    """Move things to the bin."""
    for address in addresses:
        with transaction():
            documents.hide(apps.find(app.id), address, "system")


def inside(app: App) -> list[str]:
    """Return what is in the bin."""
    return sorted(address for address, _ in documents.bin_of(apps.find(app.id)))


def page(client: Browser, app: App) -> str:
    """Return the bin's page."""
    return client.get(manage(app, "bin")).get_data(as_text=True)


def test_an_empty_bin_says_so(client: Browser, notebooks: App) -> None:
    """And offers nothing to empty."""
    assert "The recycle bin is empty" in page(client, notebooks) and "Empty recycle bin" not in page(client, notebooks)


def test_the_bin_names_what_is_in_it(client: Browser, notebooks: App) -> None:
    """Documents by their names, parts with what they belong to."""
    red, blue = made(notebooks, "Red"), made(notebooks, "Blue", notes=notes("Ash"))
    hide(notebooks, red, f"{blue}/note/m_Ash1111111")
    text = page(client, notebooks)
    assert "<strong>Red</strong>" in text and "Note of Blue" in text


def test_things_come_back_to_where_they_were(client: Browser, notebooks: App) -> None:
    """A document among its siblings, a part among its own."""
    made(notebooks, "Red")
    blue = made(notebooks, "Blue", notes=notes("Ash", "Birch", "Cedar"))
    made(notebooks, "Green")
    part = f"{blue}/note/m_Birch11111"
    hide(notebooks, part, blue)
    for address in (blue, part):
        answer = client.post(manage(notebooks, "bin/bring-back"), data={"document": address})
        assert manage(notebooks, "bin") == answer.location
    assert ["Red", "Blue", "Green"] == names(notebooks)
    assert notes("Ash", "Birch", "Cedar") == body(notebooks, blue)["notes"]
    assert "was restored" in page(client, notebooks)


def test_a_part_waits_for_its_document(client: Browser, notebooks: App) -> None:
    """As long as that is in the bin too, the page says what comes first, and nothing happens before."""
    blue = made(notebooks, "Blue", notes=notes("Ash"))
    part = f"{blue}/note/m_Ash1111111"
    hide(notebooks, part, blue)
    assert "Restore “<bdi>Blue</bdi>” first" in page(client, notebooks)
    assert 404 == client.post(manage(notebooks, "bin/bring-back"), data={"document": part}).status_code
    assert sorted([blue, part]) == inside(notebooks)


def test_what_holds_data_goes_only_by_its_name(client: Browser, notebooks: App) -> None:
    """Another name, or none, deletes nothing and says so; the right one does."""
    red = made(notebooks, "Red")
    hide(notebooks, red)
    for name in ("", "red", "Blue"):
        client.post(manage(notebooks, "bin/delete"), data={"document": red, "name": name})
        assert [red] == inside(notebooks)
    assert "type its name exactly: Red" in page(client, notebooks)
    client.post(manage(notebooks, "bin/delete"), data={"document": red, "name": " Red "})
    assert [] == inside(notebooks)


def test_a_part_goes_without_a_name(client: Browser, notebooks: App) -> None:
    """It holds nothing that is not seen on the page."""
    blue = made(notebooks, "Blue", notes=notes("Ash"))
    hide(notebooks, f"{blue}/note/m_Ash1111111")
    client.post(manage(notebooks, "bin/delete"), data={"document": f"{blue}/note/m_Ash1111111"})
    assert [] == inside(notebooks) and [] == body(notebooks, blue)["notes"]


def test_what_is_not_in_the_bin_is_not_found(client: Browser, notebooks: App) -> None:
    """A live document is never deleted from here, nor anything that there is not."""
    red = made(notebooks, "Red")
    for verb in ("bring-back", "delete"):
        for address in (red, "notebook/n_9999999999", "", "x" * 500):
            assert 404 == client.post(manage(notebooks, f"bin/{verb}"), data={"document": address, "name": "Red"}).status_code
    assert ["Red"] == names(notebooks)


def test_emptying_asks_whether_one_is_sure(client: Browser, notebooks: App) -> None:
    """Without the tick nothing goes."""
    red = made(notebooks, "Red")
    hide(notebooks, red)
    answer = client.post(manage(notebooks, "bin/empty"), data={"address": red})
    assert 422 == answer.status_code or 400 == answer.status_code
    assert [red] == inside(notebooks)


def test_emptying_takes_what_the_page_showed_and_no_more(client: Browser, notebooks: App) -> None:
    """What came to the bin while the page was open stays; what left it meanwhile is no error."""
    red, blue = made(notebooks, "Red"), made(notebooks, "Blue", notes=notes("Ash"))
    part = f"{blue}/note/m_Ash1111111"
    hide(notebooks, red, part)
    late = made(notebooks, "Late")
    hide(notebooks, late, blue)
    client.post(manage(notebooks, "bin/empty"), data={"sure": "1", "address": [red, part, "notebook/n_9999999999"]})
    assert sorted([blue, late]) == inside(notebooks)


def test_one_comes_back_to_the_page_one_came_from(client: Browser, notebooks: App) -> None:
    """A page of the same app's management; nothing else is followed."""
    for back, followed in ((manage(notebooks, "notebooks"), True), ("//evil.example", False), (manage(notebooks, "../x"), False)):
        red = made(notebooks, "Red")
        hide(notebooks, red)
        answer = client.post(manage(notebooks, "bin/bring-back"), data={"document": red, "back": back})
        assert (back if followed else manage(notebooks, "bin")) == answer.location
