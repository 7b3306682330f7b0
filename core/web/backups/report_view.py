"""Plans and reports of restores for people: names instead of keys, words instead of JSON, long lists cut and counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from core.backups.absent import MISSING, sentence
from core.backups.same_names import hints_by_kind, with_hint
from core.extension.component import Component, Document
from core.extension.data_report import CollectionReport, DataReport, LostReference
from core.server import server

MAX_SHOWN = 50
MAX_REFERENCES = 100
MAX_VALUE_CHARS = 160
MAX_ITEMS = 6
PLANNED = {"changed": "Changes back to the backup", "brought_back": "Restored from the recycle bin", "added": "Is created again",
           "hidden": "Moves to the recycle bin"}
DONE = {"changed": "Changed back to the backup", "brought_back": "Restored from the recycle bin", "added": "Was created again",
        "hidden": "Moved to the recycle bin"}
COMPARED = {"changed": "Changed", "added": "Added", "hidden": "Removed"}
_KEY = re.compile(r"[a-z]{1,3}_[1-9A-HJ-NP-Za-km-z]{10}")
Names = Mapping[str, str]
NO_HINTS: Names = MappingProxyType({})


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

    `component` is its name. `missing` says that its plugin is not here.

    `collections` are those whose records differ, `left` those whose records are as the backup has them; each is a `noun`.
    """

    title: str
    component: str = ""
    groups: list[Group] = field(default_factory=list)
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)
    noun: str = ""
    collections: list[CollectionReport] = field(default_factory=list)
    left: list[CollectionReport] = field(default_factory=list)
    lost: list[LostReference] = field(default_factory=list)
    lost_count: int = 0
    kept: list[str] = field(default_factory=list)
    kept_count: int = 0
    rest: list[str] = field(default_factory=list)
    missing: str = ""

    @property
    def writes(self) -> bool:
        """Whether anything of the component is written."""
        return bool(self.groups or self.notes or self.lost_count or self.rest or any(one.written for one in self.collections))


def names_in(*sides: Iterable[Document]) -> dict[str, str]:
    """Return key -> name of everything that documents hold, parts of parts too; of two sides the later one's.

    Documents of one kind and name are told apart.
    """
    found, listed = dict[str, str](), [list(documents) for documents in sides]
    hints = hints_by_kind(*listed)
    for document in chain(*listed):
        name = str(document.body.get("name") or server().registry.kind(document.kind)[1].title)
        found[document.key] = with_hint(name, hints.get(document.key, ""))
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


def tell(components: Mapping[str, Any], names: Names, *, done: bool, words: Mapping[str, str] | None = None,
         hints: Names = NO_HINTS) -> list[Told]:
    """Return a plan's or report's "components" for people, *done* in the past tense; those with nothing to say are left out.

    Args:
        components: What is said of each.
        names: What everything is called that is pointed to, by key: `names_in`.
        done: Whether it has been done.
        words: What else to call what happened to documents.
        hints: What tells documents apart that are called the same once it is done: `hints_by_kind`.
    """
    called = words or (DONE if done else PLANNED)
    registry = server().registry
    told = [_component(registry.components.get(name), name, said, names, called, hints) for name, said in components.items()]
    return [one for one in told if one.writes or one.collections or one.left or one.kept or one.missing]


def _component(component: Component | None, name: str, said: Mapping[str, Any], names: Names,
               words: Mapping[str, str], hints: Names) -> Told:
    """Return what is said of a component; of one that is not there any more, what happened to its documents."""
    if MISSING in said:
        return Told(title=said[MISSING]["title"], missing=sentence(said[MISSING]))
    documents, data = said.get("documents", {}), said.get("data", {})
    report = component.data_report(data, lambda key: _named(key, names)) if component is not None and data else DataReport()
    called: Mapping[str, str] = component.note_words if component is not None else {}
    groups = [Group(words[verb], len(documents[verb]), tuple(_item(one, names, hints) for one in documents[verb][:MAX_SHOWN]))
              for verb in words if documents.get(verb)]
    collections = [replace(one, name=with_hint(one.name, hints.get(one.key, ""))) for one in report.collections]
    notes = [f"{count} {called.get(what, what.replace('_', ' '))}"
             for what, count in [*said.get("notes", {}).items(), *data.get("notes", {}).items()]]
    return Told(title=component.title if component is not None else name, component=name, groups=groups,
                unchanged=documents.get("unchanged", 0), notes=notes, noun=report.noun,
                collections=[one for one in collections if one.touched],
                left=[one for one in collections if not one.touched],
                kept=[*_kept(said, names, hints), *report.kept][:MAX_REFERENCES],
                kept_count=len(said.get("left_alone", ())) + report.kept_count,
                lost=[_lost(one, names) for one in report.references[:MAX_REFERENCES]], lost_count=report.references_count,
                rest=list(report.remarks))


