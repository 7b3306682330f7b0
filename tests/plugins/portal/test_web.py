"""Pages on the portal: settings, roles, accounts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, documents, import_file, transaction
from plugins.portal import service
from plugins.sample.keys import key
from tests.conftest import made_organization
from tests.forms import untouched
from tests.web import make_person, signed_in

PNG = (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc"
       b"\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")


@pytest.fixture
def sample(sqlite_server: Flask) -> Iterator[App]:
    """The sample app."""
    with made_organization("Example") as organization:
        yield apps.find(import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"])


def manage(app: App, path: str) -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


def body(app: App, address: str = "portal/main") -> object:
    """Return what a document says now."""
    return documents.get(apps.find(app.id), address).body


def test_saving_untouched_forms_changes_nothing(sqlite_server: Flask, sample: App) -> None:
    """The settings and each role come back exactly as they were."""
    client = signed_in(sqlite_server)
    for address in ("portal/main", *(f"portal_role/{key('q', name)}" for name in ("Customer", "Partner"))):
        before = body(sample, address)
        page = manage(sample, address.removesuffix("/main"))
        answer = client.post(page, data=untouched(client, page))
        assert 302 == answer.status_code, answer.get_data(as_text=True)
        assert before == body(sample, address)


def test_pictures_come_and_go(sqlite_server: Flask, sample: App) -> None:
    """An uploaded cover is part of the portal, is shown, and can be removed."""
    client, page = signed_in(sqlite_server), manage(sample, "portal")
    form = untouched(client, page)
    answer = client.post(page, data=form | {"cover": (io.BytesIO(PNG), "../wide.png")}, content_type="multipart/form-data")
    assert 302 == answer.status_code, answer.get_data(as_text=True)
    assert ".._wide.png" == body(sample)["look"]["cover"]["name"]  # type: ignore[index]
    shown = client.get(manage(sample, "portal/picture/cover"))
    assert (PNG, "image/png") == (shown.data, shown.mimetype)
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    client.post(page, data=untouched(client, page) | {"cover.remove": "1"})
    assert 404 == client.get(manage(sample, "portal/picture/cover")).status_code
    assert 404 == client.get(manage(sample, "portal/picture/other")).status_code


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", b"RIFF1234AVI ", b""])
def test_what_is_no_picture_is_refused(sqlite_server: Flask, sample: App, content: bytes) -> None:
    """A file that only says it is a picture changes nothing; what was typed beside it stays in the form."""
    client, page = signed_in(sqlite_server), manage(sample, "portal")
    before = body(sample)
    answer = client.post(page, data=untouched(client, page) | {"title": "Typed", "logo": (io.BytesIO(content), "logo.png")},
                         content_type="multipart/form-data")
    shown = answer.get_data(as_text=True)
    assert 422 == answer.status_code and "PNG, JPEG, GIF or WebP file" in shown and 'value="Typed"' in shown
    assert before == body(sample)


@pytest.mark.parametrize(("name", "value"), [("session_hours", "0"), ("session_hours", "soon"), ("session_hours", "9" * 40),
                                             ("home", "role/x"), ("registration", "everybody"), ("colour", "red")])
def test_settings_that_make_no_sense_are_refused(sqlite_server: Flask, sample: App, name: str, value: str) -> None:
    """The page comes back with what was typed, and nothing is saved."""
    client, page = signed_in(sqlite_server), manage(sample, "portal")
    before = body(sample)
    answer = client.post(page, data=untouched(client, page) | {name: value, "title": "Typed"})
    assert 422 == answer.status_code
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert before == body(sample)


def test_accounts_are_added_changed_found_and_removed(sqlite_server: Flask, sample: App) -> None:
    """The whole life of an account on its page."""
    client, page = signed_in(sqlite_server), manage(sample, "portal/accounts")
    assert 302 == client.post(page, data={"email": "Ann@Example.com", "role": ""}).status_code
    assert [("ann@example.com", key("q", "Customer"))] == [(a.email, a.role) for a in service.accounts(apps.find(sample.id))]
    client.post(page, data={"email": "ann@example.com", "role": key("q", "Partner")})
    assert [key("q", "Partner")] == [a.role for a in service.accounts(apps.find(sample.id))]
    assert "ann@example.com" in client.get(f"{page}?search=ann").get_data(as_text=True)
    assert "No account matches" in client.get(f"{page}?search=a%25n").get_data(as_text=True)
    assert "is not an email address" in client.post(page, data={"email": "ann"}).get_data(as_text=True)
    assert 404 == client.post(page, data={"email": "bob@example.com", "role": "q_9999999999"}).status_code
    client.post(f"{page}/remove", data={"email": "ann@example.com"})
    assert [] == service.accounts(apps.find(sample.id))


def test_accounts_are_shown_a_hundred_at_a_time(sqlite_server: Flask, sample: App) -> None:
    """The list goes on after the last email."""
    with transaction():
        for n in range(101):
            service.put_account(apps.find(sample.id), f"guest{n:03}@example.com", None)
    client, page = signed_in(sqlite_server), manage(sample, "portal/accounts")
    first = client.get(page).get_data(as_text=True)
    assert "guest099@" in first and "guest100@" not in first and ">Next<" in first
    last = client.get(f"{page}?after=guest099@example.com").get_data(as_text=True)
    assert "guest100@" in last and ">Next<" not in last


def test_a_removed_role_moves_its_accounts(sqlite_server: Flask, sample: App) -> None:
    """Accounts of a portal role that goes get the default role."""
    client = signed_in(sqlite_server)
    client.post(manage(sample, "portal/accounts"), data={"email": "ann@example.com", "role": key("q", "Partner")})
    assert 302 == client.post(manage(sample, f"portal_role/{key('q', 'Partner')}/remove")).status_code
    assert [key("q", "Customer")] == [a.role for a in service.accounts(apps.find(sample.id))]
    made = client.post(manage(sample, "portal/roles"), data={"name": "Press"})
    assert 200 == client.get(made.location).status_code
