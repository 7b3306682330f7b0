"""What buttons and forms of a page do: as far as the visitor may, once, and never more than the page says."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from core.api import App, apps, documents, transaction
from plugins.sample.keys import field, key, ref
from plugins.sample.pages import block, said
from tests.plugins.pages.making import PAGE, at, colleague, names, put, text
from tests.web import Browser

SUBJECT, ENTER = key("b", "EnSubject"), key("p", "Enter")
COMPANIES = {"key": key("d", "Comp"), "name": "Companies", "kind": "list", "worksheet": ref("worksheet", "w", "Companies")}


def send(client: Browser, app: App, which: str, page: str = PAGE, **form: str) -> Any:
    """Click a button, or send a form, of a page."""
    return client.post(at(app, f"page/{page}/do/{key('b', which)}"), data={"_here": page} | form)


def entered(client: Browser, app: App, subject: str) -> Any:
    """Send the form of the sample's page for activities."""
    return send(client, app, "EnForm", ENTER, **{SUBJECT: subject})


def test_a_form_makes_a_record(client: Browser, sample: App) -> None:
    """With what was typed; one comes back to the page, which says so."""
    answer = entered(client, sample, "Call them")
    assert 303 == answer.status_code and at(sample, f"page/{ENTER}") == answer.location
    assert "Call them" in names(sample, "Activities", "Subject")
    assert "Saved" in text(client, answer.location)


def test_what_must_not_be_empty_is_asked_for_again(client: Browser, sample: App) -> None:
    """With all that was typed; nothing is made."""
    before = names(sample, "Activities", "Subject")
    answer = send(client, sample, "EnForm", ENTER, **{SUBJECT: "  ", key("b", "EnWhen"): "2026-01-02T10:00"})
    page = answer.get_data(as_text=True)
    assert 422 == answer.status_code and "is required" in page and "2026-01-02T10:00" in page
    assert before == names(sample, "Activities", "Subject")


def test_who_may_not_see_the_page_sends_nothing(sqlite_server: Flask, sample: App) -> None:
    """The form's address is not there for them."""
    before = names(sample, "Activities", "Subject")
    assert 404 == entered(colleague(sqlite_server, sample, "Reader"), sample, "No").status_code
    assert before == names(sample, "Activities", "Subject")


def test_a_form_gives_nobody_rights(sqlite_server: Flask, sample: App) -> None:
    """A page that anybody sees makes no record for who may make none."""
    form = block("Form", "form", blocks=[block("Say", "input", label=said("Say"))], events=[
        {"on": "submit", "do": "create_record", "worksheet": ref("worksheet", "w", "Companies"),
         "values": [{"field": field("Companies", "Name"), "value": said("{0}", {"input": key("b", "Say")})}]}])
    put(sample, form)
    before = names(sample, "Companies", "Name")
    assert 403 == send(colleague(sqlite_server, sample, "Reader"), sample, "Form", **{key("b", "Say"): "No"}).status_code
    assert before == names(sample, "Companies", "Name")
    assert 303 == send(colleague(sqlite_server, sample, "Sales", "sal@example.org"), sample, "Form", **{key("b", "Say"): "Yes"}).status_code
    assert [*before, "Yes"] == names(sample, "Companies", "Name")


def test_a_value_that_does_not_fit_is_refused_with_its_field(client: Browser, sample: App) -> None:
    """And what came before it in the same act is undone."""
    events = [{"on": "submit", "do": "create_record", "worksheet": ref("worksheet", "w", "Activities"),
               "values": [{"field": field("Activities", "Subject"), "value": said("First")}]},
              {"on": "submit", "do": "create_record", "worksheet": ref("worksheet", "w", "Deals"),
               "values": [{"field": field("Deals", "Amount"), "value": said("lots")}]}]
    put(sample, block("Form", "form", events=events))
    answer = send(client, sample, "Form")
    assert 422 == answer.status_code and "Amount" in answer.get_data(as_text=True)
    assert "First" not in names(sample, "Activities", "Subject")


def button(**event: Any) -> dict[str, Any]:
    """Return a list of companies with a button in each."""
    return block("List", "list", source=COMPANIES["key"], blocks=[
        block("Do", "button", text=said("Do it"), events=[{"on": "click", **event}])])


def in_record(number: str) -> dict[str, str]:
    """Return what a button inside a record sends along."""
    return {"_source": COMPANIES["key"], "_record": number}


def test_a_button_in_a_record_is_about_that_record(client: Browser, sample: App) -> None:
    """It changes the one it stands in."""
    put(sample, button(do="update_record", worksheet=COMPANIES["worksheet"],
                       values=[{"field": field("Companies", "Name"), "value": said("{0}!", {"field": field("Companies", "Name")})}]),
        sources=[COMPANIES])
    before = names(sample, "Companies", "Name")
    assert 303 == send(client, sample, "Do", **in_record("2")).status_code
    assert [before[0], f"{before[1]}!", *before[2:]] == names(sample, "Companies", "Name")


