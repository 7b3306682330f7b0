"""Comparing a backup with an app, and merging it in: one walk that a plan and a restore share.

A plan walks with `writing` off and tells what would be done; a restore walks with it on, inside its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from core.apps import documents
from core.apps.permissions import standing
from core.apps.snapshot import Snapshot
from core.archive.manifest import IndexLine
from core.backups.content import Description, describe
from core.backups.journal import documents_changed
from core.backups.saved import Saved
from core.base.errors import InvalidInput
from core.base.ids import SYSTEM
from core.base.refs import ADDRESS
from core.extension.component import Component, Document
from core.objects.index import known_descriptors, picked
from core.objects.reader import object_reader
from core.server import server
from core.tenancy.models import App

AHEAD_SEGMENTS = 16
"""How many segments are unpacked ahead of the merge: bounds memory whatever the size of the backup."""
READING_THREADS = 2
MAX_DIFFERENCES = 200
"""So many changed documents of a component are shown with their differences; of the rest only the names."""


@dataclass(frozen=True, slots=True)
class Only:
    """What of a backup is restored: components by name ("pages") and documents by address; nothing named is all of it."""

    names: frozenset[str] = frozenset()

    def has(self, component: str, address: str | None = None) -> bool:
        """Say whether a document of a component is to be restored; without an address, whether any may be."""
        if not self.names or component in self.names:
            return True
        if address is not None:
            return address in self.names
        return any(server().registry.kinds[name.partition("/")[0]][0].name == component for name in self.names if "/" in name)

    def check(self) -> None:
        """Refuse names that mean nothing here.

        Raises:
            InvalidInput: with the name.
        """
        registry = server().registry
        for name in sorted(self.names):
            known = name.partition("/")[0] in registry.kinds and ADDRESS.match(name) and name.count("/") == 1 \
                if "/" in name else name in registry.components
            if not known:
                raise InvalidInput(f"“{name[:80]}” is neither a component ({', '.join(registry.components)}) nor the address "
                                   "of a document, such as worksheet/w_….")


@dataclass
class RestoreContext:
    """What components work with when a backup meets an app.

    `documents_before` are the live documents as they stood, `documents` those that are live once the configuration
    (if asked for) is back, both by address; `hidden` the addresses of all that is in the recycle bin. `connection`
    is the one to read with, and to write with where `writing`. `described` is the app's data as it was described before
    anything was written, where somebody did. Where `bin_newer`, records that the backup does not have go to the recycle bin.
    """

    app: App
    saved: Saved
    connection: Connection
    writing: bool
    config: bool
    data: bool
    person: str
    documents_before: Mapping[str, Document]
    documents: Mapping[str, Document]
    hidden: frozenset[str]
    only: Only = field(default_factory=Only)
    described: Description | None = None
    bin_newer: bool = False
    tick: Callable[[int, int], None] = field(default=lambda records, size: None)
    _at_home: dict[str, bool] = field(default_factory=dict, init=False, repr=False)

    def lines(self, component: str) -> list[IndexLine]:
        """Return the lines of a component's data in the backup, by section and number."""
        return self.saved.data_lines(component)

    def counters(self, component: str) -> Mapping[str, int]:
        """Return the highest numbers that were given out when the backup was made, by key."""
        return self.saved.counters.get(component, {})

    def live_segments(self, component: str) -> dict[tuple[str, int], str]:
        """Return (section, n) -> digest of a component's data as it was before the configuration came back.

        Where no one described the app before, it is read now: values that followed their fields have moved by then.
        """
        found = self.described
        if found is None:
            found = describe(self.app, Snapshot(self.app.id, self.connection), only=component, config=False)
        return {(line.section, line.n): line.content for line in found.lines.get((component, "data"), [])}

    def segments(self, lines: list[IndexLine]) -> Iterator[tuple[IndexLine, bytes]]:
        """Yield those segments of the backup with their bytes, proven by their digest, unpacked ahead in threads."""
        known, reader = known_descriptors({line.content for line in lines}), object_reader()

        def read(line: IndexLine) -> bytes:
            return reader.read(picked(known, line.content))

        with ThreadPoolExecutor(READING_THREADS) as pool:
            coming = [pool.submit(copy_context().run, read, line) for line in lines[:AHEAD_SEGMENTS]]
            for place, line in enumerate(lines):
                raw = coming.pop(0).result()
                if place + AHEAD_SEGMENTS < len(lines):
                    coming.append(pool.submit(copy_context().run, read, lines[place + AHEAD_SEGMENTS]))
                yield line, raw

    @property
    def authors_proven(self) -> bool:
        """Whether the backup can be believed who made what: whoever makes a file can write any name into it, unless it is signed."""
        return self.saved.backup.origin != "foreign"

    def author(self, said: str, was: str | None) -> str:
        """Return who made or changed something, where a backup says *said* that proves no authors, and what stands there says *was*.

        It says nothing of people who are at home here: whoever restores it stands there instead.
        """
        if said in (was, SYSTEM, self.person):
            return said
        if said not in self._at_home:
            who = standing(self.app, said)
            self._at_home[said] = who.role is not None or who.admin
        return self.person if self._at_home[said] else said

    @cached_property
    def components(self) -> list[Component]:
        """The components that this server has, in order of their names."""
        return list(server().registry.components.values())


