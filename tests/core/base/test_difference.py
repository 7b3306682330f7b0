"""Differences of documents, for people."""

from __future__ import annotations

from core.base.difference import MAX_CHANGES, Change, difference


def test_equal_values_do_not_differ() -> None:
    """Nothing to say."""
    assert difference({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == []


def test_each_place_is_named_with_both_sides() -> None:
    """Absent is None on its side."""
    assert [Change("/a", 1, 2), Change("/b/c", "x", None), Change("/d", None, True)] == difference(
        {"a": 1, "b": {"c": "x"}}, {"a": 2, "b": {}, "d": True})


def test_items_with_keys_are_compared_by_key() -> None:
    """Moving a field is told as an order, not as changed fields."""
    one, two = {"key": "f_1", "name": "A"}, {"key": "f_2", "name": "B"}
    assert [Change("/fields/f_1/name", "A", "C")] == difference({"fields": [one, two]},
                                                               {"fields": [{**one, "name": "C"}, two]})
    assert [Change("/fields (order)", ["f_1", "f_2"], ["f_2", "f_1"])] == difference({"fields": [one, two]},
                                                                                     {"fields": [two, one]})
    assert [Change("/fields/f_2", two, None)] == difference({"fields": [one, two]}, {"fields": [one]})


def test_true_is_not_one() -> None:
    """Types count."""
    assert [Change("/", True, 1)] == difference(True, 1)


def test_a_difference_is_bounded() -> None:
    """Nobody reads more, and no report grows without end."""
    assert len(difference({str(n): 0 for n in range(1000)}, {str(n): 1 for n in range(1000)})) == MAX_CHANGES
