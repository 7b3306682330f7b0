"""Forms of the plugins that are refused: shown again with a status that says so, and the sentence beside what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, digest, documents, import_file, placing, transaction
from plugins.sample.keys import key
from tests.conftest import made_organization
from tests.forms import untouched
from tests.web import make_person, signed_in

NAMELESS = {"name": " "}
LONG = {"name": "x" * 101}
TURNED = {"name": "Sal\u202ees"}


@pytest.fixture
def sample(sqlite_server: Flask) -> Iterator[App]:
    """The sample app."""
    with made_organization("Example") as organization:
        yield apps.find(import_file(Path("sample"), organization, make_person("owner@example.org"), importer="sample")["app"])


def state(app: App) -> dict[str, str]:
    """Return what stands for each document of the app as it is now."""
    return {one.address: digest(one.body) for one in documents.live(apps.find(app.id))}


@pytest.mark.parametrize(("path", "form", "told"), [
    ("roles", NAMELESS, "1 to 100 characters"),
    ("roles", LONG, "1 to 100 characters"),
    ("roles", TURNED, "without control characters"),
    (f"portal_role/{key('q', 'Partner')}", TURNED, "without control characters"),
    ("workflows", TURNED, "without control characters"),
    ("page/new", TURNED, "without control characters"),
    ("settings", TURNED, "without control characters"),
    ("settings/navigation", TURNED, "without control characters"),
    ("option_set/new", TURNED, "without control characters"),
    (f"role/{key('r', 'Sales')}", NAMELESS, "1 to 100 characters"),
    ("portal", {"title": "Typed", "session_hours": "soon"}, "1 to 8760 hours"),
    ("portal/main", {"title": "Typed", "registration": "everybody"}, "everybody"),
    (f"portal_role/{key('q', 'Partner')}", NAMELESS, "1 to 100 characters"),
    ("portal/accounts", {"email": "ann"}, "is not an email address"),
    ("workflows", NAMELESS, "1 to 100 characters"),
    (f"workflow/{key('f', 'Won')}", LONG, "1 to 100 characters"),
    (f"workflow/{key('f', 'Hook')}/step/{key('t', 'HoSend')}", {"v.name": "x" * 5000}, "Nothing was saved"),
    ("page/new", NAMELESS, "1 to 100 characters"),
    ("settings", NAMELESS, "1 to 100 characters"),
    ("settings/navigation", NAMELESS, "1 to 100 characters"),
    ("settings/mobile", {"label": ""}, "Enter a label, or choose"),
    ("option_set/new", NAMELESS, "1 to 100 characters"),
])
def test_a_refused_form_says_so_by_its_status(sqlite_server: Flask, sample: App, path: str, form: dict[str, str], told: str) -> None:
    """422, the same page with the sentence in it, and nothing is saved."""
    before, address = state(sample), f"/o/{sample.organization_id}/apps/{sample.id}/manage/{path}"
    answer = signed_in(sqlite_server).post(address, data=form)
    page = unescape(answer.get_data(as_text=True))
    marked = re.findall(r'<p class="(?:error|notice bad)"[^>]*>(.*?)</p>', page, re.S)
    assert 422 == answer.status_code and [one for one in marked if told in one], marked
    assert "<form" in page and before == state(sample)


@pytest.mark.parametrize(("path", "address", "named"), [
    ("role", f"role/{key('r', 'Sales')}", "name"),
    ("portal", "portal/main", "title"),
    ("portal_role", f"portal_role/{key('q', 'Partner')}", "name"),
    ("workflow", f"workflow/{key('f', 'Won')}", "name"),
    ("group", f"group/{key('g', 'Work')}", "name"),
    ("worksheet", f"worksheet/{key('w', 'Deals')}", "name"),
])
def test_a_form_made_from_an_older_state_replaces_nothing_unseen(sqlite_server: Flask, sample: App, path: str, address: str,
                                                                 named: str) -> None:
    """What somebody else saved after the page was opened is not put back by saving the page: it is told first."""
    where = f"/o/{sample.organization_id}/apps/{sample.id}/manage/{'portal' if path == 'portal' else address}"
    client = signed_in(sqlite_server)
    opened = untouched(client, where)
    with transaction():
        app = apps.find(sample.id)
        document = documents.get(app, address)
        placing.put_body(app, document, {**document.body, named: "By another"}, "system")
    answer = client.post(where, data=opened)
    assert answer.status_code in (409, 422)
    assert re.search("omebody else", unescape(answer.get_data(as_text=True)))
    assert "By another" == documents.get(apps.find(sample.id), address).body[named]
    assert client.post(where, data=untouched(client, where)).status_code in (302, 303)
