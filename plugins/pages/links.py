"""Where links, buttons and menus lead: to pages of the app with parameters, to addresses elsewhere, or into an act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import Document, NotFound, RecordGiven, documents
from plugins.pages.addresses import matched, safe_url
from plugins.pages.page_context import PageContext
from plugins.pages.view_models import Link

DOES = ("open_page", "open_url", "create_record", "update_record", "delete_record", "notify", "refresh", "sign_out",
        "run_workflow")
"""What an event can do when somebody clicks or sends a form."""
OPENS = ("open_page", "open_url")
WRITES = ("create_record", "update_record", "delete_record")
PageUrl = Callable[[str, Mapping[str, str]], str]
NOTHING = Link(stopped="It has no target yet.")
Body = Mapping[str, Any]


@dataclass
class Links:
    """Finds where things of a page lead. `pages` are the app's pages by address, `url` gives one's address."""

    context: PageContext
    pages: Mapping[str, Document]
    url: PageUrl
    post: Callable[[str, str, Mapping[str, str]], Mapping[str, Any]]
    shown_page: str = ""
    shown_parameters: Mapping[str, str] = field(default_factory=dict)
    gone: dict[str, bool] = field(default_factory=dict)

    def of(self, thing: Body, record: RecordGiven | None, source: str | None = None) -> Link:
        """Return where a link, button, column or menu item leads: its own target, else what its click does."""
        if "page" in thing or "url" in thing:
            return self.target(thing, record)
        return self.acting(thing, thing.get("events", ()), "click", record, source)

    def target(self, thing: Body, record: RecordGiven | None) -> Link:
        """Return where a page or address leads."""
        if "page" in thing:
            return self._page(thing, record)
        text = self.context.text(thing.get("url"), record).strip()
        if text.startswith("/") and not text.startswith("//"):
            return self._path(text)
        found = safe_url(text)
        return Link(url=found, new_tab=bool(thing.get("new_tab"))) if found else NOTHING

    def _page(self, thing: Body, record: RecordGiven | None) -> Link:
        page = self.pages.get(thing["page"]["ref"])
        if page is None:
            return Link(stopped="The page it opened was deleted, or you have no access to it.")
        given = {one["name"]: self.context.text(one["value"], record)[:500] for one in thing.get("parameters", ())}
        needed = [one["name"] for one in page.body.get("parameters", ()) if one.get("in") == "path"]
        if record is not None and not given and len(needed) == 1:
            given = {needed[0]: str(record.seq)}  # a page that needs one thing, opened from a record, needs the record
        return Link(url=self.url(page.key, given), new_tab=bool(thing.get("new_tab")))

    def _path(self, text: str) -> Link:
        """Return the page of the app that has a path, as other programs write links inside an app."""
        for page in self.pages.values():
            found = matched(page.body["path"], text) if "path" in page.body else None
            if found is not None:
                return Link(url=self.url(page.key, found))
        return Link(stopped="No page of this app has this path.")

    def _gone(self, event: Body) -> bool:
        """Say whether the worksheet that an event writes to is not there any more; one that names none has another sentence."""
        address = event.get("worksheet", {}).get("ref")
        if address is not None and address not in self.gone:
            try:
                documents.get(self.context.app, address)
                self.gone[address] = False
            except NotFound:
                self.gone[address] = True
        return address is not None and self.gone[address]

    def acting(self, thing: Body, events: Sequence[Body], on: str, record: RecordGiven | None, source: str | None) -> Link:
        """Return what happens on a click or when a form is sent."""
        mine = [event for event in events if event["on"] == on]
        if not mine:
            return NOTHING
        if any(event["do"] not in DOES for event in mine):
            return Link(stopped="It does something that pages cannot do.")
        if len(mine) == 1 and mine[0]["do"] == "sign_out":
            return Link(sign_out=True)
        if on == "click" and len(mine) == 1 and mine[0]["do"] in OPENS and "when" not in mine[0]:
            return self.target(mine[0], record)
        if any(event["do"] in WRITES and self._gone(event) for event in mine):
            return Link(stopped="Its worksheet was deleted. An app admin can restore it from the recycle bin.")
        if "key" not in thing:
            return NOTHING
        hidden = {f"_p-{name}": value for name, value in self.shown_parameters.items()}
        hidden["_here"] = self.shown_page
        if record is not None and source is not None:
            hidden |= {"_source": source, "_record": str(record.seq)}
        return Link(post=self.post(self.context.page.key, thing["key"], hidden))
