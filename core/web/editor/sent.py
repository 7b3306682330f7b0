"""What a form sent, as a tree of its names ("v.steps.2.name"), and what its buttons do to that tree. Pure.

A name may end in a mark behind "~" that says something about its place: "~row" that a row of a list is there, "~on" that
an optional property is, "~alt" which alternative was chosen. Everything is bounded: names, how deep, how many rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.base.errors import InvalidInput

MAX_NAMES = 40_000
MAX_DEPTH = 32
MAX_ROWS = 5_000
_NAME = re.compile(r"([A-Za-z0-9_.-]{1,2000})(?:~([a-z]{1,10}))?\Z")
_STEP = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")
_ROW = re.compile(r"(?:0|[1-9][0-9]{0,5})\Z")


@dataclass(slots=True)
class Sent:
    """What was sent under one name: its values, its marks, and what lies below it."""

    values: list[str] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    below: dict[str, Sent] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value, with line ends as they are stored; the last one where there are several."""
        return self.values[-1].replace("\r\n", "\n").replace("\r", "\n") if self.values else ""

    def rows(self) -> list[tuple[str, Sent]]:
        """Return the rows of a list in order, by their numbers in the form.

        Raises:
            InvalidInput: there are too many.
        """
        found = sorted(((name, one) for name, one in self.below.items() if _ROW.match(name)), key=lambda row: int(row[0]))
        if len(found) > MAX_ROWS:
            raise InvalidInput(f"A list in a form can have {MAX_ROWS} rows at most.")
        return found

    def at(self, path: str) -> Sent | None:
        """Return what was sent at a path below this one."""
        found: Sent | None = self
        for step in path.split(".") if path else ():
            found = found.below.get(step) if found is not None else None
        return found


def sent(form: Iterable[tuple[str, str]], root: str = "v") -> Sent:
    """Return what a form sent under *root*; names of another form are left out.

    Args:
        form: (name, value) of each control, as `request.form.items(multi=True)` gives them.
        root: What the names start with.

    Raises:
        InvalidInput: there is more than a form of ours would send.
    """
    tree = Sent()
    for count, (name, value) in enumerate(form, start=1):
        if count > MAX_NAMES:
            raise InvalidInput(f"A form can have {MAX_NAMES} values at most.")
        found = _NAME.match(name)
        if found is None:
            continue
        first, *steps = found[1].split(".")
        if first == root and all(_STEP.match(step) for step in steps):
            if len(steps) > MAX_DEPTH + 2:
                raise InvalidInput(f"A form can be {MAX_DEPTH} levels deep at most.")
            _place(tree, steps, found[2], value)
    return tree


def _place(tree: Sent, steps: list[str], mark: str | None, value: str) -> None:
    for step in steps:
        tree = tree.below.setdefault(step, Sent())
    if mark is None:
        tree.values.append(value)
    else:
        tree.marks[mark] = value


def act(tree: Sent, command: str, root: str = "v") -> str | None:
    """Do what a button of the form says ("add v.steps", "up v.steps.2") and return the path it touched; None for no such act."""
    verb, _, name = command.partition(" ")
    first, _, path = name.partition(".")
    if first != root or verb not in _ACTS or len(name) > 2000:
        return None
    return _ACTS[verb](tree, path)


def _add(tree: Sent, path: str) -> str | None:
    place = tree
    for step in path.split(".") if path else ():
        if not _STEP.match(step):
            return None
        place = place.below.setdefault(step, Sent())
    rows = place.rows()
    name = str(int(rows[-1][0]) + 1) if rows else "0"
    if len(rows) < MAX_ROWS and _ROW.match(name):
        place.below[name] = Sent(marks={"row": "1"})
        place.marks["on"] = "1"
    return _joined(path, name)


def _remove(tree: Sent, path: str) -> str | None:
    above, _, name = path.rpartition(".")
    place = tree.at(above)
    if place is not None:
        place.below.pop(name, None)
    return above


def _more(tree: Sent, path: str) -> str | None:
    place = tree.at(path)
    name = place.marks.get("more", "") if place is not None else ""
    if place is None or not _STEP.match(name):
        return None
    place.below.setdefault(name, Sent()).marks["on"] = "1"
    return _joined(path, name)


def _up(tree: Sent, path: str) -> str | None:
    return _swap(tree, path, -1)


def _down(tree: Sent, path: str) -> str | None:
    return _swap(tree, path, 1)


def _swap(tree: Sent, path: str, by: int) -> str | None:
    above, _, name = path.rpartition(".")
    place = tree.at(above)
    names = [row for row, _ in place.rows()] if place is not None else []
    if place is None or name not in names or not 0 <= names.index(name) + by < len(names):
        return path
    other = names[names.index(name) + by]
    place.below[name], place.below[other] = place.below[other], place.below[name]
    return _joined(above, other)


def _pick(tree: Sent, path: str) -> str | None:
    place = tree.at(path)
    if place is not None:
        place.marks.pop("as", None)  # what was written as JSON is read as what was picked
    return path


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_ACTS = {"add": _add, "remove": _remove, "more": _more, "up": _up, "down": _down, "pick": _pick}
