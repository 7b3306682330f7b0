"""Plans and reports of restores for people: names instead of keys, words instead of JSON, long lists cut and counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.extension.component import Document
from core.server import server

MAX_SHOWN = 50
MAX_REFERENCES = 100
MAX_VALUE_CHARS = 160
MAX_ITEMS = 6
PLANNED = {"changed": "Changes back to the backup", "brought_back": "Restored from the recycle bin", "added": "Is created again",
           "hidden": "Moves to the recycle bin"}
DONE = {"changed": "Changed back to the backup", "brought_back": "Restored from the recycle bin", "added": "Was created again",
        "hidden": "Moved to the recycle bin"}
NOTES = {"authors_not_proven": "records name a member here as their author, which only a file signed by this server can prove; "
                               "whoever restores them stands there instead",
         "accounts_moved_to_default_role": "portal accounts move to the default portal role",
         "accounts_moved_back": "portal accounts get the portal role back that they had before the restore"}
_KEY = re.compile(r"[a-z]_[1-9A-HJ-NP-Za-km-z]{10}")
_WHAT = {"w": "worksheet", "f": "field", "v": "view", "o": "choice", "p": "page", "r": "role", "u": "person"}
"""What the letters of keys stand for, as far as people need a word for something whose name is lost."""
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a document that differs: where, and what stands there before and after; None is nothing."""

    where: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A document that is touched: what it is, its name, what of it changes, how many changes more there are."""

    kind: str
    name: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Documents to which the same happens; of very many only the first, `count` is how many they are."""

    title: str
    count: int
    items: tuple[Item, ...]


@dataclass
class Told:
    """What happens to one component, its documents first, then its data, then what could not be.

    `worksheets` are those whose records differ, `left` those whose records are as the backup has them.
    """

    title: str
    groups: list[Group] = field(default_factory=list)
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)
    worksheets: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    lost: list[dict[str, Any]] = field(default_factory=list)
    lost_count: int = 0
    kept: list[str] = field(default_factory=list)
    kept_count: int = 0
    rest: list[str] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether anything of the component is written."""
        return bool(self.groups or self.notes or self.lost_count or self.rest
                    or any(sheet["brought_back"] or sheet["overwritten"] or sheet.get("binned") for sheet in self.worksheets))


def names_in(*sides: Iterable[Document]) -> dict[str, str]:
    """Return key -> name of everything that documents hold, parts of parts too; of two sides the later one's."""
    found: dict[str, str] = {}
    for documents in sides:
        for document in documents:
            found[document.key] = str(document.body.get("name") or server().registry.kind(document.kind)[1].title)
            _collect(document.body, found)
    return found


