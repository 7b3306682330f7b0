"""A matrix of permissions: documents × actions, with parts that can be shut. Shown as rows, read back from a form. Pure.

The body of a role lists entries such as ``{"worksheet": {"ref": …}, "read": "own", "fields": [{"field": …, "read": false}]}``.
What a form does not show (a worksheet in the recycle bin, one made while the form was open) stays as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.extension.component import Document, Kind

Entry = Mapping[str, Any]
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """A column: yes or no, or one of several `choices` (word, for people), the least first."""

    name: str
    title: str
    choices: Sequence[tuple[str, str]] = ()

    @property
    def least(self) -> Any:
        """What stands for "not at all"."""
        return self.choices[0][0] if self.choices else False

    @property
    def most(self) -> Any:
        """What stands for "all of it"."""
        return self.choices[-1][0] if self.choices else True


@dataclass(frozen=True, slots=True)
class Flag:
    """A yes or no on a pointed-to thing that is `unsaid` where nothing is said; where `follows` is named, it is as that flag."""

    name: str
    title: str
    follows: str | None = None
    unsaid: bool = True


@dataclass(frozen=True, slots=True)
class Flags:
    """A list of pointers with flags: `of` names the pointer's property ("field"), `listed` the list ("fields")."""

    listed: str
    of: str
    title: str
    flags: Sequence[Flag]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the rows are (`of`: the pointer's property), the columns, and the parts that a row folds out."""

    listed: str
    of: str
    actions: Sequence[Action]
    parts: Sequence[Flags] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """What a row or a part stands for; `parts` maps a list's name ("fields") to what may be shut in it."""

    address: str
    name: str
    parts: Mapping[str, Sequence[Thing]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as shown: `values` by action; `parts` are (list, rows of its things); `prefix` starts the names of its controls."""

    thing: Thing
    prefix: str
    values: Mapping[str, Any]
    parts: Sequence[tuple[Flags, Sequence[Row]]] = ()

    @property
    def foldable(self) -> Sequence[tuple[Flags, Sequence[Row]]]:
        """The parts of which there are any."""
        return [(flags, rows) for flags, rows in self.parts if rows]

    @property
    def shut(self) -> int:
        """How many of the parts are not wholly open."""
        return sum(not all(row.values.values()) for _, rows in self.parts for row in rows)


def things(documents: Iterable[Document], kind: Kind) -> list[Thing]:
    """Return what stands for documents of a kind, with their parts under the names of their lists ("fields")."""
    return [Thing(d.address, str(d.body.get("name", d.key)), {
        listed: [Thing(f"{d.address}/{part}/{item['key']}", str(item.get("name", item["key"]))) for item in d.body.get(listed, ())]
        for part, listed in kind.parts.items()}) for d in documents]


def rows(matrix: Matrix, entries: Sequence[Entry], things: Iterable[Thing], *, everything: bool) -> list[Row]:
    """Return a row for each thing; one that no entry names has all rights where *everything* is given, else none."""
    found = []
    for thing in things:
        entry = _entry(entries, matrix.of, thing.address)
        values = {a.name: _value(a, entry, everything=everything) for a in matrix.actions}
        prefix = f"{matrix.listed}.{thing.address}"
        parts = [(part, flag_rows(part, (entry or {}).get(part.listed, ()), thing.parts.get(part.listed, ()), prefix))
                 for part in matrix.parts]
        found.append(Row(thing, prefix, values, parts))
    return found


def flag_rows(flags: Flags, entries: Sequence[Entry], things: Iterable[Thing], prefix: str = "") -> list[Row]:
    """Return a row for each thing of a list of pointers with flags."""
    found = []
    for thing in things:
        entry = _entry(entries, flags.of, thing.address)
        values = {flag.name: _flag(flag, entry) for flag in flags.flags}
        found.append(Row(thing, f"{prefix}.{flags.listed}.{thing.address}", values))
    return found


def read(matrix: Matrix, form: Form, entries: Sequence[Entry], shown: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the entries as a form changed them; rows that the form did not bring stay."""
    result = [dict(entry) for entry in entries]
    for row in shown:
        if row.prefix not in form:
            continue
        values = {a.name: _sent(a, form, row.prefix) for a in matrix.actions}
        old = _entry(result, matrix.of, row.thing.address)
        parts = {part.listed: read_flags(part, form, (old or {}).get(part.listed, ()), inner) for part, inner in row.parts}
        changed = values != row.values or any(parts[p.listed] != list((old or {}).get(p.listed, ())) for p, _ in row.parts)
        if not changed:
            continue
        new = _merged(old, values, row.values)
        new.update({name: given for name, given in parts.items() if given or name in new})
        _replace(result, old, {matrix.of: {"ref": row.thing.address}, **new})
    return result


def read_flags(flags: Flags, form: Form, entries: Sequence[Entry], shown: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a list of pointers with flags as a form changed it."""
    result = [dict(entry) for entry in entries]
    for row in shown:
        if row.prefix not in form:
            continue
        values = {flag.name: f"{row.prefix}.{flag.name}" in form for flag in flags.flags}
        if values != row.values:
            old = _entry(result, flags.of, row.thing.address)
            _replace(result, old, {flags.of: {"ref": row.thing.address}, **(old or {}), **values})
    return result


def _entry(entries: Iterable[Entry], of: str, address: str) -> Entry | None:
    return next((entry for entry in entries if entry[of]["ref"] == address), None)


def _value(action: Action, entry: Entry | None, *, everything: bool) -> Any:
    if entry is None:
        return action.most if everything else action.least
    return entry.get(action.name, action.least)


def _flag(flag: Flag, entry: Entry | None) -> bool:
    found: bool = (entry or {}).get(flag.name, (entry or {}).get(flag.follows, flag.unsaid) if flag.follows else flag.unsaid)
    return found


def _sent(action: Action, form: Form, prefix: str) -> Any:
    name = f"{prefix}.{action.name}"
    return form.get(name, action.least) if action.choices else name in form


def _merged(old: Entry | None, values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with new values; what stood nowhere and did not change is not written out."""
    if old is None:
        return dict(values)
    return {**old, **{name: value for name, value in values.items() if name in old or value != before[name]}}


def _replace(entries: list[dict[str, Any]], old: Entry | None, new: dict[str, Any]) -> None:
    if old is None:
        entries.append(new)
    else:
        entries[next(n for n, entry in enumerate(entries) if entry is old)] = new
