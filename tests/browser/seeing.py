"""What a page must be like: usable with a screen reader, no wider than the screen. And finding the pages to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from werkzeug.exceptions import HTTPException

from tests.browser.conftest import Site

GRAVE = ("serious", "critical")
_axe = Axe()


def accessible(page: Page) -> list[str]:
    """Return what axe finds serious or critical on a page: nothing, on a page that is right."""
    _rest(page)
    found = _axe.run(page).response["violations"]
    return [f"{page.url}: {one['id']} ({one['impact']}): {one['help']}: {one['nodes'][0]['target']} {one['nodes'][0]['html'][:160]}"
            for one in found if one["impact"] in GRAVE]


def too_wide(page: Page) -> list[str]:
    """Return by how much a page is wider than the window: nothing, on a page that is right."""
    _rest(page)
    over = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    return [f"{page.url} is {over} px wider than the window"] if over > 0 else []


def _rest(page: Page) -> None:
    """Wait until a page is what it will be: after a click it is there before its body is, after a choice before the answer is put in."""
    page.wait_for_load_state()
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def pages_from(page: Page, site: Site, start: str, *, each: int = 1) -> Iterator[str]:
    """Open every kind of page that links lead to from *start*, within its path, and yield its path while it is open.

    Of the pages that one endpoint serves for one kind of document, *each* are opened.
    """
    waiting, seen, times = [start], {start}, Counter[tuple[str, str]]()
    routes = site.app.url_map.bind("127.0.0.1")
    while waiting:
        path = waiting.pop(0)
        kind = _kind(routes, path)
        if kind is None or times[kind] >= each:
            continue
        times[kind] += 1
        answer = page.goto(path)
        assert answer is not None and answer.status < 400, f"{path} answered {answer.status if answer else 'nothing'}"
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        yield path
        links = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(one => one.getAttribute('href'))")
        for link in links:
            target = urlsplit(link)
            if not target.scheme and not target.netloc and target.path.startswith("/o/") and target.path not in seen:
                seen.add(target.path)
                waiting.append(target.path)


def _kind(routes: object, path: str) -> tuple[str, str] | None:
    """Return what serves a path, and for which kind of thing; None for what is not to be opened."""
    try:
        endpoint, names = routes.match(path)  # type: ignore[attr-defined]
    except HTTPException:
        return None
    return endpoint, str(names.get("kind", names.get("component", "")))
