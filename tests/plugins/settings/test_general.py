"""General settings: the app's name, description, colour and icon, saved, refused, and seen elsewhere."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from core.api import App, apps
from tests.forms import untouched
from tests.plugins.settings.making import body, seen, settings, text
from tests.web import Browser, make_member, signed_in

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def saved(client: Browser, app: App, **given: object) -> int:
    """Save the form with a few things changed and return what it answered."""
    form = {"name": "Sample CRM", "description": "", "icon": "keep", "seen": seen(app, "app/main")} | given
    return client.post(settings(app), data=form).status_code


def test_name_description_colour_and_icon_are_saved(client: Browser, sample: App) -> None:
    """What was typed is the app's document, and the catalogue calls the app by its new name."""
    assert 303 == saved(client, sample, name=" Customers ", description="Who buys.\r\nFrom us.", icon="heart", coloured="1", colour="#aa3300")
    assert {"name": "Customers", "description": "Who buys.\nFrom us.", "icon": "heart", "colour": "#aa3300"} == body(sample, "app/main")
    assert "Customers" == apps.find(sample.id).name


def test_what_is_left_empty_goes(client: Browser, sample: App) -> None:
    """Without description, colour and icon the document has none of them."""
    assert 303 == saved(client, sample, icon="")
    assert {"name": "Sample CRM"} == body(sample, "app/main")


def test_an_emoji_can_be_the_icon(client: Browser, sample: App) -> None:
    """One sign that is no letter is kept and shown."""
    assert 303 == saved(client, sample, icon="sign", sign="🥐")
    assert "🥐" == body(sample, "app/main")["icon"]
    assert "🥐" in text(client, f"/o/{sample.organization_id}/")


@pytest.mark.parametrize(("given", "sentence"), [
    ({"name": " "}, "1 to 100 characters"), ({"name": "x" * 101}, "1 to 100 characters"), ({"name": "a\x07b"}, "1 to 100 characters"),
    ({"description": "x" * 5001}, "5000 characters at most"), ({"icon": "sign", "sign": "ab"}, "one emoji")])
def test_what_does_not_fit_is_refused_beside_its_field(client: Browser, sample: App, given: dict[str, str], sentence: str) -> None:
    """Nothing is saved, the sentence is on the page, and what was typed elsewhere is still there."""
    before = body(sample, "app/main")
    form = {"name": "Kept name", "description": "Kept words", "icon": "keep", "seen": seen(sample, "app/main")} | given
    answer = client.post(settings(sample), data=form)
    page = answer.get_data(as_text=True)
    assert 422 == answer.status_code
    assert sentence in page and 'aria-invalid="true"' in page
    assert "Kept words" in page or "description" in given
    assert before == body(sample, "app/main")


def test_a_form_from_before_another_change_is_not_saved(client: Browser, sample: App) -> None:
    """Whoever was slower is told so, and sees what they typed."""
    old = seen(sample, "app/main")
    saved(client, sample, name="First")
    answer = client.post(settings(sample), data={"name": "Second", "seen": old})
    assert 422 == answer.status_code
    assert "Second" in answer.get_data(as_text=True) and "Somebody else changed" in answer.get_data(as_text=True)
    assert "First" == body(sample, "app/main")["name"]


def test_an_untouched_form_changes_nothing(client: Browser, sample: App) -> None:
    """Saving what the page shows gives the same document, its picture too."""
    before = body(sample, "app/main")
    form = untouched(client, settings(sample)) | {"name": before["name"], "description": before["description"], "icon": "keep",
                                                  "coloured": "1", "colour": before["colour"], "seen": seen(sample, "app/main")}
    assert 303 == client.post(settings(sample), data=form).status_code
    assert before == body(sample, "app/main")


def test_a_picture_is_kept_and_shown(client: Browser, sample: App) -> None:
    """An uploaded picture is the icon; its bytes come back, sandboxed."""
    assert 303 == saved(client, sample, picture=(io.BytesIO(PNG), "sign.png"))
    assert "image/png" == body(sample, "app/main")["icon"]["type"]
    answer = client.get(f"/o/{sample.organization_id}/apps/{sample.id}/icon")
    assert PNG == answer.data and "image/png" == answer.mimetype
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "/icon?v=" in text(client, settings(sample))


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'></svg>", b"", b"\x89PNG" + bytes(1024 * 1024)])
def test_a_picture_that_is_none_or_too_large_is_refused(client: Browser, sample: App, content: bytes) -> None:
    """What a file is called and says of itself does not matter; its first bytes and its size do."""
    before = body(sample, "app/main")
    assert 422 == saved(client, sample, picture=(io.BytesIO(content), "sign.png"))
    assert before == body(sample, "app/main")


def test_an_app_without_a_picture_has_none_to_show(client: Browser, sample: App) -> None:
    """Its address answers 404."""
    saved(client, sample, icon="star")
    assert 404 == client.get(f"/o/{sample.organization_id}/apps/{sample.id}/icon").status_code


def test_who_manages_the_organization_only_sees_no_picture(sqlite_server: Flask, sample: App) -> None:
    """The list of apps names the app to an admin of the organization, and asks for nothing that they may not have."""
    make_member(sample.organization_id, "admin@example.org", "admin")
    page = text(signed_in(sqlite_server, "admin@example.org"), f"/o/{sample.organization_id}/")
    assert "Sample CRM" in page and "/icon?v=" not in page


def test_settings_are_for_admins_of_the_app(sqlite_server: Flask, sample: App) -> None:
    """A member without a role does not learn of the app."""
    make_member(sample.organization_id, "mia@example.org")
    assert 404 == signed_in(sqlite_server, "mia@example.org").get(settings(sample)).status_code
