"""Questions against a small model: whatever is filtered, sorted and searched, with whatever is indexed, on both engines."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import InvalidInput
from plugins.worksheets.query import NOBODY, Query, Scope, count, groups, page
from tests.plugins.worksheets.query import model
from tests.plugins.worksheets.query.model import CHOICE, PEOPLE, SECRET, SHEET, TEXT, TICK, TYPES, backwards, make, whole

EXAMPLES = int(os.environ.get("APPKEEP_TEST_QUESTIONS", "12"))
asked = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
limits = st.integers(1, 12)
optional = st.none() | model.filters
pytestmark = pytest.mark.usefixtures("organization")


@asked
@given(model.records, model.indexes, optional, model.sorts, limits)
def test_filters_and_sorts_give_what_the_model_gives(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any], limit: int) -> None:
    """In the model's order, and as many as are counted."""
    known = make(records, indexed)
    ask = Query(SHEET, filter=filter, sorts=sorts)
    assert known.asked(filter, sorts) == whole(known.app, ask, limit=limit)
    assert (len(known.asked(filter, sorts)), True) == count(known.app, ask)


@pytest.mark.usefixtures("narrow")
@asked
@given(model.records, model.indexes, optional, model.sorts, limits)
def test_what_is_large_is_walked_and_gives_the_same(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any], limit: int) -> None:
    """Along the index, in windows, narrowed by other indexes: as if all had been sorted."""
    known = make(records, indexed)
    assert known.asked(filter, sorts) == whole(known.app, Query(SHEET, filter=filter, sorts=sorts), limit=limit)


@pytest.mark.usefixtures("few_ranges")
@asked
@given(model.records, optional, model.sorts, st.booleans(), limits)
def test_many_choices_are_sorted_some_at_a_time(records: list[Any], filter: Any, sorts: list[Any], down: bool, limit: int) -> None:
    """By an indexed choice first, then by anything: there and back, also for choices that the field has no more."""
    known, order = make(records, {CHOICE}), [(CHOICE, down), *(one for one in sorts if one[0] != CHOICE)]
    ask, last = Query(SHEET, filter=filter, sorts=order), list[Any]()
    found = whole(known.app, ask, limit=limit, between=last.append)
    assert known.asked(filter, order) == found
    if last:
        end = page(known.app, ask, cursor=last[-1].next, limit=limit)
        assert found == backwards(known.app, ask, end, limit=limit) + [row.seq for row in end.rows]


@pytest.mark.usefixtures("narrow")
@asked
@given(model.records, model.indexes, optional, model.sorts, limits)
def test_the_way_back_is_the_way_there(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any], limit: int) -> None:
    """From the last page back to the first, every record once, in the same order."""
    known = make(records, indexed)
    ask = Query(SHEET, filter=filter, sorts=sorts)
    seen: list[Any] = [page(known.app, ask, limit=limit)]
    forward = whole(known.app, ask, limit=limit, between=lambda one: seen.append(page(known.app, ask, cursor=one.next, limit=limit)))
    last = seen[-1]
    assert forward == backwards(known.app, ask, last, limit=limit) + [row.seq for row in last.rows]


@pytest.mark.usefixtures("narrow")
@asked
@given(model.records, model.indexes, optional, model.sorts, limits, st.integers(1, 8), st.none() | model.words)
def test_pages_that_stop_early_leave_nothing_out(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any], limit: int,
                                                  look: int, search: str | None) -> None:
    """A page that may look at a few rows only says where it stopped; going on from there, every record comes once."""
    known = make(records, indexed)
    readable = set(TYPES) - {model.NUMBER, model.DATE, TICK, model.TAGS, model.WHO}
    ask = Query(SHEET, filter=filter, sorts=sorts, search=search or "", fields=readable if search else None)
    wanted = known.asked(filter, sorts, search or "", readable if search else None)
    assert wanted == whole(known.app, ask, limit=limit, look=look)
    number, exact = count(known.app, ask, look=look)
    assert number == len(wanted) if exact else number <= len(wanted)


@asked
@given(model.records, model.indexes, model.sorts, st.lists(model.words, min_size=1, max_size=2).map(" ".join))
def test_search_finds_what_people_read(records: list[Any], indexed: set[str], sorts: list[Any], search: str) -> None:
    """Every word in some text or in a choice's name, whatever the case."""
    known = make(records, indexed)
    readable = {TEXT, SECRET, CHOICE}
    assert known.asked(None, sorts, search, readable) == whole(known.app, Query(SHEET, sorts=sorts, search=search, fields=readable), limit=5)


@asked
@given(model.records, model.indexes, optional, model.sorts, st.sets(st.sampled_from([*TYPES])), st.none() | st.just("a"))
def test_hidden_fields_answer_nothing(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any], fields: set[str],
                                      search: str | None) -> None:
    """Conditions and sorts on what may not be read are left out, and it is not searched."""
    readable = fields & {TEXT, SECRET, CHOICE} if search else fields
    known = make(records, indexed)
    ask = Query(SHEET, filter=filter, sorts=sorts, search=search or "", fields=readable)
    assert known.asked(filter, sorts, search or "", readable) == whole(known.app, ask, limit=7)


