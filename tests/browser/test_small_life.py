"""The life of a small app: a stranger asks, a workflow assigns and asks for approval, a member works, a chart counts, the stranger comes to
the portal and sees their own; all is wrecked, restored, and goes on.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from core.api import App, Document, apps, as_tenant, direct, documents, transaction
from plugins.roles import service as roles
from plugins.worksheets import service
from plugins.worksheets.public import opened
from tenants import mail
from tenants import service as tenants
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, too_wide
from tests.browser.working import working
from tests.web import make_member

ASKS = "w_1111111111"
SHEET = f"worksheet/{ASKS}"
TITLE, MAIL, STATE, WHO = (f"f_{n}111111111" for n in "1234")
NEW, DOING, DONE = (f"o_{n}111111111" for n in "123")
FORM, BOARD = "v_1111111111", "v_2222222222"
FLOW, PAGE, ROLE, CUSTOMER = "f_9999999999", "p_1111111111", "r_1111111111", "q_1111111111"
STRANGER, OTHER = "stranger@example.com", "other@example.com"


def ref(key: str) -> dict[str, str]:
    """Return the pointer to a field."""
    return {"ref": f"{SHEET}/field/{key}"}


def assign(key: str, value: Any) -> dict[str, Any]:
    """Return what a step gives to a field."""
    return {"field": ref(key), "value": value}


def small_app(ann: str, owner: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (kind, key, body) of the documents of an app for requests from outside."""
    choices = [{"key": key, "name": name} for key, name in ((NEW, "New"), (DOING, "Doing"), (DONE, "Done"))]
    return [
        ("worksheet", ASKS, {"name": "Requests", "title_field": ref(TITLE), "fields": [
            {"key": TITLE, "type": "text", "name": "Title", "required": True, "options": {}},
            {"key": MAIL, "type": "email", "name": "Mail", "options": {}},
            {"key": STATE, "type": "single_select", "name": "State", "options": {"choices": choices}},
            {"key": WHO, "type": "member", "name": "Who", "options": {}}],
            "views": [{"key": FORM, "type": "form", "name": "Ask us", "form": {"fields": [{"field": ref(TITLE)}, {"field": ref(MAIL)}]}},
                      {"key": BOARD, "type": "kanban", "name": "Board", "stack_field": ref(STATE)}]}),
        ("page", PAGE, {"name": "Overview", "blocks": [{"key": "b_1111111111", "type": "chart", "worksheet": {"ref": SHEET}, "chart": {
            "type": "bar", "group_by": ref(STATE), "function": "count"}}]}),
        ("role", ROLE, {"name": "Helpers", "pages": [{"page": {"ref": f"page/{PAGE}"}, "visible": True}], "worksheets": [
            {"worksheet": {"ref": SHEET}, "read": "all", "update": "own"}]}),
        ("portal_role", CUSTOMER, {"name": "Customer", "worksheets": [
            {"worksheet": {"ref": SHEET}, "read": "own", "create": True, "email_field": ref(MAIL), "fields": [{"field": ref(WHO), "read": False}]}]}),
        ("portal", "main", {"enabled": True, "title": "Fences and doors", "default_role": {"ref": f"portal_role/{CUSTOMER}"},
                            "sign_in": {"methods": ["email_code"], "registration": "open", "terms": "Be nice."}, "home": {"ref": SHEET}}),
        ("workflow", FLOW, {"name": "Take care", "enabled": True,
                            "trigger": {"type": "form_submitted", "worksheet": {"ref": SHEET}, "view": {"ref": f"{SHEET}/view/{FORM}"}},
                            "steps": [
                                {"key": "t_1111111111", "type": "update_record", "worksheet": {"ref": SHEET}, "values": [
                                    assign(STATE, NEW), assign(WHO, f"user/{ann}")]},
                                {"key": "t_2222222222", "type": "notify", "to": [{"org": f"user/{ann}"}], "subject": "A new request",
                                 "message": {"template": "{0}", "uses": [{"field": ref(TITLE)}]}},
                                {"key": "t_3333333333", "type": "approval", "approvers": [{"org": f"user/{owner}"}], "message": {
                                    "template": "Shall we do {0}?", "uses": [{"field": ref(TITLE)}]}},
                                {"key": "t_4444444444", "type": "update_record", "worksheet": {"ref": SHEET}, "values": [
                                    assign(STATE, DOING)]}]})]


def built(site: Site) -> tuple[App, str]:
    """Make the app and the member who works in it."""
    ann = make_member(site.organization_id, "ann@example.org")
    with as_tenant(site.organization_id):
        owner = tenants.user_by_email(OWNER).id
        with transaction():
            app = apps.create("Requests", owner)
            for kind, key, body in small_app(ann, owner):
                documents.put(app, Document(kind=kind, key=key, body=body, position=0), owner)
            roles.assign(app, ROLE, f"user/{ann}")
        return app, ann


