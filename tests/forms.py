"""What a browser sends of a page's form: to save it untouched, or with a few things changed."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.web import Browser


def untouched(client: Browser, address: str) -> dict[str, str]:
    """Return what the forms of a page that post to the page itself send when nothing in them is touched."""
    reader = FormReader()
    reader.feed(client.get(address).get_data(as_text=True))
    return reader.found


class FormReader(HTMLParser):
    """Collects the controls of forms that post to an address, or without one of their own."""

    def __init__(self, action: str | None = None) -> None:
        super().__init__()
        self.action = action
        self.found: dict[str, str] = {}
        self.select, self.area, self.on = "", "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.on = self.action == given.get("action") and given.get("method") == "post"
        if not self.on:
            return
        name = given.get("name") or ""
        if tag == "input" and name and given.get("type") != "file" and (given.get("type") != "checkbox" or "checked" in given):
            self.found[name] = given.get("value") or ""
        elif tag == "select":
            self.select = name
        elif tag == "textarea":
            self.area, self.found[name] = name, ""
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.found):
            self.found[self.select] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.on and self.area:
            self.found[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            self.found[self.area] = self.found[self.area].removeprefix("\n")  # as browsers do
            self.area = ""
        self.select = "" if tag == "select" else self.select
