"""Every kind of page, light on a wide screen and dark on a narrow one: axe finds nothing grave, nothing is wider than the window."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.api import as_tenant, import_file
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, pages_from, too_wide
from tests.web import make_person

LOOKS = [pytest.param(1280, False, id="wide-light"), pytest.param(380, True, id="narrow-dark")]
OTHER_LOOKS = [pytest.param(1280, True, id="wide-dark"), pytest.param(380, False, id="narrow-light")]
FOLDER = os.environ.get("APPKEEP_TEST_APPS", "")
REAL = sorted(Path(FOLDER).glob("*.json")) if FOLDER else []


@pytest.mark.parametrize(("width", "dark"), [*LOOKS, *OTHER_LOOKS])
@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page"])
def test_pages_before_signing_in(site: Site, look: Look, path: str, width: int, dark: bool) -> None:
    """The sign-in page and a refusal."""
    page = look(site, width=width, dark=dark)
    page.goto(path)
    assert [] == accessible(page) + too_wide(page)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("part", ["organization", "app"])
def test_every_kind_of_page(site: Site, look: Look, part: str, width: int, dark: bool) -> None:
    """All that links lead to, from the organization's home and from the app's, one of each kind."""
    page, wrong, seen = look(site, width=width, dark=dark, person=OWNER), [], []
    start = f"{site.organization}/" if part == "organization" else f"{site.app_path}/"
    for path in pages_from(page, site, start):
        if (part == "app") == path.startswith(site.app_path):
            seen.append(path)
            wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
    assert len(seen) > (3 if part == "organization" else 8), seen


@pytest.mark.skipif(not FOLDER, reason="REAL APPS ARE NOT TRIED: set APPKEEP_TEST_APPS to a folder of exports")
@pytest.mark.parametrize("source", REAL, ids=lambda path: path.stem)
def test_every_page_of_real_apps(site: Site, look: Look, source: Path) -> None:
    """Each real app's worksheets and pages, all of them, without a failure of the server."""
    with site.app.app_context():
        owner = make_person(OWNER)
        with as_tenant(site.organization_id):
            made = import_file(source, site.organization_id, owner)
    page = look(site, person=OWNER)
    base = f"{site.organization}/apps/{made['app']}"
    for one in made["outline"]:
        kind = one["document"].partition("/")[0]
        if kind in ("worksheet", "page"):
            answer = page.goto(f"{base}/{one['document']}")
            assert answer is not None and answer.status < 400, f"{one['name']}: {answer and answer.status}"
            assert [] == too_wide(page)
    for component in ("worksheets", "pages", "workflows", "roles", "portal", "settings"):
        answer = page.goto(f"{base}/manage/{component}")
        assert answer is not None and answer.status < 400
