"""Names within a worksheet: two fields, views or choices of one name cannot be told apart, so a second one is refused. Pure.

What has come in with a file or a backup keeps its names, also doubles: they work, and are told apart by a number behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from core.api import InvalidDocument

Named = Mapping[str, Any]


def plain(name: object) -> str:
    """Return a name as it counts: without regard to case and spaces."""
    return " ".join(str(name).casefold().split())


def check_free(thing: Named, siblings: Iterable[Named], what: str) -> None:
    """Refuse a name that another of its kind has; one that stands already may stay as it is.

    Raises:
        InvalidDocument: with the other's name, beside the name.
    """
    others = [one for one in siblings if one["key"] != thing["key"]]
    before = next((one for one in siblings if one["key"] == thing["key"]), None)
    same = next((one for one in others if plain(one.get("name", "")) == plain(thing["name"])), None)
    if same is not None and (before is None or plain(before.get("name", "")) != plain(thing["name"])):
        problem = f"There is already a {what} “{same['name']}”. Choose another name."
        raise InvalidDocument(problem, path=["name"], problem=problem)


def check_choices(choices: Iterable[Named], before: Iterable[Named] = ()) -> None:
    """Refuse two choices of one name, unless both stood there already.

    Raises:
        InvalidDocument: with the name and the place of the second.
    """
    old, seen = {one["key"] for one in before}, dict[str, str]()
    for n, one in enumerate(choices):
        first = seen.setdefault(plain(one["name"]), one["key"])
        if first != one["key"] and not {first, one["key"]} <= old:
            problem = f"There is already a choice “{one['name']}”. Choose another name."
            raise InvalidDocument(problem, path=["choices", n, "name"], problem=problem)


def doubled(things: Iterable[Named]) -> list[str]:
    """Return the names that several have, each once."""
    listed = list(things)
    counted = Counter(plain(one.get("name", "")) for one in listed)
    return list({plain(one["name"]): str(one["name"]) for one in listed if counted[plain(one.get("name", ""))] > 1}.values())
