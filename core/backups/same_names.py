"""Documents of one name, told apart in words: which of them in the app's order it is, and what is in it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from core.extension.component import Document

MOST_NAMED = 3
MAX_HINT_CHARS = 80


def titles(documents: Iterable[Document], kinds: Mapping[str, str]) -> dict[str, str]:
    """Return what each document is called, by address; no two are called the same.

    Args:
        documents: All that stand in one list.
        kinds: What each kind is called.
    """
    listed = list(documents)
    found = hints(listed, kinds)
    return {one.address: with_hint(_name(one), found.get(one.address, "")) for one in listed}


def with_hint(name: str, hint: str) -> str:
    """Return a name with what tells it apart behind it; a name that ends so already stays as it is."""
    return name if not hint or name.endswith(f" ({hint})") else f"{name} ({hint})"


def hints(documents: Iterable[Document], kinds: Mapping[str, str]) -> dict[str, str]:
    """Return what tells documents of one name apart, by address; those with a name of their own are left out. See `titles`."""
    alike: defaultdict[str, list[Document]] = defaultdict(list)
    for one in documents:
        alike[" ".join(_name(one).casefold().split())].append(one)
    return {one.address: hint for same in alike.values() for one, hint in _told_apart(same, kinds) if hint}


def hints_by_kind(*sides: Iterable[Document]) -> dict[str, str]:
    """Return what tells documents of one kind and name apart, by key: for lists that say the kind. Of two sides the later one's count."""
    latest = {one.address: one for documents in sides for one in documents}
    by_kind: defaultdict[str, list[Document]] = defaultdict(list)
    for one in latest.values():
        by_kind[one.kind].append(one)
    return {latest[address].key: hint for mine in by_kind.values() for address, hint in hints(mine, {}).items()}


def _told_apart(same: list[Document], kinds: Mapping[str, str]) -> Iterable[tuple[Document, str]]:
    several = len({one.kind for one in same}) > 1
    for kind in dict.fromkeys(one.kind for one in same):
        mine = sorted((one for one in same if one.kind == kind), key=lambda one: (one.position, one.key))
        for n, one in enumerate(mine, 1):
            what = [kinds[kind].lower()] if several else []
            if len(mine) > 1:
                what += [f"{n} of {len(mine)}", *_held(one.body)]
            yield one, "; ".join(what)


def _held(body: Mapping[str, Any]) -> list[str]:
    """Return what is in a document: the names of the first things that it lists, or how many there are."""
    for what, listed in body.items():
        if isinstance(listed, list) and listed:
            names = [str(one["name"]) for one in listed if isinstance(one, Mapping) and one.get("name")]
            more = "…" if len(names) > MOST_NAMED else ""
            told = ", ".join(names[:MOST_NAMED]) + more if names else f"{what.replace('_', ' ')}: {len(listed)}"
            return [told if len(told) <= MAX_HINT_CHARS else f"{told[:MAX_HINT_CHARS]}…"]
    return ["empty"]


def _name(one: Document) -> str:
    return str(one.body.get("name") or one.key).strip()
