"""Pages of a test's own in the sample app, and who looks at them."""

from __future__ import annotations

from typing import Any

from flask import Flask

from core.api import App, Document, apps, documents, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key
from plugins.worksheets import service
from tests.web import Browser, make_member, signed_in

Body = dict[str, Any]
PAGE = key("p", "Test")


def put(app: App, *blocks: Body, name: str = PAGE, **more: Any) -> str:
    """Make a page of these blocks, or replace it, and return its address."""
    with transaction():
        documents.put(apps.find(app.id), Document(kind="page", key=name, position=9, body={"name": "A test", "blocks": list(blocks), **more}),
                      "system")
    return at(app, f"page/{name}")


def at(app: App, path: str) -> str:
    """Return an address within the app."""
    return f"/o/{app.organization_id}/apps/{app.id}/{path}"


def editor(app: App, path: str = "") -> str:
    """Return an address of the test page's editor."""
    return at(app, f"manage/page/{PAGE}{path}")


def blocks(app: App) -> list[Body]:
    """Return the blocks of the test page as they are now."""
    return list(documents.get(apps.find(app.id), f"page/{PAGE}").body["blocks"])


def text(client: Browser, address: str) -> str:
    """Return a page."""
    answer = client.get(address)
    assert 200 == answer.status_code, answer.status_code
    return answer.get_data(as_text=True)


def colleague(server: Flask, app: App, role: str, email: str = "mia@example.org") -> Browser:
    """Return a browser of a member who has a role of the sample."""
    with transaction():
        roles.assign(apps.find(app.id), key("r", role), f"user/{make_member(app.organization_id, email)}")
    return signed_in(server, email)


def names(app: App, sheet: str, word: str) -> list[Any]:
    """Return the values of a field in all records of a worksheet."""
    rows = service.all_rows(apps.find(app.id), key("w", sheet))
    return [service.loads(row.vals).get(key("f", sheet[:2] + word)) for row in rows]
