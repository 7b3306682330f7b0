"""Columns that go through at once are what going through cell by cell would give; and flat objects what any are written as."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api import InvalidInput, InvalidValue
from core.archive import canonical as canonical_json
from core.archive.canonical import MAX_SAFE, NotCanonical, canonical
from plugins.worksheets.column_texts import texts_of
from plugins.worksheets.entering import by_column, entered_columns
from plugins.worksheets.fields import Field, canonical_values, field_of
from plugins.worksheets.fieldtypes.text import Text
from plugins.worksheets.fieldtypes.whole_columns import all_stored

pytestmark = pytest.mark.usefixtures("sqlite_server")
KINDS = [("text", {}), ("text", {"max_length": 3}), ("long_text", {}), ("rich_text", {}), ("email", {}), ("phone", {}), ("url", {}),
         ("identity_number", {}), ("number", {"decimals": 0}), ("number", {"decimals": 2}), ("currency", {"decimals": 2}), ("percent", {}),
         ("checkbox", {}), ("rating", {"max": 5}), ("date", {}), ("datetime", {}), ("time", {}), ("duration", {})]
NEAR = st.sampled_from([
    "", "a", "abcd", "\0", "\ud800", "é", "a@b.c", "a@b", "+49 30 1", "AB 12", "https://x.org/a", "https://x y", "javascript:x", "x:1",
    "https://x\x7f", "12.50", "-0.00", "-1.20", "0.10", "00.10", "1.2", "1e3", "2026-02-29", "2024-02-29", "2026-13-01", "20260101",
    "2026-01-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.10Z", "2026-01-01T00:00:00.1Z", "0000-01-01T00:00:00Z", "09:30:00",
    0, 1, 5, 6, -1, MAX_SAFE, MAX_SAFE + 1, True, False, 1.0, 2.5, ["a"], {"a": 1}, 10**400]) | st.text() | st.integers() | st.none()


def one_of(kind: str, options: dict[str, Any]) -> Field:
    """Return a field."""
    return field_of({"key": "f_1", "name": "One", "type": kind, "options": options})


@given(st.sampled_from(KINDS), st.lists(NEAR, min_size=1, max_size=6))
def test_columns_are_what_cells_are(kind: tuple[str, dict[str, Any]], values: list[Any]) -> None:
    """Let through together, each would have been as it is; entered together, they are what they are one by one, or refused as there."""
    one = one_of(*kind)
    held = [value for value in values if value is not None]
    if held and all_stored(one.type, held, one.definition):
        assert held == [one.canonical(value) for value in held]
        assert [type(value) for value in held] == [type(one.canonical(value)) for value in held]
    rows = [{"f_1": value} for value in values]
    told: list[Any] = []
    for together in (False, True):
        try:
            told.append(list(entered_columns({"f_1": one}, by_column(rows), str)["f_1"]) if together else
                        [canonical_values({"f_1": one}, row, str(n))["f_1"] for n, row in enumerate(rows)])
        except (InvalidValue, OverflowError, ValueError) as error:
            told.append((type(error), str(error)))
    assert told[0] == told[1]


@pytest.mark.parametrize(("kind", "value"), [
    ("text", "a"), ("email", "a@b.c"), ("number", 7), ("checkbox", True), ("rating", 3), ("date", "2024-02-29"),
    ("datetime", "2026-01-01T00:00:00Z"), ("url", "https://example.org/a?b")])
def test_what_is_usual_goes_through_at_once(kind: str, value: Any) -> None:
    """Otherwise nobody would gain anything."""
    assert all_stored(one_of(kind, {}).type, [value] * 3, {"options": {}})


def test_a_type_with_rules_of_its_own_is_asked_for_each() -> None:
    """A stranger's type may be made of one of these, and take less."""
    class Shouted(Text):
        name = "shouted"

        def canonical(self, value: Any, definition: Any) -> Any:
            return super().canonical(value.upper(), definition)

    assert not all_stored(Shouted(), ["quiet"], {})


def test_a_value_for_no_field_is_refused_with_its_record() -> None:
    """As of one record alone."""
    with pytest.raises(InvalidInput, match="row 1: there is no field “f_2”"):
        entered_columns({"f_1": one_of("text", {})}, by_column([{"f_1": "a"}, {"f_2": "b"}]), lambda n: f"row {n}")


SCALARS = st.text() | st.integers() | st.booleans() | st.none() | st.floats() | st.sampled_from(["\0", "\\u0000", "\ud83d", "\x1f\x7f\u2028"])


@given(st.dictionaries(st.text() | st.sampled_from(["f_1", "\0", "é", "\U0001f600", "\ud800"]), SCALARS))
def test_flat_objects_are_written_as_any_are(value: dict[str, Any]) -> None:
    """The short way gives what the long way does, or leaves it to that."""
    quick = canonical_json._flat(value)
    if quick is not None:
        assert canonical_json._check(value) is not None
        assert quick == canonical_json._write(value).encode() == canonical(value)
    elif any(type(one) is str and "\0" in one for one in value.values()):
        with pytest.raises(NotCanonical):
            canonical(value)


CELLS = SCALARS | st.just(None) | st.sampled_from(["a", '"', "\\", "\n", "%", "%s", "\x7f", "\u2028", "", MAX_SAFE, MAX_SAFE + 1, [1, "a"], {"a": [None]}])
TABLES = st.integers(0, 4).flatmap(lambda count: st.tuples(st.just(count), st.dictionaries(
    st.text(max_size=3) | st.sampled_from(["f_1", "f_2", "%s", '"', "é", "\U0001f600", "\ufb33"]),
    st.one_of(*(st.lists(kind, min_size=count, max_size=count) for kind in (
        CELLS, st.text(), st.text() | st.none(), st.integers(-9, 9), st.integers() | st.none(), st.booleans(), st.booleans() | st.none()))))))


@given(TABLES)
def test_columns_are_written_as_records_are(table: tuple[int, dict[str, list[Any]]]) -> None:
    """Column by column, the text of each record is what it is alone; or it is refused, as there."""
    count, columns = table
    told: list[Any] = []
    for together in (False, True):
        try:
            told.append(texts_of(columns, count) if together else [
                canonical({key: column[n] for key, column in columns.items() if column[n] is not None}).decode() for n in range(count)])
        except NotCanonical:
            told.append(NotCanonical)
    assert told[0] == told[1]
