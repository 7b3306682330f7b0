"""A page as each visitor sees it: filled, within their rights, and open to nothing that it does not bring itself."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from core.api import App, apps, documents, transaction
from plugins.sample.keys import field, key, ref, view
from plugins.sample.pages import block, said
from tests.plugins.pages.making import PAGE, at, colleague, put, text
from tests.web import Browser, make_member, signed_in

DEALS = ref("worksheet", "w", "Deals")
COMPANIES = {"key": key("d", "Comp"), "name": "Companies", "kind": "list", "worksheet": ref("worksheet", "w", "Companies")}


def policy(client: Browser, address: str) -> str:
    """Return the content policy of a page."""
    return client.get(address).headers["Content-Security-Policy"]


def test_the_pages_of_the_sample_open(client: Browser, sample: App) -> None:
    """Each with what it is about."""
    assert "Good day, owner" in text(client, at(sample, f"page/{key('p', 'Start')}"))
    assert "Subject" in text(client, at(sample, f"page/{key('p', 'Enter')}"))
    found = text(client, at(sample, f"page/{key('p', 'Company')}?company=1"))
    assert "<h1" in found and "http" in found


def test_what_fills_a_text_is_text(client: Browser, sample: App) -> None:
    """A parameter with HTML in it is shown as it was typed, in plain text and in Markdown."""
    for format_ in ("plain", "markdown"):
        address = put(sample, block("Say", "text", format=format_, text=said("Hi {0}", {"parameter": "who"})),
                      parameters=[{"name": "who", "type": "text", "in": "query"}])
        found = text(client, f"{address}?who=<img src=x onerror=alert(1)>")
        assert "<img src=x" not in found and "Hi &lt;img" in found


def test_a_list_repeats_its_blocks_and_has_pages(client: Browser, sample: App) -> None:
    """As many as it says at once; the next ones by a link."""
    listed = block("List", "list", source=COMPANIES["key"], items_per_page=2, blocks=[
        block("Name", "text", text=said("*{0}*", {"field": field("Companies", "Name")}))])
    address = put(sample, listed, sources=[COMPANIES])
    first = text(client, address)
    assert 2 == first.count("<p>*") and f"at-{key('b', 'List')}=2" in first
    second = text(client, f"{address}?at-{key('b', 'List')}=2")
    assert 2 == second.count("<p>*") and first[first.index("<p>*"):][:40] not in second


def test_a_pager_says_where_one_is_and_leads_no_further_than_the_ends(client: Browser, sample: App) -> None:
    """How many of how many; Previous and Next always stand there, and one that leads nowhere says so."""
    listed = block("List", "list", source=COMPANIES["key"], items_per_page=20, blocks=[
        block("Name", "text", text=said("{0}", {"field": field("Companies", "Name")}))])
    address = put(sample, listed, sources=[COMPANIES])
    stopped = '<a class="button small" role="link" aria-disabled="true">'
    first, last = text(client, address), text(client, f"{address}?at-{key('b', 'List')}=20")
    assert "1–20 of 25" in first and f"{stopped}Previous</a>" in first and f"{stopped}Next" not in first
    assert "21–25 of 25" in last and f"{stopped}Next</a>" in last and f"{stopped}Previous" not in last


def test_a_source_of_so_many_records_ends_with_them(client: Browser, sample: App) -> None:
    """No Next leads to an empty page behind the last of them, and no more are counted."""
    listed = block("List", "list", source=COMPANIES["key"], items_per_page=2, blocks=[
        block("Name", "text", text=said("*{0}*", {"field": field("Companies", "Name")}))])
    address = put(sample, listed, sources=[{**COMPANIES, "limit": 3}])
    first, last = text(client, address), text(client, f"{address}?at-{key('b', 'List')}=2")
    assert "1–2 of 3" in first and 'rel="next"' in first
    assert "3–3 of 3" in last and 'rel="next"' not in last and 1 == last.count("<p>*")


def test_values_are_shown_as_their_fields_say(client: Browser, sample: App) -> None:
    """Amounts with separators and their currency, days by the names of months, in tables of all kinds, records and charts."""
    deals = {"key": key("d", "Deals"), "name": "Deals", "kind": "list", "worksheet": DEALS}
    one = {**deals, "key": key("d", "Deal"), "kind": "record", "record": said("1")}
    amount = block("Amount", "text", text=said("It is {0}", {"field": field("Deals", "Amount"), "source": one["key"]}))
    kinds = [[block("View", "view", worksheet=DEALS, items_per_page=200)], [block("Table", "table", source=deals["key"], items_per_page=200)],
             [block("One", "record", source=one["key"])]]
    for shown in kinds:
        found = text(client, put(sample, *shown, sources=[deals, one]))
        assert re.search(r">687\.00 EUR<", found) and re.search(r">1 Jan 2026<", found) and "2026-01-01" not in found
    assert "3,746.49 EUR" in text(client, put(sample, *kinds[0], sources=[deals]))
    assert "It is 687.00 EUR" in text(client, put(sample, amount, sources=[one]))
    chart = block("Chart", "chart", worksheet=DEALS, chart={"type": "bar", "group_by": field("Deals", "Stage"),
                                                           "value": field("Deals", "Amount"), "function": "sum"})
    assert re.search(r'<td class="number">\d\d,\d{3}\.\d\d EUR</td>', text(client, put(sample, chart)))


def test_what_an_address_is_made_of_stays_plain(client: Browser, sample: App) -> None:
    """A link reads as people read its value and leads to where the plain value leads."""
    one = {"key": key("d", "Deal"), "name": "Deal", "kind": "record", "worksheet": DEALS, "record": said("1")}
    use = {"field": field("Deals", "Amount"), "source": one["key"]}
    found = text(client, put(sample, block("Go", "link", text=said("{0}", use), url=said("https://shop.example.net/?sum={0}", use)), sources=[one]))
    assert 'href="https://shop.example.net/?sum=687.00"' in found and ">687.00 EUR</a>" in found


@pytest.mark.parametrize("place", ["-1", "x", "99999999999", "²", ""])
def test_a_place_that_makes_no_sense_is_the_first(client: Browser, sample: App, place: str) -> None:
    """Never a failure."""
    listed = block("List", "list", source=COMPANIES["key"], items_per_page=2, blocks=[
        block("Name", "text", text=said("*{0}*", {"field": field("Companies", "Name")}))])
    address = put(sample, listed, sources=[COMPANIES])
    assert 2 == text(client, f"{address}?at-{key('b', 'List')}={place}").count("<p>*")


def test_a_filter_without_its_value_shows_nothing(client: Browser, sample: App) -> None:
    """A page that is opened without its parameter must not show everything."""
    source = {**COMPANIES, "filter": {"all": [{"field": field("Companies", "Name"), "operator": "is", "value": said("{0}", {"parameter": "n"})}]}}
    address = put(sample, block("List", "list", source=source["key"], blocks=[block("Name", "text", text=said("*"))]), sources=[source],
                  parameters=[{"name": "n", "type": "text", "in": "query"}])
    assert "No records." in text(client, address)


def test_records_are_shown_as_far_as_a_role_reads_them(sqlite_server: Flask, sample: App, client: Browser) -> None:
    """A worksheet that is not theirs is not there; whoever manages the app is told why, others see nothing of it."""
    address = put(sample, block("View", "view", worksheet=DEALS, view=view("Deals", "All")), block("End", "text", text=said("The end")))
    assert "Open Deals" in text(client, address)
    assert "Open Deals" in text(colleague(sqlite_server, sample, "Sales"), address)
    found = text(colleague(sqlite_server, sample, "Reader", "rea@example.org"), address)
    assert "The end" in found and "Deals" not in found and "may not read" not in found


def test_a_worksheet_in_the_bin_leaves_a_note_for_admins(client: Browser, sample: App) -> None:
    """The rest of the page is there."""
    address = put(sample, block("View", "view", worksheet=DEALS), block("End", "text", text=said("The end")))
    with transaction():
        documents.hide(apps.find(sample.id), DEALS["ref"], "system")
    found = text(client, address)
    assert "The end" in found and "you have no access to it" in found


def test_blocks_for_some_roles(sqlite_server: Flask, sample: App, client: Browser) -> None:
    """Who has one of them sees the block; whoever manages the app sees it with a note."""
    address = put(sample, block("Some", "text", text=said("For sellers"), visibility="roles", roles=[ref("role", "r", "Sales")]),
                  block("None", "text", text=said("Not for sellers"), visibility="except_roles", roles=[ref("role", "r", "Sales")]))
    seller, reader = (text(colleague(sqlite_server, sample, role, f"{role}@example.org".lower()), address) for role in ("Sales", "Reader"))
    assert "For sellers" in seller and "Not for sellers" not in seller
    assert "For sellers" not in reader and "Not for sellers" in reader
    assert "For Sales." in text(client, address)


def test_a_page_for_some_roles_is_not_there_for_others(sqlite_server: Flask, sample: App) -> None:
    """404, the same as a page that there is not; also for a member without any role."""
    address = put(sample, visibility="roles", roles=[ref("role", "r", "Sales")])
    assert 200 == colleague(sqlite_server, sample, "Sales").get(address).status_code
    assert 404 == colleague(sqlite_server, sample, "Reader", "rea@example.org").get(address).status_code
    make_member(sample.organization_id, "nobody@example.org")
    assert 404 == signed_in(sqlite_server, "nobody@example.org").get(address).status_code


def test_a_block_is_shown_only_if_something_is_filled(client: Browser, sample: App) -> None:
    """Empty, no and 0 hide it."""
    address = put(sample, block("If", "text", text=said("Seen"), show_if=said("{0}", {"parameter": "on"})),
                  parameters=[{"name": "on", "type": "text", "in": "query"}])
    assert [True, False, False, False] == ["Seen" in text(client, f"{address}?on={value}") for value in ("yes", "no", "0", "")]


def test_a_shared_header_stands_on_other_pages(client: Browser, sample: App) -> None:
    """On those that it says, not on shared pages."""
    put(sample, block("Head", "header", share="only", shared_pages=[{"ref": f"page/{PAGE}"}], blocks=[
        block("HeadText", "text", text=said("From above"))]), name=key("p", "Shared"), shared=True)
    address = put(sample, block("Say", "text", text=said("Words")))
    assert "From above" in text(client, address)
    assert "From above" not in text(client, at(sample, f"page/{key('p', 'Start')}"))


def test_only_what_a_page_embeds_is_let_in(client: Browser, sample: App) -> None:
    """The policy names the frames and pictures of this page, and no page gets those of another."""
    plain = put(sample, block("Say", "text", text=said("Words")))
    assert "frame-src 'self'" in policy(client, plain) and "example.net" not in policy(client, plain)
    address = put(sample, block("Map", "embed", url=said("https://maps.example.net/x")),
                  block("Pic", "image", image=said("https://pics.example.net/a.png"), alt=said("A")))
    assert "frame-src 'self' https://maps.example.net" in policy(client, address)
    assert "https://pics.example.net" in policy(client, address) and "sandbox=" in text(client, address)


@pytest.mark.parametrize("url", ["http://maps.example.net/", "javascript:alert(1)", "https://localhost/o/x", "/account", "https://a b/"])
def test_what_is_no_page_of_another_server_over_https_is_not_embedded(client: Browser, sample: App, url: str) -> None:
    """Least of all this server itself."""
    found = text(client, put(sample, block("Map", "embed", url=said(url))))
    assert "<iframe" not in found and "Only pages from other sites over https" in found


def test_a_link_that_leads_nowhere_says_why(client: Browser, sample: App) -> None:
    """To admins; it is no link."""
    found = text(client, put(sample, block("Link", "link", text=said("Go"), url=said("javascript:alert(1)"))))
    assert "javascript:" not in found and "has no target yet" in found


def test_pages_open_each_other_by_their_paths(client: Browser, sample: App) -> None:
    """As other programs write links inside an app."""
    found = text(client, put(sample, block("Link", "link", text=said("Go"), url=said("/company/7"))))
    assert at(sample, f"page/{key('p', 'Company')}?company=7") in found


def test_an_empty_page_says_so(client: Browser, sample: App) -> None:
    """And leads whoever manages the app to its editor."""
    assert "This page is empty" in text(client, put(sample))


def test_a_page_full_of_lists_in_lists_is_bounded(client: Browser, sample: App) -> None:
    """However it is built, it asks for no more than so much, and answers."""
    inner: list[dict[str, object]] = [block("Name", "text", text=said("*"))]
    for n in range(5):
        inner = [block(f"List{n + 1}", "list", source=COMPANIES["key"], items_per_page=100, blocks=inner)]
    assert 200 == client.get(put(sample, *inner, sources=[COMPANIES])).status_code
