"""The sample app and the addresses of its settings, for tests of the settings' pages."""

from __future__ import annotations

from typing import Any

from core.api import App, apps, digest, documents
from plugins.sample.keys import key
from tests.web import Browser


def settings(app: App, path: str = "") -> str:
    """Return the address of a page of the settings."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/settings{path}"


def manage(app: App, path: str) -> str:
    """Return the address of a page of the app's management."""
    return f"/o/{app.organization_id}/apps/{app.id}/manage/{path}"


def body(app: App, address: str) -> dict[str, Any]:
    """Return a live document's body as it is now."""
    return dict(documents.get(apps.find(app.id), address).body)


def seen(app: App, address: str) -> str:
    """Return what a form of a document says it was made from."""
    return digest(documents.get(apps.find(app.id), address).body)


def text(client: Browser, address: str) -> str:
    """Return a page."""
    answer = client.get(address)
    assert 200 == answer.status_code
    return answer.get_data(as_text=True)


INDUSTRIES = f"option_set/{key('s', 'Industries')}"
WORK, LISTS = f"group/{key('g', 'Work')}", f"group/{key('g', 'Lists')}"
DEALS, COMPANIES, PRODUCTS = (f"worksheet/{key('w', name)}" for name in ("Deals", "Companies", "Products"))
START = f"page/{key('p', 'Start')}"
