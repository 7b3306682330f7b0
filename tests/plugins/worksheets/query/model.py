"""A small model of questions for records: dicts, and the rules of the query layer written down as plainly as they can be said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from hypothesis import strategies as st

from core.api import App, Document, apps, db, documents, transaction
from plugins.worksheets import service
from plugins.worksheets.models import RecordKey
from plugins.worksheets.query import EVERYBODY, Page, Query, Scope, page
from plugins.worksheets.records import Row
from plugins.worksheets.records.keys import fold, key_of
from tests.plugins.worksheets.web.making import key_of as key

SHEET = "w_Query11111"
CHOICES = {f"o_Choice111{n}": name for n, name in enumerate(("Low", "High", "middle one"), start=1)}
GONE, ALSO_GONE = "o_Gone111111", "o_Aaaa111111"
TEXT, NUMBER, DATE, TICK, CHOICE, TAGS, WHO, SECRET = (
    key("f", word) for word in ("text", "number", "date", "tick", "choice", "tags", "who", "secret"))
TYPES = {TEXT: "text", NUMBER: "number", DATE: "date", TICK: "checkbox", CHOICE: "single_select", TAGS: "multiple_select", WHO: "member",
         SECRET: "text"}
KINDS = {"text": "text", "number": "number", "date": "moment", "checkbox": "check", "single_select": "choice"}
PEOPLE = ("u_Anna111111", "u_Bert111111", "u_Cent111111")
INDEXABLE = tuple(one for one, kind in TYPES.items() if kind in KINDS)
Vals = dict[str, Any]

# Texts that fold to one another, that are long, that begin alike, and that are at the end of all characters.
texts = st.one_of(
    st.sampled_from(["a", "A", "ab", "AB", "abc", "b", "Ä", "ä", "ß", "\u212a", "k", "K", "\u017f", "s", "%", "_", "a%", "\U0010ffff", "a\U0010ffff",
                     "a" * 100, "a" * 101, "A" * 99 + "b", "x y", "10", "9", "\ue000", "\ud7ff"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=5))
numbers = st.sampled_from([0, 1, 2, 10, -1, -10, 3, 100, 99, -2])
dates = st.sampled_from(["2026-01-31", "2026-02-01", "2026-02-28", "2025-12-31", "1999-01-01", "2026-02-02"])
choices = st.sampled_from([*CHOICES, GONE, ALSO_GONE])
values = st.fixed_dictionaries({}, optional={
    TEXT: texts, NUMBER: numbers, DATE: dates, TICK: st.just(True), CHOICE: choices,
    TAGS: st.lists(choices, min_size=1, max_size=3, unique=True), SECRET: texts,
    WHO: st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True).map(lambda some: [{"org": f"user/{one}"} for one in some])})
records = st.lists(st.tuples(values, st.sampled_from(PEOPLE)), max_size=30)
indexes = st.sets(st.sampled_from(INDEXABLE))
sorts = st.lists(st.tuples(st.sampled_from([TEXT, NUMBER, DATE, TICK, CHOICE, "created_at"]), st.booleans()), max_size=3,
                 unique_by=lambda one: one[0])


def leaf(name: str, operators: Sequence[str], operand: st.SearchStrategy[Any], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return conditions on a field."""
    ref = {"ref": f"worksheet/{SHEET}/field/{name}"}
    return st.builds(lambda operator, value: {"field": ref, "operator": operator, "value": value, **more}, st.sampled_from(operators), operand)