def test_a_small_app_lives_is_wrecked_and_lives_on(site: Site, look: Look, monkeypatch: Any) -> None:
    """In the browser of three people: a stranger, who has an account of the portal later, the owner, and a member."""
    monkeypatch.setattr(opened, "SOON_S", 0)
    with site.app.app_context():
        app, _ = built(site)
        app_id, start = app.id, f"{site.organization}/apps/{app.id}"
    with working(site):
        owner, ann, stranger = look(site, person=OWNER), look(site, person="ann@example.org", width=380), look(site, width=380)
        address = opened_link(owner, start)
        ask(stranger, address, "Mend the fence")
        ask(look(site), address, "Somebody else’s roof", OTHER)
        approve(owner, site, "Mend the fence")
        expect_state(ann, start, "Mend the fence", "Doing")
        move(ann, start, "Mend the fence", "Done")
        expect_bar(ann, start, "Done", "1")
        register(stranger, site, f"/portal/{app_id}/")
        expect_theirs(stranger, ["Mend the fence"], state="Done")
        with site.app.app_context(), as_tenant(site.organization_id):
            backup = direct.back_up(apps.find(app_id))
            wreck(apps.find(app_id))
            direct.restore(apps.find(app_id), backup)
        expect_bar(ann, start, "Done", "1")
        ask(look(site), address, "Paint the door")
        approve(owner, site, "Paint the door")
        expect_state(ann, start, "Paint the door", "Doing")
        expect_bar(ann, start, "Doing", "1")
        stranger.goto(f"/portal/{app_id}/")
        expect_theirs(stranger, ["Mend the fence", "Paint the door"], state="Doing")
        stranger.get_by_role("link", name="New record").first.click()
        stranger.get_by_label("Title").fill("A gate, please")
        stranger.get_by_role("button", name="Create", exact=True).click()
        expect(stranger.get_by_role("heading", name="A gate, please")).to_be_visible()
        stranger.goto(f"/portal/{app_id}/")
        expect_theirs(stranger, ["Mend the fence", "Paint the door", "A gate, please"], state="Doing")


def opened_link(page: Page, start: str) -> str:
    """Make a public link of the form and open it; return its path."""
    page.goto(f"{start}/manage/worksheet/{ASKS}")
    page.get_by_role("link", name="Public links").click()
    page.get_by_label("View").select_option(label="Ask us")
    page.get_by_role("button", name="Create link").click()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("The link is open")).to_be_visible()
    found = re.search(r"/public/\S+", page.get_by_role("textbox", name="Address").input_value())
    assert found is not None
    return found[0]


def register(page: Page, site: Site, portal: str) -> None:
    """Register at the portal, with the code that was mailed."""
    page.goto(portal)
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Sam Stranger")
    page.get_by_label("Email").fill(STRANGER)
    page.get_by_role("checkbox", name="I agree").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("a code is on its way")).to_be_visible()
    mail.finish()
    said = max((site.home / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns).read_text()
    found = re.search(r"^Subject: (\d{6}) ", said, re.MULTILINE)
    assert found is not None, said
    page.get_by_label("Code").fill(found[1])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Welcome.")).to_be_visible()


def expect_theirs(page: Page, titles: list[str], *, state: str) -> None:
    """See one's own requests and the state of one of them, and nothing of others."""
    for title in titles:
        expect(page.get_by_role("link", name=title).or_(page.get_by_role("gridcell", name=title)).first).to_be_visible()
    expect(page.get_by_text(state, exact=True).first).to_be_visible()
    expect(page.get_by_text("Somebody else")).to_have_count(0)
    expect(page.get_by_text("Ann", exact=True)).to_have_count(0)
    assert [] == too_wide(page) and [] == accessible(page)


def ask(page: Page, address: str, title: str, email: str = STRANGER) -> None:
    """Fill in the form as a stranger."""
    page.goto(address)
    page.get_by_label("Title").fill(title)
    page.get_by_label("Mail").fill(email)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_text(title)).to_be_visible()


def approve(page: Page, site: Site, title: str) -> None:
    """Find the question among the approvals, and say yes."""
    for _ in range(100):
        page.goto(f"{site.organization}/approvals")
        if page.get_by_text(f"Shall we do {title}?").count():
            break
        page.wait_for_timeout(100)
    page.get_by_text(f"Shall we do {title}?").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("You approved this")).to_be_visible()


def expect_state(page: Page, start: str, title: str, state: str) -> None:
    """See a card in the column of a state, as soon as the workflow is there."""
    for _ in range(100):
        page.goto(f"{start}/worksheet/{ASKS}?view={BOARD}")
        if page.get_by_role("region", name=state, exact=True).get_by_role("link", name=title).count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"“{title}” is not in {state}")


def move(page: Page, start: str, title: str, state: str) -> None:
    """Move a card, and wait for the page that follows: leaving it earlier would take the move back."""
    page.get_by_label(f"Move {title} to").select_option(label=state)
    expect(page.get_by_role("region", name=state, exact=True).get_by_role("link", name=title)).to_be_visible()
    expect_state(page, start, title, state)


def expect_bar(page: Page, start: str, state: str, count: str) -> None:
    """See how many a chart counts."""
    page.goto(f"{start}/page/{PAGE}")
    expect(page.locator("figure")).to_be_visible()
    expect(page.locator("figure tbody tr", has_text=state)).to_contain_text(count)


def wreck(app: App) -> None:
    """Delete the record, the workflow, the form and the page, and rename the worksheet."""
    with transaction():
        service.delete_record(app, ASKS, 1, "system")
        documents.hide(app, f"workflow/{FLOW}", "system")
        documents.hide(app, f"page/{PAGE}", "system")
    with transaction():
        found = documents.get(app, SHEET)
        body = {**found.body, "name": "Wrecked", "views": [one for one in found.body["views"] if one["key"] != FORM]}
        documents.put(app, Document(kind="worksheet", key=ASKS, body=body, position=0), "system")
