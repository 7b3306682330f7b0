"""Lists of backups as this process has read them: whoever asks for one that somebody still holds gets the same one."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakValueDictionary

from core.archive.manifest import IndexLine, own_lines
from core.tenancy.wall import tenant


class Lines(list[IndexLine]):
    """The lines of a list; never changed."""

    __slots__ = ("__weakref__",)


_held: WeakValueDictionary[tuple[str, str], Lines] = WeakValueDictionary()


def own_list(content: str, read: Callable[[str], bytes]) -> list[IndexLine]:
    """Return the lines of a list that this server wrote; *read* gives its bytes, proven by their digest.

    It is read each time, as whoever stands on a list relies on the store having it. A restore compares a backup with an app that
    stands on it: ten million records are forty thousand lines each time.
    """
    place, raw = (tenant(), content), read(content)
    found = _held.get(place)
    if found is None:
        found = _held[place] = Lines(own_lines(raw))
    return found