@pytest.mark.parametrize("number", ["", "0", "999999", "-1", "x", "²", "1" * 40, "1 OR 1=1"])
def test_a_record_that_is_not_there_is_not_touched(client: Browser, sample: App, number: str) -> None:
    """Whatever a browser sends for it."""
    put(sample, button(do="delete_record", worksheet=COMPANIES["worksheet"]), sources=[COMPANIES])
    before = names(sample, "Companies", "Name")
    assert send(client, sample, "Do", **in_record(number)).status_code in (404, 422)
    assert before == names(sample, "Companies", "Name")


def test_nobody_deletes_what_their_role_does_not_let_them(sqlite_server: Flask, sample: App, client: Browser) -> None:
    """A seller may delete nothing, whatever the page offers; whoever manages the app may."""
    put(sample, button(do="delete_record", worksheet=COMPANIES["worksheet"]), sources=[COMPANIES])
    before = names(sample, "Companies", "Name")
    assert 403 == send(colleague(sqlite_server, sample, "Sales"), sample, "Do", **in_record("1")).status_code
    assert before == names(sample, "Companies", "Name")
    assert 303 == send(client, sample, "Do", **in_record("1")).status_code
    assert before[1:] == names(sample, "Companies", "Name")


@pytest.mark.parametrize("inside", [False, True])
def test_a_button_that_is_not_shown_does_nothing(sqlite_server: Flask, sample: App, inside: bool) -> None:
    """Neither one for other roles, nor one inside a block for other roles."""
    only = {"visibility": "roles", "roles": [ref("role", "r", "Manager")]}
    act = [{"on": "click", "do": "create_record", "worksheet": ref("worksheet", "w", "Activities"),
            "values": [{"field": field("Activities", "Subject"), "value": said("Sneaked in")}]}]
    one = block("Do", "button", text=said("Do it"), events=act, **({} if inside else only))
    put(sample, block("Group", "container", blocks=[one], **(only if inside else {})))
    seller = colleague(sqlite_server, sample, "Sales")
    assert "Do it" not in text(seller, at(sample, f"page/{PAGE}"))
    assert 404 == send(seller, sample, "Do").status_code
    assert "Sneaked in" not in names(sample, "Activities", "Subject")


def test_a_button_that_is_gone_is_not_found(client: Browser, sample: App) -> None:
    """Nor is a page to come back to that there is not."""
    put(sample, block("Say", "text", text=said("Words")))
    assert 404 == send(client, sample, "Gone").status_code
    assert 404 == client.post(at(sample, f"page/{PAGE}/do/{key('b', 'Say')}"), data={"_here": "p_9999999999"}).status_code


def test_an_act_leads_to_pages_of_the_app_or_the_web_only(client: Browser, sample: App) -> None:
    """An address that is none is not followed."""
    put(sample, block("Do", "button", text=said("Go"), key=key("b", "Do"), events=[
        {"on": "click", "do": "notify", "message": said("Off you go")}, {"on": "click", "do": "open_url", "url": said("javascript:alert(1)")}]))
    assert at(sample, f"page/{PAGE}") == send(client, sample, "Do").location


def test_a_condition_keeps_an_event_from_being_done(client: Browser, sample: App) -> None:
    """"when" is filled like any text."""
    act = {"on": "submit", "do": "create_record", "worksheet": ref("worksheet", "w", "Activities"),
           "values": [{"field": field("Activities", "Subject"), "value": said("Ticked")}], "when": said("{0}", {"input": key("b", "Tick")})}
    put(sample, block("Form", "form", blocks=[block("Tick", "checkbox", label=said("Tick"))], events=[act]))
    send(client, sample, "Form")
    assert "Ticked" not in names(sample, "Activities", "Subject")
    send(client, sample, "Form", **{key("b", "Tick"): "true"})
    assert "Ticked" in names(sample, "Activities", "Subject")


def test_a_form_whose_worksheet_is_deleted_says_so_and_takes_no_input(client: Browser, sample: App) -> None:
    """On opening; and what was typed before that is there again, not lost behind a page that is not found."""
    with transaction():
        documents.hide(apps.find(sample.id), ref("worksheet", "w", "Activities")["ref"], "system")
    page = text(client, at(sample, f"page/{ENTER}"))
    assert "This form cannot be sent." in page and "Its worksheet was deleted" in page and "disabled" in page
    answer = entered(client, sample, "Typed meanwhile")
    shown = answer.get_data(as_text=True)
    assert 422 == answer.status_code and "Nothing was saved" in shown and "Typed meanwhile" in shown
