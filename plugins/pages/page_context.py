"""The context of a page: it as one visitor sees it at one moment: what fills its holes, and the records of its sources.

Whatever a source names may be gone, and whatever a visitor sends may be anything: then there is nothing, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.api import App, Document, RecordGiven, RecordsAsked, RecordsGiven, author, server
from plugins.pages.text_templates import Use, filled, only_use, uses_in

MAX_QUESTIONS = 80
MAX_BLOCKS = 3000
MAX_OPTIONS = 200
MOST_OF_A_SOURCE = 10_000
NOBODY = RecordsGiven(name="")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T[0-9:.]+Z)?\Z")


Said = Callable[[RecordGiven, str], str]


def _plain(record: RecordGiven, key: str) -> str:
    return record.texts.get(key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at a page; `roles` are addresses. Whoever manages the app sees all of it."""

    person: str
    name: str = ""
    email: str = ""
    admin: bool = False
    roles: frozenset[str] = frozenset()

    def told(self, what: str) -> str:
        """Return what a hole asks of the visitor."""
        known = {"id": author(self.person), "name": self.name, "email": self.email, "role": ", ".join(sorted(self.roles)),
                 "is_signed_in": "true"}
        return known.get(what, "")


@dataclass
class Bounds:
    """How much one page may ask for and show, however it is built; shared by the pages that are shown as one."""

    questions: int = MAX_QUESTIONS
    blocks: int = MAX_BLOCKS

    def question(self) -> bool:
        """Take one question for records, and say whether there was one left."""
        self.questions -= 1
        return self.questions >= 0

    def block(self) -> bool:
        """Take one block, and say whether there was one left."""
        self.blocks -= 1
        return self.blocks >= 0


