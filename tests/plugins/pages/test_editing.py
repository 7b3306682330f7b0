"""The editor of a page: a page made, blocks added, moved, changed, refused; and nothing lost on the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from core.api import App, apps, documents
from plugins.pages.block_types import KINDS
from plugins.sample.keys import field, key, ref
from plugins.sample.pages import block, said
from tests.core.web.editor.browsing import sent_of
from tests.plugins.pages.making import PAGE, at, blocks, colleague, editor, put, text
from tests.web import Browser

SOURCE = {"key": key("d", "Comp"), "name": "Companies", "kind": "list", "worksheet": ref("worksheet", "w", "Companies")}


def seen(client: Browser, app: App) -> str:
    """Return what the forms of the editor say that they were made from."""
    found = re.search(r'name="digest" value="([0-9a-f]+)"', text(client, editor(app)))
    assert found is not None
    return found[1]


def do(client: Browser, app: App, command: str, **form: str) -> Any:
    """Press a button beside a block."""
    return client.post(editor(app, "/blocks"), data={"digest": seen(client, app), "do": command} | form)


def save(client: Browser, address: str, **given: str) -> Any:
    """Save a form with a few things changed."""
    form = dict(sent_of(text(client, address))) | {f"v.{name}": value for name, value in given.items()} | {"do": "save"}
    return client.post(address, data=form)


def test_a_page_is_made_with_its_first_words(client: Browser, sample: App) -> None:
    """One comes to its editor, and the page shows them."""
    answer = client.post(at(sample, "manage/page/new"), data={"name": "News", "heading": "", "text": "Some **{bold}** words"})
    assert 303 == answer.status_code
    page = text(client, answer.location.replace("/manage", ""))
    assert '<h1 class="pg-h1">News</h1>' in page and "<strong>{bold}</strong>" in page


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_a_page_without_a_good_name_is_refused(client: Browser, sample: App, name: str) -> None:
    """With what was typed still there."""
    answer = client.post(at(sample, "manage/page/new"), data={"name": name, "text": "Kept words"})
    assert 422 == answer.status_code and "Kept words" in answer.get_data(as_text=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_block_can_be_added_and_opened(client: Browser, sample: App, kind: str) -> None:
    """It has a form, the page still shows, and saving the form untouched changes nothing."""
    put(sample, block("Say", "text", text=said("Words")), sources=[SOURCE])
    answer = do(client, sample, "add ", type=kind)
    made = blocks(sample)[-1]
    assert kind == made["type"] and editor(sample, f"/block/{made['key']}") == answer.location
    assert 200 == client.get(at(sample, f"page/{PAGE}")).status_code
    if kind in NEED_RECORDS:
        assert 422 == save(client, answer.location).status_code  # without a worksheet it shows nothing
        return
    assert 303 == save(client, answer.location).status_code
    assert made == blocks(sample)[-1]


NEED_RECORDS = ("view", "chart")


@pytest.mark.parametrize("kind", NEED_RECORDS)
@pytest.mark.parametrize("sources", [[], [SOURCE]], ids=["without-sources", "with-a-source"])
def test_a_block_that_shows_records_must_say_which(client: Browser, sample: App, kind: str, sources: list[Any]) -> None:
    """It is refused without a worksheet, and saved with one."""
    put(sample, block("Show", kind, **({"chart": {"type": "bar"}} if kind == "chart" else {})), sources=sources)
    address = editor(sample, f"/block/{key('b', 'Show')}")
    assert 422 == save(client, address).status_code
    assert 303 == save(client, address, worksheet=ref("worksheet", "w", "Companies")["ref"]).status_code


def test_a_chart_offers_the_fields_and_views_of_its_worksheet_only(client: Browser, sample: App) -> None:
    """None before one is chosen; choosing another brings that one's, and what was chosen before is said to be another's."""
    put(sample, block("Show", "chart", chart={"type": "bar"}), sources=[SOURCE])
    address = editor(sample, f"/block/{key('b', 'Show')}")
    assert "/field/" not in options(text(client, address), "v.chart.group_by")
    companies, deals = (ref("worksheet", "w", name)["ref"] for name in ("Companies", "Deals"))
    form = dict(sent_of(text(client, address))) | {"do": "pick v.worksheet"}
    for chosen, other in ((companies, deals), (deals, companies)):
        page = client.post(address, data=form | {"v.worksheet": chosen}).get_data(as_text=True)
        for name in ("v.chart.group_by", "v.chart.value", "v.view"):
            assert f"{chosen}/" in options(page, name) and f"{other}/" not in options(page, name), name
    page = client.post(address, data=form | {"v.worksheet": "", "v.source": "Companies"}).get_data(as_text=True)
    assert f"{companies}/" in options(page, "v.chart.group_by") and f"{deals}/" not in options(page, "v.chart.group_by")
    field = re.findall(rf'value="({companies}/field/[^"]+)"', options(page, "v.chart.group_by"))[0]
    page = client.post(address, data=form | {"v.worksheet": deals, "v.chart.group_by": field}).get_data(as_text=True)
    assert "belongs to another worksheet" in page


def options(page: str, name: str) -> str:
    """Return what a select offers."""
    found = re.search(rf'<select[^>]* name="{re.escape(name)}".*?</select>', page, re.DOTALL)
    return found[0] if found is not None else ""


def test_a_line_of_the_tree_says_what_its_block_shows(client: Browser, sample: App) -> None:
    """Values by their tokens, not by numbers; a block without a text by its worksheet; a long text is cut with a sign of it."""
    put(sample, block("Hi", "heading", text={"template": "Good day, {0}", "uses": [{"user": "name"}]}, level=1),
        block("Deals", "view", worksheet=ref("worksheet", "w", "Deals")), block("Long", "text", text=said("word " * 40)))
    found = [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r'pg-row-name"[^>]*>(.*?)</a>', text(client, editor(sample)))]
    assert ["Heading Good day, {user.name}", "Worksheet view Deals"] == found[:2] and found[2].endswith("word…")


def test_blocks_are_added_inside_others_and_moved(client: Browser, sample: App) -> None:
    """Into a column, up, out; each act is one step of the tree."""
    put(sample, block("Two", "columns", columns=2), block("Say", "text", text=said("Words")))
    do(client, sample, f"add {key('b', 'Two')}", type="text", column="1")
    inner = blocks(sample)[0]["blocks"][0]
    assert 1 == inner["column"]
    do(client, sample, f"out {inner['key']}")
    assert [key("b", "Two"), inner["key"], key("b", "Say")] == [one["key"] for one in blocks(sample)]
    do(client, sample, f"remove {inner['key']}")
    assert [key("b", "Two"), key("b", "Say")] == [one["key"] for one in blocks(sample)]


def test_blocks_are_laid_out_beside_each_other(client: Browser, sample: App) -> None:
    """Each as wide as some of twelve columns; full width is what it has without a word. An odd width from elsewhere is none."""
    put(sample, block("One", "text", text=said("1")), block("Two", "text", text=said("2"), style={"padding_top": 40}))
    for name, width in (("One", 8), ("Two", 4)):
        do(client, sample, f"width-{width} {key('b', name)}")
    assert [{"span": 8}, {"padding_top": 40, "span": 4}] == [one["style"] for one in blocks(sample)]
    page = text(client, at(sample, f"page/{PAGE}"))
    assert 1 == page.count("pg-grid") and "pg-cell-8" in page and "pg-cell-4" in page
    assert "Two thirds" in text(client, editor(sample))
    for name in ("One", "Two"):
        do(client, sample, f"width-12 {key('b', name)}")
    assert "style" not in blocks(sample)[0] and {"padding_top": 40} == blocks(sample)[1]["style"]
    assert "pg-grid" not in text(client, at(sample, f"page/{PAGE}"))
    put(sample, block("One", "text", text=said("1"), style={"span": 99}))
    assert "pg-grid" not in text(client, at(sample, f"page/{PAGE}"))


def test_an_act_on_an_older_state_does_nothing(client: Browser, sample: App) -> None:
    """Whoever was slower sees how it is now."""
    put(sample, block("One", "text", text=said("1")), block("Two", "text", text=said("2")))
    old = seen(client, sample)
    do(client, sample, f"up {key('b', 'Two')}")
    before = blocks(sample)
    answer = client.post(editor(sample, "/blocks"), data={"digest": old, "do": f"remove {key('b', 'One')}"})
    assert before == blocks(sample)
    assert "Somebody else changed this page" in text(client, answer.location)


@pytest.mark.parametrize(("command", "form", "status"), [
    ("add ", {"type": "bomb"}, 422), ("add ", {}, 422), ("fly b_1111111111", {}, 404), ("remove b_9999999999", {}, 404),
    ("add b_9999999999", {"type": "text"}, 404), ("", {}, 404)])
def test_what_makes_no_sense_is_refused(client: Browser, sample: App, command: str, form: dict[str, str], status: int) -> None:
    """And the page stays as it is."""
    put(sample, block("Say", "text", text=said("Words")))
    before = blocks(sample)
    assert do(client, sample, command, **form).status_code in (status, 400)
    assert before == blocks(sample)


def test_a_block_that_holds_no_others_takes_none(client: Browser, sample: App) -> None:
    """The page says so."""
    put(sample, block("Say", "text", text=said("Words")))
    answer = do(client, sample, f"add {key('b', 'Say')}", type="text")
    assert 1 == len(blocks(sample)) and answer.status_code in (303, 409)


def test_a_text_is_changed_with_tokens(client: Browser, sample: App) -> None:
    """What fills a text is written with its name in braces."""
    put(sample, block("Say", "text", format="plain", text=said("Words")))
    assert 303 == save(client, editor(sample, f"/block/{key('b', 'Say')}"), text="Hello {user.name}, {{braces}}").status_code
    assert {"template": "Hello {0}, {{braces}}", "uses": [{"user": "name"}]} == blocks(sample)[0]["text"]
    assert "Hello owner, {braces}" in text(client, at(sample, f"page/{PAGE}"))


def test_a_token_that_nobody_knows_is_refused(client: Browser, sample: App) -> None:
    """With its name, and nothing is saved."""
    put(sample, block("Say", "text", text=said("Words")))
    answer = save(client, editor(sample, f"/block/{key('b', 'Say')}"), text="Hello {user.shoe}")
    page = answer.get_data(as_text=True)
    assert answer.status_code >= 400 and "user.shoe" in page
    assert said("Words") == blocks(sample)[0]["text"]


def test_what_a_form_does_not_ask_for_stays(client: Browser, sample: App) -> None:
    """Styles and blocks inside, holes that have no token."""
    put(sample, block("List", "list", source=SOURCE["key"], style={"padding_top": 40}, blocks=[
        block("Name", "text", style={"width": "small"}, text=said("{0} {1}", {"field": field("Companies", "Name")}, {"result": "x.y"}))]),
        sources=[SOURCE])
    before = blocks(sample)
    save(client, editor(sample, f"/block/{key('b', 'Name')}"))
    save(client, editor(sample, f"/block/{key('b', 'List')}"))
    assert before == blocks(sample)


def test_a_block_that_somebody_else_changed_is_not_overwritten(client: Browser, sample: App) -> None:
    """The form comes back with what was typed."""
    put(sample, block("Say", "text", format="plain", text=said("Words")))
    address = editor(sample, f"/block/{key('b', 'Say')}")
    form = dict(sent_of(text(client, address)))
    save(client, address, text="First")
    answer = client.post(address, data=form | {"v.text": "Second", "do": "save"})
    assert 409 == answer.status_code and "Second" in answer.get_data(as_text=True)
    assert said("First") == blocks(sample)[0]["text"]


def test_the_settings_of_a_page_are_saved(client: Browser, sample: App) -> None:
    """Its blocks stay; an untouched form changes nothing."""
    put(sample, block("Say", "text", text=said("Words")), sources=[SOURCE], parameters=[{"name": "who", "type": "text", "in": "query"}])
    before = documents.get(apps.find(sample.id), f"page/{PAGE}").body
    save(client, editor(sample, "/settings"))
    assert before == documents.get(apps.find(sample.id), f"page/{PAGE}").body
    save(client, editor(sample, "/settings"), name="Another name")
    assert {**before, "name": "Another name"} == documents.get(apps.find(sample.id), f"page/{PAGE}").body


def test_the_preview_does_nothing(client: Browser, sample: App) -> None:
    """Beside the tree the page is shown without anything that could be sent."""
    put(sample, block("Form", "form", events=[{"on": "submit", "do": "notify", "message": said("Hi")}]))
    assert "/do/" in text(client, at(sample, f"page/{PAGE}"))
    assert "/do/" not in text(client, editor(sample))


def test_the_editor_is_for_admins_of_the_app(sqlite_server: Flask, sample: App) -> None:
    """Somebody with a role sees the app, and may not edit."""
    put(sample)
    seller = colleague(sqlite_server, sample, "Sales")
    assert [403, 403, 403] == [seller.get(address).status_code for address in
                               (editor(sample), editor(sample, "/settings"), at(sample, "manage/page/new"))]