def _item(one: Mapping[str, Any], names: Names, hints: Names) -> Item:
    kind, _, key = one["document"].partition("/")
    title = server().registry.kinds[kind][1].title if kind in server().registry.kinds else kind
    return Item(title, with_hint(one["name"] or "", hints.get(key, "")), tuple(change(c, names) for c in one.get("changes", ())))


def change(one: Mapping[str, Any], names: Names) -> Change:
    """Return a change for people."""
    own = next((side["name"] for side in (one["after"], one["before"])
                if isinstance(side, Mapping) and isinstance(side.get("name"), str)), None)
    told = _details if _KEY.fullmatch(one["at"].rpartition("/")[2]) and own is not None else value_text
    before, after = (None if side is None else told(side, names) for side in (one["before"], one["after"]))
    return Change(place(one["at"], names, own), before, after)


def _details(value: Any, names: Names) -> str:
    """Return what is to be said of a thing whose name is said already; nothing where it has nothing else."""
    kept = {name: inner for name, inner in value.items() if name not in ("key", "name", "title")} if isinstance(value, Mapping) else value
    return value_text(kept, names) if kept and kept != {"options": {}} else ""


def place(at: str, names: Names, own: str | None = None) -> str:
    """Return a place in a document in words: "/body/fields/f_…/name" is "field “Amount”: name"."""
    order = at.endswith(" (order)")
    steps = [step for step in at.removesuffix(" (order)").split("/") if step not in ("", "body", "options")]
    words: list[str] = []
    for n, step in enumerate(steps):
        if not _KEY.fullmatch(step):
            words.append(names.get(step, step.replace("_", " ")))
            continue
        name = own if own is not None and n == len(steps) - 1 and step not in names else _named(step, names)
        noun = _words_of_letters().get(step.partition("_")[0]) or (words[-1].removesuffix("s") if words else "item")
        words[-1:] = [f"{noun} “{name}”" if step in names or name is own else name]
    text = ": ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]]) if words else "all of it"
    return text + (": order" if order else "")


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


def _lost(one: LostReference, names: Names) -> LostReference:
    """Return a reference with names in place of keys."""
    steps = [_named(step, names) for step in one.target.split("/")]
    return replace(one, collection=_named(one.collection, names), field=_named(one.field, names), target=" ".join(steps))


def _kept(said: Mapping[str, Any], names: Names, hints: Names) -> Iterator[str]:
    """Yield what an undo leaves as it is, because somebody changed it since."""
    for one in said.get("left_alone", ()):
        part = one["part"].rpartition("/")[2]
        whole = with_hint(one["name"] or one["document"], hints.get(one["document"].rpartition("/")[2], ""))
        yield f"{whole}{' › ' + names.get(part, part) if part else ''}: {one['reason']}"


def _named(key: str, names: Names) -> str:
    """Return the name that belongs to a key; for one that neither side knows what it was, and never the key itself."""
    if key in names or not _KEY.fullmatch(key):
        return names.get(key, key)
    return f"a deleted {_words_of_letters().get(key.partition('_')[0], 'item')}"


def _words_of_letters() -> dict[str, str]:
    """Return what the letters of keys stand for, as far as people need a word for something whose name is lost."""
    registry = server().registry
    kinds = {kind.letter: kind.title.lower() for _, kind in registry.kinds.values() if kind.letter}
    return {"u": "person"} | kinds | {letter: word for one in registry.components.values() for letter, word in one.key_words.items()}