def bare(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return conditions on whether a field has a value."""
    ref = {"ref": f"worksheet/{SHEET}/field/{name}"}
    return st.sampled_from(["is_empty", "is_filled"]).map(lambda operator: {"field": ref, "operator": operator})


ORDERS = ("greater", "greater_or_equal", "less", "less_or_equal")
leaves = st.one_of(
    leaf(TEXT, ("is", "is_not", "contains", "contains_not", "starts_with", "ends_with"), texts),
    leaf(NUMBER, ("is", "is_not", *ORDERS), numbers),
    leaf(DATE, ("is", "is_not", "before", "after", "on_or_before", "on_or_after"), dates, unit="exact_date"),
    leaf(TICK, ("is",), st.booleans()),
    leaf(CHOICE, ("is", "is_not"), choices), leaf(CHOICE, ("is_any_of", "is_none_of"), st.lists(choices, min_size=1, max_size=3)),
    leaf(TAGS, ("has", "has_not"), choices),
    *map(bare, (TEXT, NUMBER, DATE, TICK, CHOICE, TAGS)))
filters = st.recursive(leaves, lambda inner: st.one_of(
    st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
    st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some})), max_leaves=5)
words = st.sampled_from(["a", "A", "k", "s", "low", "HIGH", "middle one", "x", "ä", "gone", "%"])


@dataclass
class Model:
    """The records of a worksheet as dicts, and the worksheet itself, made of them."""

    app_id: str
    rows: dict[int, tuple[Vals, str]] = field(default_factory=dict)

    @property
    def app(self) -> App:
        """The app, fresh from the database."""
        return apps.find(self.app_id)

    def put(self, vals: Vals, person: str, seq: int | None = None) -> int:
        """Make a record, or change it to have these values."""
        with transaction():
            found = service.put_record(self.app, SHEET, seq, {**dict.fromkeys(TYPES), **vals}, person)
        self.rows[found] = vals, self.rows[found][1] if found in self.rows else person
        return found

    def delete(self, seq: int) -> None:
        """Move a record to the bin."""
        with transaction():
            service.delete_record(self.app, SHEET, seq, "system")
        del self.rows[seq]

    def asked(self, filter: Any = None, sorts: Sequence[tuple[str, bool]] = (), search: str = "", fields: Collection[str] | None = None,
              within: Scope = EVERYBODY) -> list[int]:
        """Return the numbers of the records that a question asks for, in its order."""
        readable = set(TYPES) if fields is None else set(fields)
        meant = [seq for seq, (vals, person) in self.rows.items()
                 if reaches(within, vals, person) and holds(filter, vals, readable) and found_in(search, vals, readable)]
        kept = [one for one in sorts if one[0] in readable or one[0] == "created_at"]
        return sorted(meant, key=cmp_to_key(lambda one, other: self.compare(kept, one, other)))

    def compare(self, sorts: Sequence[tuple[str, bool]], one: int, other: int) -> int:
        """Say which of two records comes first: empty values last, alike ones by number in the direction of the last sort."""
        for name, down in sorts:
            a, b = (seq if name == "created_at" else sort_key(name, self.rows[seq][0]) for seq in (one, other))
            if a != b:
                if a is None or b is None:
                    return 1 if a is None else -1
                return (-1 if a < b else 1) * (-1 if down else 1)
        return (-1 if one < other else 1) * (-1 if sorts and sorts[-1][1] else 1)


def sort_key(name: str, vals: Vals) -> Any:
    """Return what a record is sorted by, None for no value."""
    value = vals.get(name)
    if TYPES[name] == "checkbox":
        return value is True
    if value is None:
        return None
    if TYPES[name] == "single_select":
        return list(CHOICES).index(value) if value in CHOICES else len(CHOICES)
    return {"text": lambda: fold(value[:100]), "number": lambda: Decimal(value), "date": lambda: value}[TYPES[name]]()


def holds(node: Any, vals: Vals, readable: Collection[str]) -> bool:
    """Say whether a filter holds; a condition on a field that may not be read is as if it were not there."""
    if node is None:
        return True
    for name, together in (("all", all), ("any", any)):
        if name in node:
            known = [one for one in node[name] if says_something(one, readable)]
            return not known or together(holds(one, vals, readable) for one in known)
    return not says_something(node, readable) or one_holds(node, vals)


def says_something(node: Any, readable: Collection[str]) -> bool:
    """Say whether a filter has a condition on a field that may be read."""
    inner = node.get("all", node.get("any"))
    return any(says_something(one, readable) for one in inner) if inner is not None else name_of(node) in readable


def name_of(node: Any) -> str:
    """Return the field of a condition."""
    return str(node["field"]["ref"].rpartition("/")[2])


OPPOSITE = {"is_not": "is", "contains_not": "contains", "has_not": "has", "is_none_of": "is_any_of", "is_empty": "is_filled"}


def one_holds(node: Any, vals: Vals) -> bool:
    """Say whether one condition holds; the opposites let through what has no value."""
    operator, value, wanted = node["operator"], vals.get(name_of(node)), node.get("value")
    if operator in OPPOSITE:
        return not one_holds({**node, "operator": OPPOSITE[operator]}, vals)
    if TYPES[name_of(node)] == "checkbox":
        return (value is True) is (wanted if operator == "is" else True)
    if value is None:
        return False
    if operator == "is_filled":
        return True
    if TYPES[name_of(node)] == "text":
        text, word = fold(value), fold(wanted)
        return {"is": text == word, "contains": word in text, "starts_with": text.startswith(word), "ends_with": text.endswith(word)}[operator]
    if operator in ("is_any_of", "has"):
        return not set(wanted if isinstance(wanted, list) else [wanted]).isdisjoint(value if isinstance(value, list) else [value])
    return {"is": value == wanted, "greater": value > wanted, "after": value > wanted, "greater_or_equal": value >= wanted,
            "on_or_after": value >= wanted, "less": value < wanted, "before": value < wanted, "less_or_equal": value <= wanted,
            "on_or_before": value <= wanted}[operator]


def found_in(search: str, vals: Vals, readable: Collection[str]) -> bool:
    """Say whether every word is in what of a record is read: its texts, its choices by name."""
    shown = [vals.get(name, "") for name in (TEXT, SECRET) if name in readable]
    shown += [CHOICES.get(vals.get(CHOICE, ""), vals.get(CHOICE, "")) if CHOICE in readable else ""]
    return all(any(fold(word) in fold(text) for text in shown) for word in search.split())


def reaches(scope: Scope, vals: Vals, person: str) -> bool:
    """Say whether a scope reaches a record: made by one of its people, or naming one as a member."""
    named = {one["org"].rpartition("/")[2] for one in vals.get(WHO, ())}
    return scope.everybody or person in scope.people or not named.isdisjoint(scope.people)


def make(given: Sequence[tuple[Vals, str]], indexed: Iterable[str]) -> Model:
    """Make an app with a worksheet of these records; *indexed* fields have an index from the beginning."""
    indexed = set(indexed)
    with transaction():
        app = apps.create("Query", "system")
        documents.put(app, sheet(indexed), "system")
        app_id = app.id
    model = Model(app_id)
    with transaction():
        service.put_records(model.app, SHEET, [
            {"values": vals, "created_by": person, "created_at": 10**15 + n} for n, (vals, person) in enumerate(given)], "system")
    model.rows = dict(enumerate(given, start=1))
    return model


def sheet(indexed: Collection[str], types: Mapping[str, str] = TYPES) -> Document:
    """Return the worksheet with its index switched on for some fields."""
    options = {"choices": [{"key": one, "name": name} for one, name in CHOICES.items()]}
    fields = [{"key": name, "name": kind, "type": kind, "options": options if kind.endswith("_select") else {},
               **({"indexed": True} if name in indexed else {})} for name, kind in types.items()]
    return Document(kind="worksheet", key=SHEET, body={"name": "Asked", "fields": fields}, position=0)


def whole(app: App, ask: Query, *, limit: int, look: int | None = None, between: Any = None) -> list[int]:
    """Return the numbers of all records of a question, page after page; *between* is called after each."""
    found, cursor = list[int](), None
    for _ in range(300):
        given = page(app, ask, cursor=cursor, limit=limit, look=look)
        found += [row.seq for row in given.rows]
        cursor = given.next
        if cursor is None:
            return found
        if between is not None:
            between(given)
    raise AssertionError("the pages have no end")


def backwards(app: App, ask: Query, last: Page, *, limit: int, look: int | None = None) -> list[int]:
    """Return the numbers of all records before a page, nearest page last, in order."""
    found, cursor = list[int](), last.previous
    for _ in range(300):
        if cursor is None:
            return found
        given = page(app, ask, cursor=cursor, limit=limit, look=look)
        found = [row.seq for row in given.rows] + found
        cursor = given.previous
    raise AssertionError("the pages have no end")


def kept_keys(app: App) -> set[tuple[str, str, int]]:
    """Return what the index holds."""
    k = RecordKey.__table__.c
    rows = db.session.connection().execute(RecordKey.__table__.select().with_only_columns(k.field, k.key, k.seq).where(
        k.app_id == app.id, k.worksheet == SHEET))
    return {(row.field, row.key, row.seq) for row in rows}


def right_keys(app: App, kinds: Mapping[str, str]) -> set[tuple[str, str, int]]:
    """Return what the index should hold, from the records as they are."""
    found: list[Row] = list(service.all_rows(app, SHEET))
    return {(name, key_of(kind, service.loads(row.vals).get(name)), row.seq) for row in found for name, kind in kinds.items()}
