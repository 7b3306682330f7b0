"""Every form of every page, found by following links, sent with nonsense in all of its fields: a refusal that says so or a page, never a failure."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from core.api import as_tenant, import_file
from tests.web import PASSWORD, Browser, make_organization, make_person, signed_in

NASTY = ("", "\0", "x" * 20_000, "<script>alert(1)</script>", "-1", "9" * 40, "up", "2026-99-99", "a@b", "🥐{0}%s\\", "o_1111111111", "[]")
LEFT_OUT = re.compile(r"/(sign-out|delete|remove|hide|purge|close|empty|off|move|end)$|/runs/|/import|/plan$")
"""Acts that take away what the others need, and work that goes on afterwards."""
WRONG = re.compile(r'aria-invalid="true"|class="notice bad"')
"""What a page says something was refused by; its status says so too."""


@dataclass
class Form:
    """A form of a page: where it is sent, and the names of its fields, hidden ones with what they hold."""

    action: str
    method: str
    fields: set[str] = field(default_factory=set)
    hidden: dict[str, str] = field(default_factory=dict)
    files: bool = False


class Reader(HTMLParser):
    """Collects the links and forms of a page."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.links, self.forms = path, list[str](), list[Form]()
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given and "download" not in given:
            self.links.append(urlsplit(given["href"]).path)
        elif tag == "form":
            self.inside = True
            self.forms.append(Form(urlsplit(given.get("action") or self.path).path, given.get("method", "get").lower()))
        elif self.inside and given.get("name"):
            form = self.forms[-1]
            if given.get("type") == "hidden":
                form.hidden[given["name"]] = given.get("value", "")
            elif given.get("type") != "file":
                form.fields.add(given["name"])

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


def forms_of(server: Flask, client: Browser, start: str) -> list[Form]:
    """Return the forms of pages that links lead to: of those that one endpoint serves for one kind of thing, the first two."""
    routes, times, seen, waiting, found = server.url_map.bind("x"), Counter[tuple[str, str]](), {start}, [start], dict[tuple[str, ...], Form]()
    while waiting:
        path = waiting.pop(0)
        kind = _kind(routes, path)
        if kind is None or times[kind] >= 2:
            continue
        times[kind] += 1
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        reader = Reader(path)
        reader.feed(answer.get_data(as_text=True))
        for form in reader.forms:
            where = _kind(routes, form.action, "POST")
            if form.method == "post" and where is not None and not LEFT_OUT.search(form.action):
                found.setdefault((*where, *sorted(form.fields)), form)
        fresh = [link for link in reader.links if link.startswith(("/o/", "/account", "/notifications")) and link not in seen]
        seen.update(fresh)
        waiting += fresh
    return list(found.values())


def _kind(routes: object, path: str, method: str = "GET") -> tuple[str, str] | None:
    try:
        endpoint, names = routes.match(path, method)  # type: ignore[attr-defined]
    except Exception:  # whatever the routes do not know is none of ours
        return None
    return endpoint, str(names.get("kind", names.get("component", "")))


@pytest.fixture
def start(sqlite_server: Flask) -> str:
    """The address of an organization's home; it has the sample app."""
    owner = make_person("owner@example.org", password=PASSWORD)
    organization = make_organization("Example")
    with as_tenant(organization):
        import_file(Path("sample"), organization, owner, importer="sample")
    return f"/o/{organization}/"


def test_no_form_of_any_page_fails(sqlite_server: Flask, start: str) -> None:
    """As its owner, who may do the most. Each form gets every other odd text, all of them where APPKEEP_TEST_LOOKS is "all"."""
    client = signed_in(sqlite_server)
    forms, failed = forms_of(sqlite_server, client, start), []
    everything = os.environ.get("APPKEEP_TEST_LOOKS") == "all"
    for number, form in enumerate(forms):
        for text in NASTY if everything else NASTY[number % 2::2]:
            sent = {**form.hidden, **dict.fromkeys(form.fields, text)}
            answer = client.post(form.action, data=sent)
            if answer.status_code >= 500 or (answer.status_code == 200 and WRONG.search(answer.get_data(as_text=True))):
                failed.append(f"{form.action} with {text[:20]!r}: {answer.status_code}")
        # Hidden fields too: nothing that a page hides is safe from being changed.
        for text in NASTY[1:6] if everything else NASTY[1 + number % 5:2 + number % 5]:
            answer = client.post(form.action, data=dict.fromkeys([*form.hidden, *form.fields], text))
            if answer.status_code >= 500:
                failed.append(f"{form.action} with {text[:20]!r} in its hidden fields: {answer.status_code}")
    assert [] == failed, "\n".join(failed)
    assert 200 == client.get(start).status_code, "whoever tried was shown out on the way, so that not all was tried"
    assert len(forms) > 60
