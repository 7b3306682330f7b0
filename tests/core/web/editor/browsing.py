"""What a browser would send of a form: read from its HTML, by the rules of HTML."""

from __future__ import annotations

from html.parser import HTMLParser


class Controls(HTMLParser):
    """Collects (name, value) of the controls of the form with an id, as an untouched form sends them."""

    def __init__(self, form: str = "editor") -> None:
        super().__init__()
        self.form, self.inside, self.sent = form, False, list[tuple[str, str]]()
        self.area: list[str] | None = None
        self.options: list[tuple[str, bool]] | None = None
        self.name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("id") == self.form:
            self.inside = True
        if not self.inside:
            return
        if tag == "input":
            self._input(given)
        elif tag == "textarea":
            self.name, self.area = given["name"], []
        elif tag == "select":
            self.name, self.options = given["name"], []
        elif tag == "option" and self.options is not None:
            self.options.append((given["value"], "selected" in given))

    def _input(self, given: dict[str, str]) -> None:
        kind, name, value = given.get("type", "text"), given.get("name", ""), given.get("value", "")
        if kind in ("submit", "button", "file") or not name:
            return
        if kind in ("checkbox", "radio") and "checked" not in given:
            return
        self.sent.append((name, value if kind == "hidden" else value.replace("\r", "").replace("\n", "")))

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area is not None:
            text = "".join(self.area).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n")
            self.sent.append((self.name, text.replace("\n", "\r\n")))
            self.area = None
        elif tag == "select" and self.options is not None:
            chosen = next((value for value, on in self.options if on), self.options[0][0] if self.options else None)
            if chosen is not None:
                self.sent.append((self.name, chosen))
            self.options = None
        elif tag == "form":
            self.inside = False


def sent_of(html: str, form: str = "editor") -> list[tuple[str, str]]:
    """Return what a browser sends of an untouched form."""
    controls = Controls(form)
    controls.feed(html)
    return controls.sent
