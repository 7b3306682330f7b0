"""What of a backup shall be restored, as the address or a form says it: configuration, data, all of it or only parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from core.apps import documents
from core.backups.models import Backup
from core.backups.needs import names_of, saved_record, title_of
from core.backups.reader import BackupReader
from core.backups.same_names import titles
from core.backups.selection import RECORD
from core.base.errors import AppkeepError
from core.extension.component import Component, Document
from core.extension.data_report import RecordPair
from core.server import server
from core.tenancy.models import App

MAX_ONLY = 1000
MAX_CALLED = 50
MAX_NAME_CHARS = 80


@dataclass(frozen=True, slots=True)
class OptionsForm:
    """The options of a restore. `some` says that only the parts in `only` are meant; `safety` that a backup goes first.

    `bin_newer` says that records made since the backup go to the recycle bin.
    """

    config: bool
    data: bool
    some: bool
    only: tuple[str, ...]
    safety: bool
    bin_newer: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """What a plan and a restore are limited to; nothing is all of it."""
        return self.only if self.some else ()

    @property
    def chosen_records(self) -> tuple[str, ...]:
        """The records that are chosen by themselves."""
        return tuple(one for one in self.wanted if f"/{RECORD}/" in one)

    @property
    def as_query(self) -> str:
        """Return the options as the part of an address behind the question mark."""
        return urlencode(self.as_args())

    def as_args(self) -> list[tuple[str, str]]:
        """Return the options as an address or a form carries them."""
        flags = [(name, "1") for name in ("config", "data", "some", "safety", "bin_newer") if getattr(self, name)]
        return [("asked", "1"), *flags, *(("only", one) for one in self.only)]


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can be ticked by itself: what `only` names it, what people read, and what lies within it."""

    name: str
    title: str
    ticked: bool
    within: tuple[Part, ...] = ()


def read_options(given: MultiDict[str, str], backup: Backup) -> OptionsForm:
    """Return the options; where nothing was asked for yet, all that the backup holds, and a backup first."""
    if "asked" not in given:
        return OptionsForm(config=backup.part != "data", data=backup.part != "config", some=False, only=(), safety=True)
    needed = [one[:MAX_NAME_CHARS] for one in given.getlist("need")[:MAX_ONLY]]
    only = dict.fromkeys([*(one[:MAX_NAME_CHARS] for one in given.getlist("only")[:MAX_ONLY]), *needed])
    flag = {name: given.get(name) == "1" for name in ("config", "data", "some", "safety", "bin_newer")}
    for one in needed if flag["some"] else ():  # what is taken besides is of one or the other
        flag["data" if f"/{RECORD}/" in one else "config"] = True
    return OptionsForm(config=flag["config"] and backup.part != "data", data=flag["data"] and backup.part != "config",
                       some=flag["some"], only=tuple(only), safety=flag["safety"], bin_newer=flag["bin_newer"] and flag["data"])


def parts_of(app: App, backup: Backup, only: Iterable[str]) -> list[Part]:
    """Return what of a backup can be ticked: its components, and within those their documents."""
    saved, registry, ticked = BackupReader(backup), server().registry, set(only)
    known = [registry.components[name] for name in saved.content.components if name in registry.components]
    return [Part(one.name, one.title, one.name in ticked, tuple(_within(app, saved, one, ticked)))
            for one in sorted(known, key=lambda one: one.title)]


def _within(app: App, saved: BackupReader, component: Component, ticked: set[str]) -> list[Part]:
    kinds = {kind.name: kind.title for kind in component.kinds if not kind.single}
    found = [d for d in _documents(app, saved, component) if d.kind in kinds]
    called = titles(found, kinds)
    return [Part(d.address, called[d.address], d.address in ticked) for d in found[:MAX_ONLY]]


def chosen_of(app: App, backup: Backup, only: Iterable[str], person: str) -> list[Part]:
    """Return the records and the parts of documents that are chosen by themselves, each ticked."""
    names = [name for name in only if name.count("/") == 3]
    saved, live = BackupReader(backup), {d.address: d for d in documents.live(app)}
    if not names:
        return []
    called, whole = _called(app, saved, live, names, person), names_of(saved.documents.values())
    return [Part(name, called.get(name) or title_of(name, saved, whole), True) for name in names]


def _called(app: App, saved: BackupReader, live: Mapping[str, Document], names: Iterable[str], person: str) -> dict[str, str]:
    """Return what chosen records are called: "Contacts: Ada"; those that the backup lacks are left out."""
    found: dict[str, str] = {}
    sides = {**live, **saved.documents}
    whole = names_of(sides.values())
    for name in [name for name in names if f"/{RECORD}/" in name][:MAX_CALLED]:
        collection, _, number = name.partition(f"/{RECORD}/")
        if number.isdecimal() and (record := saved_record(saved, collection, int(number))) is not None:
            component, values = record
            pair = RecordPair(number=int(number), before=None, after=values)
            told = server().registry.components[component].tell_records(app, person, collection, [pair], {}, sides)
            found[name] = f"{whole.get(collection, '')}: {told[0].title}".removeprefix(": ")
    return found


def _documents(app: App, saved: BackupReader, component: Component) -> list[Document]:
    """Return the component's documents in the backup; where it holds data only, those of the app whose data it holds."""
    try:
        if saved.content.components[component.name].config is not None:
            return [d for d in saved.documents.values() if any(kind.name == d.kind for kind in component.kinds)]
    except AppkeepError:  # the plan says what is wrong with the backup
        return []
    sections = {line.section for line in saved.data_lines(component.name)}
    live = [d for kind in component.kinds for d in documents.live(app, kind.name)]
    return [d for d in live if any(d.key in section for section in sections)]

