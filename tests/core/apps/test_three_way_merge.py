"""Two changes made at once from one start: both stay, or the second is told."""

from __future__ import annotations

from typing import Any

import pytest

from core.apps.three_way_merge import merged
from core.base.errors import Conflict

START = {"name": "Deals", "fields": [{"key": "a", "name": "A"}, {"key": "b", "name": "B"}], "title": {"ref": "a"}}


def parts(*keys: str, **names: str) -> list[dict[str, Any]]:
    """Return parts with these keys, called like them unless a name is given."""
    return [{"key": key, "name": names.get(key, key.upper())} for key in keys]


@pytest.mark.parametrize(("mine", "theirs", "both"), [
    ({"name": "Mine"}, {"title": {"ref": "b"}}, {"name": "Mine", "title": {"ref": "b"}}),
    ({"fields": parts("a", "b", "c")}, {"fields": parts("a", "b", "d")}, {"fields": parts("a", "b", "c", "d")}),
    ({"fields": parts("a", "b", a="mine")}, {"fields": parts("a", "b", b="theirs")}, {"fields": parts("a", "b", a="mine", b="theirs")}),
    ({"fields": parts("b")}, {"fields": parts("a", "b", "c")}, {"fields": parts("b", "c")}),
    ({"fields": parts("b", "a")}, {"fields": parts("a", "b", "c")}, {"fields": parts("b", "c", "a")}),
    ({"fields": parts("c", "a", "b")}, {"fields": parts("b", "a")}, {"fields": parts("c", "b", "a")}),
    ({"fields": parts("a", "b", a="same")}, {"fields": parts("a", "b", a="same")}, {"fields": parts("a", "b", a="same")}),
    ({"colour": "red"}, {"icon": "x"}, {"colour": "red", "icon": "x"}),
])
def test_what_each_changed_stays(mine: dict[str, Any], theirs: dict[str, Any], both: dict[str, Any]) -> None:
    """Properties and parts that only one changed, added, moved or removed are as that one made them."""
    assert {**START, **both} == merged(START, {**START, **mine}, {**START, **theirs})


def test_a_property_that_one_takes_away_is_gone() -> None:
    """What one removes and the other left alone is removed."""
    mine = {name: value for name, value in START.items() if name != "title"}
    assert {**mine, "name": "Theirs"} == merged(START, mine, {**START, "name": "Theirs"})


@pytest.mark.parametrize(("mine", "theirs"), [
    ({"name": "Mine"}, {"name": "Theirs"}),
    ({"fields": parts("a", "b", a="mine")}, {"fields": parts("a", "b", a="theirs")}),
    ({"fields": parts("b")}, {"fields": parts("a", "b", a="theirs")}),
    ({"fields": [*parts("a", "b"), {"key": "c", "name": "mine"}]}, {"fields": [*parts("a", "b"), {"key": "c", "name": "theirs"}]}),
    ({"items": [1, 2]}, {"items": [1, 3]}),
])
def test_what_both_changed_is_a_conflict(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Nobody's change is put over another's of the same thing."""
    with pytest.raises(Conflict):
        merged(START, {**START, **mine}, {**START, **theirs})


def test_two_orders_are_a_conflict() -> None:
    """Parts that both put into another order cannot be in both."""
    start, mine, theirs = ({"fields": parts(*keys)} for keys in ("abc", "bac", "acb"))
    with pytest.raises(Conflict):
        merged(start, mine, theirs)
