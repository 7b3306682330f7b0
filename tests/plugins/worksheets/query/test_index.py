"""The index of values follows from the records alone: after any history it is what it would be if it were built anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import db, documents, transaction
from plugins.worksheets import service
from plugins.worksheets.fields import KEY_KINDS
from tests.plugins.worksheets.query.model import (
    ALSO_GONE,
    GONE,
    INDEXABLE,
    NUMBER,
    PEOPLE,
    SHEET,
    TEXT,
    TYPES,
    WHO,
    Model,
    indexes,
    kept_keys,
    make,
    records,
    right_keys,
    sheet,
    values,
)

pytestmark = pytest.mark.usefixtures("organization")
steps = st.lists(st.one_of(
    st.tuples(st.just("put"), st.integers(1, 12), values), st.tuples(st.just("make"), st.none(), values),
    st.tuples(st.sampled_from(["delete", "bring back", "purge"]), st.integers(1, 12), st.none()),
    st.tuples(st.just("index"), st.none(), indexes), st.tuples(st.just("type"), st.sampled_from(["text", "number", "date"]), st.none()),
    st.tuples(st.sampled_from(["hide", "show"]), st.sampled_from(INDEXABLE), st.none()),
), max_size=15)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(records.map(lambda some: some[:10]), indexes, steps)
def test_the_index_is_right_after_any_history(given_records: list[Any], indexed: set[str], history: list[Any]) -> None:
    """Records made, changed, deleted, brought back, purged; fields indexed, hidden, brought back, given another type."""
    known, now = make(given_records, indexed), Now(set(indexed))
    for act, what, more in history:
        step(known, now, act, what, more)
        kinds = {name: KEY_KINDS[now.types[name]] for name in now.indexed - now.hidden}
        assert kinds == dict(service.store_of(known.app).index.kinds(SHEET))
        assert right_keys(known.app, kinds) == kept_keys(known.app), (act, what)


class Now:
    """Which fields are indexed and hidden, and of what type they are."""

    def __init__(self, indexed: set[str]) -> None:
        self.indexed, self.hidden, self.types = indexed, set[str](), dict(TYPES)


def step(known: Model, now: Now, act: str, what: Any, more: Any) -> None:
    """Do one thing, unless it makes no sense now."""
    app, row = known.app, service.store_of(known.app).row(SHEET, what) if isinstance(what, int) else None
    db.session.rollback()
    usable = {name: value for name, value in more.items() if name not in (*now.hidden, WHO) and now.types[name] == TYPES[name]
              and {GONE, ALSO_GONE}.isdisjoint(value if isinstance(value, list) else [value])} if isinstance(more, dict) else {}
    with transaction():
        if act == "make" or (act == "put" and row is not None and row.deleted_at is None):
            service.put_record(app, SHEET, what, usable, PEOPLE[0])
        elif act == "delete" and row is not None and row.deleted_at is None:
            service.delete_record(app, SHEET, what, "system")
        elif act in ("bring back", "purge") and row is not None and row.deleted_at is not None:
            (service.bring_back_record if act == "bring back" else service.purge_record)(app, SHEET, what, "system")
        elif act == "index":
            now.indexed = set(more)
            put(known, now)
        elif act == "type" and TEXT not in now.hidden:
            now.types[TEXT] = what
            put(known, now)
        elif act == "hide" and what not in now.hidden:
            now.hidden.add(what)
            documents.hide(app, f"worksheet/{SHEET}/field/{what}", "system")
        elif act == "show" and what in now.hidden:
            documents.bring_back(app, f"worksheet/{SHEET}/field/{what}", "system")
            now.hidden.discard(what)
            put(known, now)


def put(known: Model, now: Now) -> None:
    """Put the worksheet as it is now, without what is in the bin."""
    body = sheet(now.indexed, {name: kind for name, kind in now.types.items() if name not in now.hidden})
    documents.put(known.app, body, "system")


def test_the_recycle_bin_is_not_indexed() -> None:
    """A deleted record leaves no key behind, and one brought back has its keys again."""
    known = make([({TEXT: "a", NUMBER: 1}, PEOPLE[0])], [TEXT, NUMBER])
    before = kept_keys(known.app)
    known.delete(1)
    assert set() == kept_keys(known.app)
    with transaction():
        service.bring_back_record(known.app, SHEET, 1, "system")
    assert before == kept_keys(known.app)