@asked
@given(model.records, model.indexes, optional, model.sorts, st.sets(st.sampled_from(PEOPLE)))
def test_a_scope_reaches_its_people_s_records_only(records: list[Any], indexed: set[str], filter: Any, sorts: list[Any],
                                                   people: set[str]) -> None:
    """Those they made and those that name them; counted and grouped no further."""
    known, scope = make(records, indexed), Scope(people=frozenset(people))
    ask = Query(SHEET, filter=filter, sorts=sorts, within=scope)
    wanted = known.asked(filter, sorts, within=scope)
    assert wanted == whole(known.app, ask, limit=6, look=3)
    assert (len(wanted), True) == count(known.app, ask, look=3)
    assert sum(number for _, number in groups(known.app, ask, CHOICE).found) == len(wanted)


def test_nobody_s_scope_reaches_nothing() -> None:
    """No record, no count, no group, whatever there is."""
    known = make([({TEXT: "a", CHOICE: model.GONE}, PEOPLE[0])], [TEXT])
    ask = Query(SHEET, within=NOBODY)
    assert ([], (0, True), ()) == (page(known.app, ask).rows, count(known.app, ask), groups(known.app, ask, CHOICE).found)


@asked
@given(model.records, model.indexes, optional, st.sampled_from([TEXT, CHOICE, TICK, model.NUMBER, model.DATE, model.TAGS]), st.booleans())
def test_groups_count_every_value(records: list[Any], indexed: set[str], filter: Any, field: str, large: bool) -> None:
    """As the model counts them, also where the index counts."""
    from plugins.worksheets.query import counting

    known = make(records, indexed)
    wanted = Counter(repr(known.rows[seq][0].get(field)) for seq in known.asked(filter))
    before, counting.is_large = counting.is_large, (lambda *_: large)
    try:
        found = groups(known.app, Query(SHEET, filter=filter), field)
    finally:
        counting.is_large = before
    assert found.exact
    assert wanted == Counter({repr(value): number for value, number in found.found})


@pytest.mark.usefixtures("narrow")
@asked
@given(model.records, model.indexes, model.sorts, limits, st.randoms(use_true_random=False), st.data())
def test_what_stays_is_seen_once_while_others_come_and_go(records: list[Any], indexed: set[str], sorts: list[Any], limit: int, random: Any,
                                                          data: st.DataObject) -> None:
    """Records are made and deleted between the pages; each that was there all the time and was not changed comes exactly once."""
    known = make(records, indexed)
    ask, lasting = Query(SHEET, sorts=sorts), set(known.rows)

    def disturb(_page: Any) -> None:
        if random.random() < 0.5 and known.rows:
            gone = random.choice(sorted(known.rows))
            lasting.discard(gone)
            known.delete(gone)
        elif len(known.rows) < 60:
            known.put({TEXT: random.choice("abc"), model.NUMBER: random.randint(-3, 3)}, PEOPLE[0])

    seen = Counter(whole(known.app, ask, limit=limit, between=disturb))
    assert dict.fromkeys(lasting, 1) == {seq: seen[seq] for seq in lasting}
    assert all(number == 1 for number in seen.values())


@asked
@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.hex()), model.sorts)
def test_a_made_up_cursor_is_refused(cursor: str, sorts: list[Any]) -> None:
    """It is no place of this question; nothing else happens."""
    known = make([({TEXT: "a"}, PEOPLE[0])], [TEXT])
    with pytest.raises(InvalidInput):
        page(known.app, Query(SHEET, sorts=sorts), cursor=cursor)


@asked
@given(model.sorts, st.lists(st.none() | st.integers() | st.text(max_size=5) | st.floats() | st.booleans(), max_size=4), st.integers(), st.booleans())
def test_a_forged_cursor_is_refused_or_answered(sorts: list[Any], parts: list[Any], seq: int, back: bool) -> None:
    """A cursor of the right question with any values in it is read as a place, or refused; it breaks nothing."""
    from plugins.worksheets.query.cursors import write_cursor
    from plugins.worksheets.query.prepared import PreparedQuery

    known = make([({TEXT: "a", model.NUMBER: 1}, PEOPLE[0]), ({TEXT: "b"}, PEOPLE[0])], [TEXT, CHOICE])
    ask = Query(SHEET, sorts=sorts)
    try:
        cursor = write_cursor(PreparedQuery(known.app, ask).mark, (*parts, seq), back=back)
        found = page(known.app, ask, cursor=cursor)
    except (InvalidInput, UnicodeEncodeError):
        return
    assert {row.seq for row in found.rows} <= {1, 2}
