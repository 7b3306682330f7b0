"""A real browser over a real server: Chromium by Playwright, the application served by waitress on a free port.

The browser is found as `chromium` on the path, or named by APPKEEP_TEST_CHROMIUM. Without one the tests are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import waitress.server
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Page, Response, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from core.api import as_server, as_tenant, import_file, transaction
from core.app import create_app
from core.base.config import read_config
from core.base.db import db
from tenants import service
from tests.web import PASSWORD, make_organization, signed_in

FOUND = os.environ.get("APPKEEP_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
TIMEOUT_MS = 20_000
CLOSE_S = 60
OWNER = "owner@example.org"
expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a browser where there is none."""
    if FOUND is None:
        mark = pytest.mark.skip(reason="BROWSER TESTS SKIPPED: install chromium, or name one by APPKEEP_TEST_CHROMIUM")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=FOUND, args=FLAGS)
        yield browser
        # Neither closing a browser nor ending its driver has a bound in time, and all tests have passed by now.
        timer = threading.Timer(CLOSE_S, kill_driver)
        timer.start()
        with suppress(PlaywrightError):
            browser.close()
    timer.cancel()


def kill_driver() -> None:
    """Kill what drives the browser, and with it the browser."""
    for child in psutil.Process().children():
        if "playwright" in " ".join(child.cmdline()):
            child.kill()


@dataclass
class Site:
    """A server that listens: its application, its address, and what is in it."""

    app: Flask
    url: str
    home: Path
    organization_id: str = ""
    app_id: str = ""

    @property
    def organization(self) -> str:
        """The path of the organization's pages."""
        return f"/o/{self.organization_id}"

    @property
    def app_path(self) -> str:
        """The path of the app's pages."""
        return f"{self.organization}/apps/{self.app_id}"


def serve(template: Path) -> Iterator[Site]:
    """Serve an application over a copy of a migrated database."""
    home = Path(tempfile.mkdtemp(prefix="appkeep-browser-"))
    shutil.copy(template, home / "appkeep.db")
    app = create_app(read_config({}, home=str(home), rate_limits=False))
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield Site(app, f"http://127.0.0.1:{server.effective_port}", home)
    server.close()
    thread.join(timeout=5)
    with app.app_context():
        db.engine.dispose()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def empty_site(sqlite_template: Path) -> Iterator[Site]:
    """A server on an empty home, as it is at its first start."""
    yield from serve(sqlite_template)


@pytest.fixture(scope="module")
def site(sqlite_template: Path) -> Iterator[Site]:
    """A server with an organization and the sample app; its owner is OWNER with PASSWORD."""
    for found in serve(sqlite_template):
        with found.app.app_context():
            found.organization_id = make_organization("Example", OWNER)
            with as_server(), transaction():
                user = service.user_by_email(OWNER)
                service.set_password(user, PASSWORD)
                person = user.id
            with as_tenant(found.organization_id):
                found.app_id = import_file(Path("sample"), found.organization_id, person, importer="sample")["app"]
        yield found


Look = Callable[..., Page]


@pytest.fixture
def look(chromium: Chromium) -> Iterator[Look]:
    """A function that opens a window on a site: `look(site, width=380, dark=True, person="mia@example.org")`.

    After the test no page may have had an error in its console, been against the content policy, or answered 5xx.
    """
    problems: list[str] = []
    contexts = []

    def window(site: Site, *, width: int = 1280, dark: bool = False, person: str | None = None) -> Page:
        context = chromium.new_context(base_url=site.url, viewport={"width": width, "height": 900},
                                       color_scheme="dark" if dark else "light")
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        if person is not None:
            with site.app.app_context():
                cookie = signed_in(site.app, person, csrf=True).get_cookie("appkeep_session")
            assert cookie is not None
            context.add_cookies([{"name": "appkeep_session", "value": cookie.value, "url": site.url}])
        page = context.new_page()
        watch(page, problems)
        return page

    yield window
    for context in contexts:
        context.close()
    assert [] == problems, "\n".join(problems)


def watch(page: Page, problems: list[str]) -> None:
    """Note what goes wrong in a page: its console's errors, exceptions, failures of the server."""
    def said(message: ConsoleMessage) -> None:
        # A refusal that the server meant is an error to the console; those that it did not mean are seen by `answered`.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(f"{page.url}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 500:
            problems.append(f"{response.request.method} {response.url} answered {response.status}")

    page.on("console", said)
    page.on("response", answered)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
