"""Every kind of page, light and dark, wide and narrow, for an owner and for a member: axe finds nothing grave, nothing is too wide."""

from __future__ import annotations

import os

import pytest

from core.api import apps, as_tenant, documents, transaction
from plugins.roles import service as roles
from plugins.sample.keys import key
from tenants import service
from tests.browser.conftest import OWNER, Look, Site
from tests.browser.seeing import accessible, pages_from, too_wide
from tests.web import make_member, make_person

ALL_LOOKS = [pytest.param(1280, False, id="wide-light"), pytest.param(380, True, id="narrow-dark"),
         pytest.param(1280, True, id="wide-dark"), pytest.param(380, False, id="narrow-light")]
LOOKS = ALL_LOOKS if os.environ.get("APPKEEP_TEST_LOOKS") == "all" else ALL_LOOKS[:2]
"""Both widths and both schemes of colours; APPKEEP_TEST_LOOKS=all tries each with each."""
MEMBER = "mia@example.org"
PERSONAL = ("/account", "/account/second-factor", "/nowhere")


@pytest.fixture(scope="module")
def lived_in(site: Site) -> Site:
    """The site with a member who has a role, a department, and something in the recycle bin."""
    with site.app.app_context(), as_tenant(site.organization_id):
        member = make_member(site.organization_id, MEMBER)
        with transaction():
            service.create_department("Sales")
            service.create_org_role("Accountant")
            roles.assign(apps.find(site.app_id), key("r", "Sales"), f"user/{member}")
            documents.hide(apps.find(site.app_id), f"workflow/{key('f', 'Hook')}", "system")
    return site


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("path", ["/sign-in", "/forgotten", "/no-such-page"])
def test_pages_before_signing_in(site: Site, look: Look, path: str, width: int, dark: bool) -> None:
    """The sign-in page, the one for a forgotten password, a refusal."""
    page = look(site, width=width, dark=dark)
    page.goto(path)
    assert [] == accessible(page) + too_wide(page)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
@pytest.mark.parametrize("part", ["organization", "app"])
def test_every_kind_of_page(lived_in: Site, look: Look, part: str, width: int, dark: bool) -> None:
    """All that links lead to for an owner, from the organization's home and from the app's, one of each kind."""
    page, wrong, seen = look(lived_in, width=width, dark=dark, person=OWNER), [], []
    start = f"{lived_in.organization}/" if part == "organization" else f"{lived_in.app_path}/"
    for path in pages_from(page, lived_in, start):
        if (part == "app") == path.startswith(lived_in.app_path):
            seen.append(path)
            wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
    assert len(seen) > (8 if part == "organization" else 30), seen


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_kind_of_page_of_a_member(lived_in: Site, look: Look, width: int, dark: bool) -> None:
    """All that links lead to for somebody with a role, who manages nothing; and their own pages."""
    page, wrong, seen = look(lived_in, width=width, dark=dark, person=MEMBER), [], []
    for path in pages_from(page, lived_in, f"{lived_in.organization}/"):
        seen.append(path)
        wrong += accessible(page) + too_wide(page)
    for path in PERSONAL:
        page.goto(path)
        wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
    assert len(seen) > 5 and not [path for path in seen if "/manage/" in path], seen


@pytest.fixture
def bare_site(site: Site) -> Site:
    """The site with an app that has nothing in it yet, seen instead of the sample."""
    with site.app.app_context():
        owner = make_person(OWNER)
        with as_tenant(site.organization_id), transaction():
            return Site(site.app, site.url, site.home, site.organization_id, apps.create("Bare", owner).id)


@pytest.mark.parametrize(("width", "dark"), LOOKS[:2])
def test_pages_of_an_empty_app(bare_site: Site, look: Look, width: int, dark: bool) -> None:
    """Where there is nothing yet the page says what to do, and is as usable as any."""
    page, wrong = look(bare_site, width=width, dark=dark, person=OWNER), []
    for path in pages_from(page, bare_site, f"{bare_site.app_path}/"):
        if path.startswith(bare_site.app_path):
            wrong += accessible(page) + too_wide(page)
    assert [] == wrong, "\n".join(wrong)
