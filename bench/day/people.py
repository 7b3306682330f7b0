"""Eight people, each in a thread, who do what people do until they are told to stop."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.day.browser import Browser, Page

PASSWORD = "a horse eats 12 stars"
GOES_ON = 'hx-trigger="every 1s"'
WAIT_S = 90


@dataclass
class App:
    """Where an app is, and a worksheet with a text field."""

    organization: str
    app: str
    worksheet: str
    text: str

    @property
    def url(self) -> str:
        """The address of the app."""
        return f"/o/{self.organization}/apps/{self.app}"


@dataclass
class Person:
    """Somebody with a browser."""

    email: str
    browser: Browser
    stop: threading.Event
    random: random.Random
    counts: dict[str, int] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def count(self, what: str) -> None:
        """Count something that happened."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def note(self, what: str, page: Page) -> None:
        """Keep what a refusal says."""
        alerts = re.findall(r'role="alert"[^>]*>(.*?)</(?:div|p)>', page.text, re.S)
        told = " ".join(re.sub("<[^>]+>", " ", one).strip() for one in alerts)
        self.seen.append(f"{what} was answered with {page.status}: {told or page.text[-200:]}"[:300])

    def pause(self, least: float, most: float) -> None:
        """Think."""
        self.stop.wait(self.random.uniform(least, most))

    def sign_in(self) -> None:
        """Sign in, again and again until it works."""
        while not self.stop.is_set():
            page = self.browser.get("/sign-in")
            if page.status == 200 and "/sign-in" not in page.url:
                return  # still signed in
            form = page.form("email", "password")
            if form is not None and self.browser.send(form, email=self.email, password=PASSWORD).status == 200:
                return
            self.pause(1, 2)

    def wait_for_run(self, page: Page) -> str:
        """Look at a run's page until it has ended, and return its page's text; empty where there was none."""
        found = re.search(r"/runs/(n_\w+)", page.url)
        if found is None:
            return ""
        for _ in range(WAIT_S * 2):
            page = self.browser.get(page.url)
            if self.stop.is_set():
                return ""
            if page.status == 200 and GOES_ON not in page.text:
                return page.text
            self.pause(0.4, 0.6)
        self.count("run did not end in time")
        self.seen.append(f"{self.email} waited for {found[1]}")
        return ""


def edits(me: Person, app: App) -> None:
    """Edit records and make some."""
    seq = me.random.randint(1, 300)
    new = me.random.random() < 0.2
    sheet = f"{app.url}/worksheet/{app.worksheet}"
    form = me.browser.get(f"{sheet}/new" if new else f"{sheet}/record/{seq}/edit").form(app.text)
    if form is not None:
        page = me.browser.send(form, **{app.text: f"{me.email} {me.random.random()}"})
        me.count("edit saved" if page.status == 200 else f"edit answered {page.status}")
        if page.status not in (0, 200, 409, 503):
            me.note("an edit", page)
    me.pause(0.1, 0.6)


def looks(me: Person, app: App) -> None:
    """Open pages, search, sort."""
    sheet = f"{app.url}/worksheet/{app.worksheet}"
    for address in (app.url + "/", sheet, f"{sheet}?q=owner", f"{sheet}?sort={app.text}", f"/o/{app.organization}/",
                    f"{app.url}/manage/backups", f"{app.url}/manage/backups/logs", "/notifications"):
        if not me.stop.is_set():
            me.browser.get(address)
            me.pause(0.2, 0.8)


def backs_up_and_restores(me: Person, app: App) -> None:
    """Back up, let people work, restore the backup over their work, now and then undo it."""
    form = me.browser.get(f"{app.url}/manage/backups/new").form("name")
    if form is None:
        return me.pause(1, 2)
    me.wait_for_run(me.browser.send(form, data="1", name=""))
    me.pause(2, 5)
    backups = re.findall(r"/backups/(b_\w+)", me.browser.get(f"{app.url}/manage/backups").text)
    if not backups:
        return me.pause(1, 2)
    page = me.browser.get(f"{app.url}/manage/backups/{me.random.choice(backups[:5])}/restore")
    if (form := page.form("plan", "answer")) is None:
        me.count("restore: no form")
        return me.pause(1, 2)
    started = me.browser.send(form, answer=PASSWORD)
    if "/runs/" not in started.url:
        me.count(f"restore refused with {started.status}")
        me.note("a restore", started)
        return me.pause(1, 2)
    me.count("restore started")
    me.wait_for_run(started)
    if me.random.random() < 0.3 and (form := me.browser.get(started.url.partition("?")[0] + "/undo").form("plan", "answer")) is not None:
        me.count("undo started")
        me.wait_for_run(me.browser.send(form, answer=PASSWORD))
    return me.pause(2, 6)


def imports(me: Person, app: App) -> None:
    """Make an app out of a file, then another."""
    form = me.browser.get(f"/o/{app.organization}/import").form("file")
    if form is None:
        return me.pause(1, 2)
    rows = "".join(f"{n},Name {n},{n * 7 % 1000}.5,2026-01-{n % 28 + 1:02d}\n" for n in range(4000))
    page = me.browser.send_file(form, "file", f"day {me.random.randint(0, 10**9)}.csv", f"No,Name,Amount,Day\n{rows}".encode())
    me.wait_for_run(page)
    page = me.browser.get(page.url)
    if (form := page.form("name")) is not None:
        me.count("import started")
        me.wait_for_run(me.browser.send(form))
    return me.pause(5, 10)


def live(me: Person, does: Callable[[Person, App], None], app: App) -> None:
    """Do one thing after the other until told to stop; a session that ended is begun again."""
    me.sign_in()
    while not me.stop.is_set():
        does(me, app)
        if "/sign-in" in me.browser.at or me.random.random() < 0.02:
            me.sign_in()
