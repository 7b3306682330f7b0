"""A person's browser: cookies, pages, and forms as a page has them."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

PATIENCE_S = 60


@dataclass
class Form:
    """A form: where it goes, and what it sends untouched."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What came back: the status (0: nobody answered), the address in the end, and the text."""

    status: int
    url: str
    text: str

    def form(self, *names: str) -> Form | None:
        """Return the first form that has all these fields."""
        reader = _Reader(self.url)
        reader.feed(self.text)
        return next((form for form in reader.forms if form.fields.keys() >= set(names)), None)


class Browser:
    """Asks pages one after the other and tells *heard* of each answer: moment, method, address, status, seconds."""

    def __init__(self, base: str, heard: Callable[[float, str, str, int, float], None]) -> None:
        self.base, self.heard, self.at = base, heard, base
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, address: str) -> Page:
        """Open a page."""
        return self._ask("GET", address, None, {})

    def send(self, form: Form, **values: str) -> Page:
        """Send a form with these values in it, and follow where it leads."""
        return self._ask("POST", form.action, urlencode({**form.fields, **values}).encode(), {})

    def send_file(self, form: Form, name: str, filename: str, content: bytes) -> Page:
        """Send a form with a file."""
        line, head = b"----------------------------day", b"Content-Disposition: form-data; name="
        parts = [b'--%b\r\n%b"%b"\r\n\r\n%b\r\n' % (line, head, key.encode(), value.encode())
                 for key, value in form.fields.items() if key != name]
        parts.append(b'--%b\r\n%b"%b"; filename="%b"\r\nContent-Type: text/csv\r\n\r\n%b\r\n--%b--\r\n'
                     % (line, head, name.encode(), filename.encode(), content, line))
        return self._ask("POST", form.action, b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={line.decode()}"})

    def _ask(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> Page:
        url, began = urljoin(self.base, address), time.time()
        request = urllib.request.Request(url, body, {"Origin": self.base, "Referer": url, **headers}, method=method)
        try:
            with self.opener.open(request, timeout=PATIENCE_S) as answer:
                page = Page(answer.status, answer.url, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            page = Page(error.code, error.url, error.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            page = Page(0, url, str(error))
        self.at = page.url
        self.heard(began, method, url.removeprefix(self.base), page.status, time.time() - began)
        return page


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.select, self.area = url, "", ""
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self.forms.append(Form(urljoin(self.url, given.get("action") or self.url)))
        elif self.forms:
            self._control(tag, given, self.forms[-1].fields)

    def _control(self, tag: str, given: dict[str, str], fields: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            fields[name] = given.get("value", "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in fields):
            fields[self.select] = given.get("value", "")
        elif tag == "textarea":
            self.area, fields[name] = name, ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.forms[-1].fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.select = self.area = ""
        if tag == "form":
            self.select = self.area = ""
