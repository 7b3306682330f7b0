"""Plan: a question made ready: its fields looked up, its filter turned into a predicate, its sorts into an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, false, func, literal, or_, select

from core.api import App, documents, now_us, server, zone_named
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.models import Record
from plugins.worksheets.query.comparators import comparator_of
from plugins.worksheets.query.conditions import Condition, Moment, predicate_of
from plugins.worksheets.query.cursors import mark_of
from plugins.worksheets.query.evaluated_record import Evaluator
from plugins.worksheets.query.orders import Order, order_of
from plugins.worksheets.query.predicates import Predicate, Together
from plugins.worksheets.query.query import Query
from plugins.worksheets.query.searching import Search
from plugins.worksheets.records import COLUMNS, RecordStore
from plugins.worksheets.records.keys import fold
from plugins.worksheets.records.values import Expression, Values, values_of
from plugins.worksheets.service import store_of

r = Record.__table__.c
MAX_DEPTH = 20


@dataclass
class PreparedQuery:
    """One question, ready to be asked. With `in_order` nothing is asked but a page of records, or how many there are.

    `grouped` is the field by which records are counted, if they are.
    """

    app: App
    ask: Query
    in_order: bool = False
    grouped: str = ""
    store: RecordStore = field(init=False)
    values: Values = field(init=False)
    everything: Mapping[str, Field] = field(init=False)
    fields: Mapping[str, Field] = field(init=False)
    evaluator: Evaluator = field(init=False)
    predicate: Predicate = field(init=False)
    search: Search = field(init=False)
    order: Order = field(init=False)
    kinds: Mapping[str, str] = field(init=False)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        document = documents.get(self.app, f"worksheet/{self.ask.worksheet}")
        self.store = store_of(self.app)
        if not (self.in_order and self.plain):
            self.store.bring_all(self.ask.worksheet, {self.grouped, *(name for name, _ in self.ask.sorts), *_named(self.ask.filter, 0)})
        self.values = values_of(self.store.connection)
        # What is in the recycle bin is not indexed, and an index that is still being built lacks records.
        self.kinds = {} if self.ask.deleted else self.store.index.complete(self.ask.worksheet)
        self.everything = fields_of(document.body, stored=False)
        readable = self.everything.keys() if self.ask.fields is None else set(self.ask.fields)
        self.fields = {key: one for key, one in self.everything.items() if key in readable}
        self.evaluator = Evaluator(self.app, document.address, self.everything, self.ask.sight)
        self.predicate = self._tree(self.ask.filter, moment_of(self.app), 0)
        self.search = Search.of(self.ask.search, self.fields, self.evaluator)
        self.order, left = order_of(self.ask.sorts, self.fields, self.evaluator)
        self.notes += ["The records are not sorted by a field that you cannot see." for _ in left[:1]]

    @property
    def plain(self) -> bool:
        """Whether all live records are meant, by their numbers."""
        ask = self.ask
        return not (ask.filter or ask.sorts or ask.search or ask.deleted) and ask.within.everybody

    @property
    def slow(self) -> bool:
        """Whether records must be looked at in Python to know which are meant."""
        return self.predicate.slow or bool(self.search.words)

    @property
    def looks(self) -> bool:
        """Whether the question, its order included, takes looking at records in Python."""
        return self.slow or self.order.slow

    @property
    def needs(self) -> frozenset[str]:
        """The keys of the fields that looking at them in Python takes."""
        found = self.predicate.needs | frozenset(term.name for term in self.order.terms)
        return found | (frozenset(self.fields) if self.search.words else frozenset())

    @property
    def mark(self) -> str:
        """What tells this question's cursors from others'; a filter may change meanwhile."""
        order = [[term.name, term.descending, type(term).__name__] for term in self.order.terms]
        return mark_of(self.app.id, self.ask.worksheet, order, self.order.down, self.ask.deleted)

    def where(self) -> list[Expression]:
        """Return the conditions on a record's row that SQL can tell."""
        state = r.deleted_at.is_not(None) if self.ask.deleted else r.deleted_at.is_(None)
        found = [r.app_id == self.app.id, r.worksheet == self.ask.worksheet, state]
        if not self.ask.within.everybody:
            found.append(self._mine())
        if self.ask.filter is not None:
            found.append(self.predicate.sql(self.values))
        return found + self.search.sql(self.values)

    def rows(self) -> Select[Any]:
        """Return the query for all rows that SQL lets through, in no order."""
        return select(*COLUMNS).where(*self.where())

    def _mine(self) -> Expression:
        """Return whether a record is one of those people's."""
        people, holding = sorted(self.ask.within.people), self.ask.within.holding
        named = [f"user/{person}" for person in people]
        members = [self.values.has(key, named, inner="org") for key, one in self.everything.items()
                   if one.type.name == "member" and one.stored]
        held = [self.values.fold(self.values.held(key)) == fold(text) for key, text in holding if key in self.everything]
        return or_(false(), r.created_by.in_(people), *(members if people else ()), *(func.coalesce(one, literal(False)) for one in held))

    def _tree(self, node: Any, moment: Moment, depth: int) -> Predicate:
        if not isinstance(node, Mapping) or depth > MAX_DEPTH:
            return Predicate()
        for name in ("all", "any"):
            if isinstance(node.get(name), list | tuple):
                parts = [part for one in node[name] if type(part := self._tree(one, moment, depth + 1)) is not Predicate]
                return Together(parts, any_of=name == "any") if parts else Predicate()
        return self._leaf(node, moment)

    def _leaf(self, node: Mapping[str, Any], moment: Moment) -> Predicate:
        one = self.fields.get(_key(node))
        comparator = None if one is None else comparator_of(one)
        if comparator is None:
            self._note("A condition on a field that you cannot see was ignored.")
            return Predicate()
        return predicate_of(Condition(comparator, str(node.get("operator")), node.get("value"), node.get("unit"), moment, self.evaluator))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _named(node: Any, depth: int) -> Iterator[str]:
    """Yield the keys of the fields that a filter names."""
    if isinstance(node, Mapping) and depth <= MAX_DEPTH:
        if "field" in node:
            yield _key(node)
        for name in ("all", "any"):
            for one in node[name] if isinstance(node.get(name), list | tuple) else ():
                yield from _named(one, depth + 1)


def _key(node: Mapping[str, Any]) -> str:
    """Return the key of the field that a condition is on."""
    pointer = node.get("field")
    return str(pointer.get("ref", "") if isinstance(pointer, Mapping) else pointer).rpartition("/")[2]


def moment_of(app: App) -> Moment:
    """Return the organization's time zone and this moment."""
    name = server().registry.hook.organization_time_zone(organization_id=app.organization_id)
    return Moment(zone_named(name), datetime.fromtimestamp(now_us() / 1_000_000, UTC))
