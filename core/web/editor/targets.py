"""What pointers in a form may point to: documents and parts of the app, things of the organization, by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.apps import documents, service
from core.apps.permissions import standing
from core.extension.component import Document
from core.server import server
from core.tenancy.models import App

ORG_KINDS = ("user", "department", "org_role")


@dataclass(frozen=True, slots=True)
class Target:
    """Something to point to: its address, its name, what it belongs to ("Fields of Customers"), a label that no other has."""

    address: str
    name: str
    group: str
    label: str = ""


class Targets:
    """The things that a form's pointers can choose from, read once for a page.

    *own* is the address of the document that is edited: its parts come first. *only_own* offers no others' parts.
    """

    def __init__(self, app: App, person: str, *, own: str | None = None, only_own: bool = False) -> None:
        self.app, self.person, self.own, self.only_own = app, person, own, only_own
        self._found: dict[tuple[str, str], list[Target]] = {}
        self._all: list[Target] | None = None

    def of(self, tag: str, pattern: str) -> list[Target]:
        """Return what a pointer of that tag ("ref", "org") may point to, by group and name."""
        if (tag, pattern) not in self._found:
            every = self._refs() if tag == "ref" else self._orgs(pattern)
            self._found[tag, pattern] = _labelled([one for one in every if re.search(pattern, one.address)])
        return self._found[tag, pattern]

    def named(self, tag: str, pattern: str, text: str) -> str | None:
        """Return the address of what somebody typed: an address, or a label that only one thing has."""
        if re.search(pattern, text):
            return text
        known = self.of(tag, pattern)
        exact = next((one.address for one in known if text == one.label), None)
        called = [one.address for one in known if text == one.name]
        return exact or (called[0] if len(called) == 1 else None)

    def _refs(self) -> list[Target]:
        if self._all is None:
            live = documents.live(self.app)
            live.sort(key=lambda d: (d.address != self.own, str(d.body.get("name", "")).casefold()))
            self._all = [*self._whole(live), *(one for d in live if not self.only_own or d.address == self.own for one in parts_of(d))]
        return self._all

    def _whole(self, live: Iterable[Document]) -> Iterator[Target]:
        for document in live:
            kind = server().registry.kind(document.kind)[1]
            yield Target(document.address, str(document.body.get("name") or kind.title), kind.title)

    def _orgs(self, pattern: str) -> list[Target]:
        found = [Target(address, name, kind.replace("_", " ").capitalize())
                 for kind in ORG_KINDS if re.search(rf"\b{kind}\b", pattern)
                 for address, name in service.org_choices(self.app.organization_id, kind)]
        return found + (list(self._elsewhere()) if pattern.startswith("^app/") else [])

    def _elsewhere(self) -> Iterator[Target]:
        """Yield documents of the organization's other apps that whoever edits manages too."""
        for app in service.all_apps():
            if app.id != self.app.id and standing(app, self.person).admin:
                for document in documents.live(app):
                    yield Target(f"app/{app.id}/{document.address}", str(document.body.get("name")), f"App {app.name}")


def _labelled(targets: list[Target]) -> list[Target]:
    """Return targets with labels that no other has; of several of one name in a group, the others have a number behind it."""
    names, seen, found = Counter((one.name, one.group) for one in targets), Counter[tuple[str, str]](), []
    for one in targets:
        seen[one.name, one.group] += 1
        place = seen[one.name, one.group]
        shown = one.name if place == 1 else f"{one.name} ({place})"
        label = f"{one.name} ({one.group})" if names[one.name, one.group] == 1 else f"{one.name} ({one.address})"
        found.append(replace(one, name=shown, label=label))
    return found


def parts_of(document: Document) -> Iterator[Target]:
    """Yield the parts of a document, each with its address."""
    kind = server().registry.kind(document.kind)[1]
    name = document.body.get("name") or kind.title
    for part, listed in kind.parts.items():
        for item in document.body.get(listed, ()):
            yield Target(f"{document.address}/{part}/{item['key']}", str(item.get("name") or item["key"]),
                         f"{listed.replace('_', ' ').capitalize()} of {name}")
