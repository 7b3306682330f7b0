"""What a browser sends of the rows of conditions in a view's form, where several controls have one name."""

from __future__ import annotations

from html.parser import HTMLParser

NAMES = ("where", "op", "value", "match")


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the values of the controls of all rows, by name; those of a template are not sent."""
    reader = _Rows()
    reader.feed(page)
    return {name: [value for one, value in reader.pairs if one == name] for name in NAMES}


class _Rows(HTMLParser):
    """Collects the controls of rows in order."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.select, self.options, self.templates = "", list[tuple[str, bool]](), 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a control."""
        given = dict(attrs)
        name = given.get("name") or ""
        self.templates += tag == "template"
        if self.templates or (name not in NAMES and tag != "option"):
            return
        if tag == "input":
            self.pairs.append((name, given.get("value") or ""))
        elif tag == "select":
            self.select, self.options = name, []
        elif tag == "option" and self.select:
            self.options.append((given.get("value") or "", "selected" in given))

    def handle_endtag(self, tag: str) -> None:
        """Let a select say what is selected in it."""
        self.templates -= tag == "template"
        if tag == "select" and self.select:
            chosen = [value for value, on in self.options if on] or [value for value, _ in self.options]
            self.pairs.append((self.select, chosen[0]))
            self.select = ""