def _collect(value: Any, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        key, name = value.get("key"), value.get("name") or value.get("title")
        if isinstance(key, str) and isinstance(name, str):
            found[key] = name
        for inner in value.values():
            _collect(inner, found)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect(inner, found)


def tell(components: Mapping[str, Any], names: Names, *, done: bool) -> list[Told]:
    """Return a plan's or report's "components" for people, *done* in the past tense; those with nothing to say are left out."""
    registry = server().registry
    told = [_component(registry.components[name].title if name in registry.components else name, said, names, done)
            for name, said in components.items()]
    return [one for one in told if one.writes or one.worksheets or one.left or one.kept]


def _component(title: str, said: Mapping[str, Any], names: Names, done: bool) -> Told:
    documents, data = said.get("documents", {}), said.get("data", {})
    words = DONE if done else PLANNED
    groups = [Group(words[verb], len(documents[verb]), tuple(_item(one, names) for one in documents[verb][:MAX_SHOWN]))
              for verb in words if documents.get(verb)]
    notes = [f"{count} {NOTES.get(name, name.replace('_', ' '))}"
             for name, count in [*said.get("notes", {}).items(), *data.get("notes", {}).items()]]
    sheets = list(data.get("worksheets", ()))
    touched = [one for one in sheets if one["brought_back"] or one["overwritten"] or one["new_since"] or one.get("binned")]
    lost = [*data.get("references_not_restored", ()), *data.get("choices_not_there", ())]
    return Told(title=title, groups=groups, unchanged=documents.get("unchanged", 0), notes=notes,
                worksheets=touched, left=[one for one in sheets if one not in touched],
                kept=list(_kept(said, names))[:MAX_REFERENCES],
                kept_count=len(said.get("left_alone", ())) + data.get("left_alone_count", 0),
                lost=[_lost(one, names) for one in lost[:MAX_REFERENCES]],
                lost_count=data.get("references_not_restored_count", 0) + data.get("choices_not_there_count", 0),
                rest=list(_rest(data, names)))


def _item(one: Mapping[str, Any], names: Names) -> Item:
    kind = one["document"].partition("/")[0]
    title = server().registry.kinds[kind][1].title if kind in server().registry.kinds else kind
    return Item(title, one["name"] or "", tuple(change(c, names) for c in one.get("changes", ())))


def change(one: Mapping[str, Any], names: Names) -> Change:
    """Return a change for people."""
    own = next((side["name"] for side in (one["after"], one["before"])
                if isinstance(side, Mapping) and isinstance(side.get("name"), str)), None)
    before, after = (None if side is None else value_text(side, names) for side in (one["before"], one["after"]))
    return Change(place(one["at"], names, own), before, after)


def place(at: str, names: Names, own: str | None = None) -> str:
    """Return a place in a document in words: "/body/fields/f_…/name" is "fields › Amount › name"."""
    order = at.endswith(" (order)")
    steps = [step for step in at.removesuffix(" (order)").split("/") if step not in ("", "body")]
    words = [_named(step, names) if _KEY.fullmatch(step) else names.get(step, step.replace("_", " ")) for step in steps]
    if own is not None and steps and _KEY.fullmatch(steps[-1]) and steps[-1] not in names:
        words[-1] = own
    return " › ".join(words or ["all of it"]) + (": order" if order else "")


def value_text(value: Any, names: Names) -> str:
    """Return a value as words, cut where it is long."""
    text = _words(value, names)
    return text if len(text) <= MAX_VALUE_CHARS else text[:MAX_VALUE_CHARS - 1] + "…"


def _words(value: Any, names: Names) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _named(value, names) or "nothing"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return _mapping_words(value, names)
    if isinstance(value, list | tuple):
        shown = [_words(one, names) for one in value[:MAX_ITEMS]]
        return ", ".join(shown) + (f" and {len(value) - MAX_ITEMS} more" if len(value) > MAX_ITEMS else "") or "nothing"
    return "nothing"


def _mapping_words(value: Mapping[str, Any], names: Names) -> str:
    if isinstance(value.get("ref"), str):
        key = value["ref"].rpartition("/")[2]
        return _named(key, names)
    for told in ("name", "title", "text"):
        if isinstance(value.get(told), str) and value[told]:
            return str(value[told])
    inner = [f"{name.replace('_', ' ')}: {_words(one, names)}" for name, one in value.items()
             if name != "key" and one not in (None, "", [], {})]
    return "; ".join(inner) or json.dumps(value, ensure_ascii=False)


def _lost(one: Mapping[str, Any], names: Names) -> dict[str, Any]:
    steps = [_named(step, names) for step in str(one["target"]).split("/")]
    return {"worksheet": _named(one["worksheet"], names), "record": one["record"],
            "field": _named(one["field"], names), "target": " ".join(steps), "reason": one["reason"]}


def _kept(said: Mapping[str, Any], names: Names) -> Iterator[str]:
    """Yield what an undo leaves as it is, because somebody changed it since."""
    for one in said.get("left_alone", ()):
        part = one["part"].rpartition("/")[2]
        yield f"{one['name'] or one['document']}{' › ' + names.get(part, part) if part else ''}: {one['reason']}"
    for one in said.get("data", {}).get("left_alone", ()):
        key = one["field"]
        yield (f"{names.get(one['worksheet'], one['worksheet'])}, record {one['record']}"
               f"{', ' + names.get(key, key) if key else ''}: {one['reason']}")


def _rest(data: Mapping[str, Any], names: Names) -> Iterator[str]:
    for one in data.get("clashes", ())[:MAX_REFERENCES]:
        yield (f"“{one['value']}” is in {one['records']} records of {_field(one, names)}, which must be unique. "
               "All of them were kept.")
    for one in data.get("fields_left", ())[:MAX_REFERENCES]:
        yield f"{_field(one, names)} stays unchanged in {one['records']} records: {one['reason']}."
    for one in data.get("skipped", ())[:MAX_REFERENCES]:
        yield f"{one['records']} records of {_named(one['worksheet'], names)} are skipped: {one['reason']}."


def _field(one: Mapping[str, Any], names: Names) -> str:
    return f"{_named(one['worksheet'], names)} › {_named(one['field'], names)}"


def _named(key: str, names: Names) -> str:
    """Return the name that belongs to a key; for one that neither side knows what it was, and never the key itself."""
    if key in names or not _KEY.fullmatch(key):
        return names.get(key, key)
    return f"a deleted {_WHAT.get(key[0], 'item')}"