def meet(app: App, saved: Saved, connection: Connection, person: str, *, config: bool, data: bool,
         writing: bool, only: Only | None = None, described: Description | None = None,
         bin_newer: bool = False) -> RestoreContext:
    """Return the context in which *saved* meets the app."""
    only = only or Only()
    before = {document.address: document for document in documents.live(app)}
    hidden = frozenset(address for address, _ in documents.bin_of(app))
    after = after_restore(before, saved.documents, only) if config else before
    return RestoreContext(app=app, saved=saved, connection=connection, writing=writing, config=config, data=data,
                          person=person, documents_before=before, documents=after, hidden=hidden, only=only,
                          described=described, bin_newer=bin_newer)


def after_restore(before: Mapping[str, Document], saved: Mapping[str, Document], only: Only) -> dict[str, Document]:
    """Return the documents that are live once a configuration is back: the backup's, and what cannot or shall not go.

    Raises:
        InvalidInput: the backup has not what *only* names.
    """
    kinds = server().registry.kinds
    absent = sorted(name for name in only.names if "/" in name and name not in saved)
    if absent:
        raise InvalidInput(f"The backup holds no {absent[0][:80]}.")
    kept = {address: d for address, d in before.items()
            if not only.has(kinds[d.kind][0].name, address) or (kinds[d.kind][1].single and address not in saved)}
    return {**kept, **{address: d for address, d in saved.items() if only.has(kinds[d.kind][0].name, address)}}


def merge(context: RestoreContext) -> dict[str, Any]:
    """Merge the backup into the app, or tell what that would do, and return the report as JSON.

    `components` has, for each component that has anything to say, "documents" (lists of added, changed,
    brought_back and hidden ones, how many are unchanged), "data" (the component's own report) and "notes".
    """
    chosen = [component for component in context.components if context.only.has(component.name)]
    report: dict[str, Any] = {component.name: {} for component in chosen}
    if context.config:
        for component in chosen:
            report[component.name]["documents"] = compare_documents(
                component, context.documents_before, context.documents, context.hidden)
        if context.writing:
            notes = _put_documents(context)
            for component in chosen:
                report[component.name]["notes"] = notes.get(component.name, {})
    if context.data:
        for component in chosen:
            report[component.name]["data"] = dict(component.restore_data(context.app, context))
    return {name: told for name, said in report.items() if (told := {k: v for k, v in said.items() if v})}


def compare_documents(component: Component, before: Mapping[str, Document], after: Mapping[str, Document],
                      hidden: Collection[str]) -> dict[str, Any]:
    """Return what happens to a component's documents, by what happens to them; {} where nothing does."""
    kinds = {kind.name for kind in component.kinds}
    before, after = ({a: d for a, d in side.items() if d.kind in kinds} for side in (before, after))
    told: dict[str, Any] = {"added": [], "changed": [], "brought_back": [], "hidden": [], "unchanged": 0}
    for address in sorted(after):
        if address not in before:
            told["brought_back" if address in hidden else "added"].append(_named(after[address]))
        elif before[address] == after[address]:
            told["unchanged"] += 1
        else:
            shown = len(told["changed"]) < MAX_DIFFERENCES
            told["changed"].append(_changed(component, before[address], after[address], shown=shown))
    told["hidden"] = [_named(before[address]) for address in sorted(before) if address not in after]
    return told if any(told.values()) else {}


def _named(document: Document) -> dict[str, Any]:
    return {"document": document.address, "name": str(document.body.get("name", ""))[:200]}


def _changed(component: Component, before: Document, after: Document, *, shown: bool) -> dict[str, Any]:
    if not shown:
        return _named(after)
    changes = [{"at": c.at, "before": c.before, "after": c.after} for c in component.compare(before, after)]
    return {**_named(after), "changes": changes}


def _put_documents(context: RestoreContext) -> dict[str, dict[str, int]]:
    before, after = context.documents_before, context.documents
    put = [d for address, d in sorted(after.items()) if before.get(address) != d]
    hide = [address for address in sorted(before) if address not in after]
    notes: dict[str, dict[str, int]] = documents_changed(
        context.app, [*(d.address for d in put), *hide], lambda: documents.change(context.app, context.person, put=put, hide=hide))
    return notes