@dataclass
class PageContext:
    """One page for one visitor. `typed` are what a form says by block, `results` what events before this one gave."""

    app: App
    page: Document
    viewer: Viewer
    parameters: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    results: list[int] = field(default_factory=list)
    bounds: Bounds = field(default_factory=Bounds)
    _given: dict[tuple[Any, ...], RecordsGiven | None] = field(default_factory=dict)

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """The page's sources by key."""
        return {source["key"]: source for source in self.page.body.get("sources", ())}

    def text(self, template: Any, record: RecordGiven | None = None) -> str:
        """Return a template filled for the visitor, inside *record* where it stands in one."""
        return filled(template, lambda use: self._value(use, record))

    def reading(self, template: Any, record: RecordGiven | None = None) -> str:
        """Return a template filled for people to read: numbers with separators and units, days with the names of months."""
        return filled(template, lambda use: self._value(use, record, RecordGiven.read))

    def _value(self, use: Use, record: RecordGiven | None, said: Said = _plain) -> str:
        if "field" in use:
            return self._field(use["field"]["ref"].rpartition("/")[2], use.get("source"), record, said)
        if "parameter" in use:
            return self.parameters.get(use["parameter"], "")
        if "input" in use:
            return self.typed.get(use["input"], "")
        if "user" in use:
            return self.viewer.told(use["user"])
        if "source" in use:
            return ", ".join(self._path(use["source"], use["path"]))
        return self._result(use["result"], record)

    def _field(self, key: str, source: str | None, record: RecordGiven | None, said: Said) -> str:
        if source is None:
            return said(record, key) if record is not None else ""
        return ", ".join(text for one in self._all(source, record) if (text := said(one, key)))

    def _all(self, source: str, record: RecordGiven | None = None) -> Sequence[RecordGiven]:
        """Return the record of a source of one, or all of a list, as far as a text can take them."""
        given = self.records(source, limit=MAX_OPTIONS)
        return given.records if given is not None else ()

    def _path(self, source: str, path: str) -> Iterable[str]:
        *_, last = path.split(".")
        found = self._all(source)
        if path.split(".")[0].isdigit():
            found = found[int(path.split(".")[0]):][:1] if len(path.split(".")[0]) < 6 else ()
        return [str(one.seq) for one in found] if last == "id" else []

    def _result(self, path: str, record: RecordGiven | None) -> str:
        if path == "record.id":
            return str(record.seq) if record is not None else ""
        if path.startswith("previous_action.") and path.endswith(".id"):
            return str(self.results[-1]) if self.results else ""
        return ""

    def chosen(self, template: Any, record: RecordGiven | None) -> str:
        """Return a template filled for a control: one that is a field alone gives its value, linked records by number."""
        use = only_use(template)
        owner = (self.record(use["source"]) if "source" in use else record) if use is not None and "field" in use else None
        if use is None or owner is None:
            return self.text(template, record)
        key = use["field"]["ref"].rpartition("/")[2]
        value = owner.values.get(key)
        if isinstance(value, list) and all(type(item) is int for item in value):
            return ", ".join(map(str, value))
        return value if isinstance(value, str) and _MOMENT.match(value) else owner.texts.get(key, "")

    # Records.

    def record(self, source: str) -> RecordGiven | None:
        """Return the record that a source shows, the first of a list; None where there is none."""
        given = self.records(source, limit=1)
        return given.records[0] if given is not None and given.records else None

    def records(self, source: str, *, limit: int = MAX_OPTIONS, offset: int = 0,
                fields: Sequence[str] | None = None, counted: bool = False, distinct: bool = False) -> RecordsGiven | None:
        """Return records of a source, None where it has no worksheet that the visitor may read; for *distinct* see `RecordsAsked`."""
        body = self.sources.get(source)
        if body is None or "worksheet" not in body:
            return None
        if body["kind"] == "record" and "record" in body:
            text = self.text(body["record"]).strip()
            if not (text.isascii() and text.isdigit() and len(text) < 16):
                return NOBODY
            return self.ask(RecordsAsked(worksheet=body["worksheet"]["ref"], seqs=(int(text),), limit=1))
        all_of_it = body.get("limit", MOST_OF_A_SOURCE)
        most = max(min(limit, all_of_it - offset), 0)
        filter_ = self._condition(body["filter"]) if "filter" in body else None
        if filter_ is NOTHING or most == 0:
            return NOBODY
        distinct = distinct and "limit" not in body
        found = self.ask(RecordsAsked(
            worksheet=body["worksheet"]["ref"], view=body["view"]["ref"] if "view" in body else None, filter=filter_,
            sorts=tuple(body.get("sorts", ())), search=self.text(body.get("search"))[:200], fields=fields, limit=most, offset=offset,
            counted=counted, distinct=distinct))
        return _within(found, all_of_it, offset) if found is not None and not distinct else found

    def ask(self, asked: RecordsAsked) -> RecordsGiven | None:
        """Return what worksheets answer, the same question asked once; nothing once the page has asked for too much."""
        key = (asked.worksheet, asked.view, repr(asked.filter), repr(asked.sorts), asked.search, asked.seqs, asked.fields, asked.limit,
               asked.offset, asked.counted, asked.distinct)
        if key not in self._given:
            if not self.bounds.question():
                return None
            self._given[key] = server().registry.hook.records_for(app=self.app, person=self.viewer.person, asked=asked)
        return self._given[key]

    def _condition(self, condition: Mapping[str, Any]) -> Any:
        """Return a filter with its values filled, None where it asks for nothing, `NOTHING` where nothing can pass.

        A value that comes from a hole and is empty passes nothing: a page that was opened without its parameter, or by
        somebody without an email, must not show everything.
        """
        for word in ("all", "any"):
            if word in condition:
                return self._conditions(word, condition[word])
        value = condition.get("value")
        if isinstance(value, Mapping):
            text = self.text(value)
            if not text:
                return NOTHING if any(True for _ in uses_in((value,))) else None
            return {**condition, "value": text[:10_000]}
        return condition

    def _conditions(self, word: str, conditions: Iterable[Mapping[str, Any]]) -> Any:
        found = [one for one in map(self._condition, conditions) if one is not None]
        kept = [one for one in found if one is not NOTHING]
        if len(kept) < len(found) and (word == "all" or not kept):
            return NOTHING
        return {word: kept} if kept else None


def _within(given: RecordsGiven, most: int, offset: int) -> RecordsGiven:
    """Return an answer of a source that has at most so many records: beyond them there is nothing more to open."""
    if given.total is not None and given.total > most:
        given = replace(given, total=most, exact=True)
    return replace(given, more=False) if offset + len(given.records) >= most else given


NOTHING: Any = object()
"""Stands for a filter that nothing passes."""
