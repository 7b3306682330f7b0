"""Names of a hundred letters without a space, on a narrow screen: they break, and no page is wider than the screen."""

from __future__ import annotations

import json
from typing import Any

from core.api import Document, apps, as_server, as_tenant, documents, transaction
from core.backups import inline
from tenants import departments, service
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import too_wide

LONG = "Wm" * 45
SHEET = "worksheet/w_Companies1"


def test_no_page_is_wider_than_a_narrow_screen_for_a_long_name(site: Site, look: Look) -> None:
    """Of an app, a worksheet, its fields, views and records, a page, a backup and a department."""
    backup = rename(site)
    page = look(site, width=380, person=OWNER)
    wide = []
    for path in ("", "manage/worksheets", "manage/pages", f"manage/{SHEET}", SHEET, f"{SHEET}/record/1", f"{SHEET}/record/1/edit", f"{SHEET}/bin",
                 "manage/backups", f"manage/backups/{backup}", f"manage/backups/{backup}/restore", f"backups/{backup}/browse/contents"):
        page.goto(f"{site.app_path}/{path}")
        wide += [(path, one) for one in too_wide(page)]
    page.goto(f"{site.organization}/departments")
    assert [] == wide + too_wide(page)


def rename(site: Site) -> str:
    """Give long names to all sorts of things, and return the id of a backup with another."""
    with site.app.app_context():
        with as_server():
            owner = service.user_by_email(OWNER).id
        with as_tenant(site.organization_id), transaction():
            app = apps.find(site.app_id)
            for one in documents.live(app):
                body: dict[str, Any] = json.loads(json.dumps(one.body))
                for named in (body, *body.get("fields", []), *body.get("views", [])) if one.kind in ("app", "worksheet", "page") else ():
                    named["name"] = LONG
                documents.put(app, Document(kind=one.kind, key=one.key, body=unlike(body), position=one.position), owner)
            departments.add(LONG, None)
        with as_tenant(site.organization_id):
            return inline.back_up(apps.find(site.app_id), data=True, name=LONG, person=owner).id


def unlike(body: dict[str, Any]) -> dict[str, Any]:
    """Let fields of one worksheet have names of their own."""
    for n, field in enumerate(body.get("fields", [])):
        field["name"] = f"{field['name']}{n}" if field["name"] == LONG else field["name"]
    return body
