"""Component: what a plugin adds to every app and every backup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from core.archive.canonical import canonical
from core.base.difference import Change, difference
from core.extension.data_report import DataReport, NameOf, RecordPair, RecordTold, ValueTold

if TYPE_CHECKING:
    from core.apps.snapshot import Snapshot
    from core.backups.browse import BrowsedBackup
    from core.backups.restore_context import RestoreContext
    from core.backups.undo import UndoContext
    from core.tenancy.models import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of document: its name in addresses, the JSON Schema (2020-12) of its body, a title for people.

    `letter` starts the keys of its documents ("p" gives "p_…"); a `single` kind has exactly one document an
    app, with the key "main". `parts` maps the name of a part in addresses to the property of the body that
    lists the parts ({"field": "fields"}: objects that carry a "key"); a part can be hidden by itself.
    """

    name: str
    title: str
    schema: Mapping[str, Any]
    letter: str = ""
    single: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One configured thing of an app as a value: what a backup holds of it."""

    kind: str
    key: str
    body: Mapping[str, Any]
    position: int

    @property
    def address(self) -> str:
        """The name that references use: "page/p_…"."""
        return f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of JSON Lines: number within its section, how many lines, the bytes (each line ends in a newline)."""

    n: int
    count: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """A named stream of segments in ascending order of their number.

    `some` gives those that lie in runs of segments, (first, last) with both included; only of a section whose every write is told to
    the log (`core.api.touch`). Without it the section is always read whole.
    """

    name: str
    segments: Iterable[Segment]
    some: Callable[[Sequence[tuple[int, int]]], Iterable[Segment]] | None = None


def document_value(document: Document) -> dict[str, Any]:
    """Return a document as the JSON value that a backup's line holds."""
    return {"body": document.body, "key": document.key, "kind": document.kind, "position": document.position}


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """Where an empty app begins: a kind of document to make, the sentence that leads to it, what its button says."""

    kind: str
    sentence: str
    button: str


Operation = Callable[["App", Mapping[str, Any], str], Any]
"""A scripted edit: (app, the operation's JSON object, who) -> JSON result. The caller owns the transaction."""


class Component:
    """A type of thing that apps are made of. A subclass that only names its kinds has everything else already."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str] = ""
    """What it is for, in a sentence for people."""
    rank: ClassVar[int] = 100
    """Where it stands among others where people see them: lower comes first."""
    note_words: ClassVar[Mapping[str, str]] = {}
    """What the counts that it tells of (see `documents_changed`) are called, after their number: "accounts get another role"."""
    key_words: ClassVar[Mapping[str, str]] = {}
    """What the letter of a key stands for where its name is lost: {"f": "field"}; those of kinds are known."""
    copy_note: ClassVar[str] = ""
    """What people should know of it in a new app that is made of a backup, as a sentence."""
    first_step: ClassVar[FirstStep | None] = None
    """What people begin with in an app that has nothing yet; the component of the lowest rank is asked."""
    version: ClassVar[int] = 1
    kinds: ClassVar[Sequence[Kind]] = ()
    upgrades: ClassVar[Mapping[int, Callable[[Document], Document]]] = {}
    """Lifts a document by one version, from each earlier one: those of all apps when the version rises, and those of older backups."""
    data_upgrades: ClassVar[Mapping[int, Callable[[str, Any], Any]]] = {}
    """Lifts a line of the data by one version, (section, value) -> value; a version whose lines stayed as they were needs none."""

    def check(self, document: Document) -> None:
        """Refuse a document whose body follows the schema but makes no sense by itself.

        What it points to is not judged: that may come back later, and a missing target is not an error.

        Raises:
            InvalidDocument: with what is wrong and where.
        """

    def check_edit(self, before: Document | None, after: Document) -> None:
        """Refuse what nobody may put by hand, although a restore may bring it back as it was.

        Raises:
            InvalidDocument: with what is wrong and where.
        """

    def starting_documents(self, name: str) -> Iterable[Document]:
        """Return what a new, empty app of that name starts with."""
        return ()

    def operations(self) -> Mapping[str, Operation]:
        """Return the scripted edits this component understands beyond those of documents."""
        return {}

    def documents_changed(self, app: App, before: Mapping[str, Document],
                          after: Mapping[str, Document]) -> Mapping[str, int]:
        """Follow a change of documents with what hangs on them; only changed ones are given, by address.

        *before* has what stood there (also when it was in the recycle bin and has been put anew), *after* what
        is live now: in both, it was edited or brought back; only in *before*, it was hidden; only in *after*, it is
        new. Returns counts that a report should tell, by name ("accounts_moved").
        """
        return {}

    def browsed_records(self, browsed: BrowsedBackup) -> Mapping[str, int]:
        """Return how many records hang on each document of a backup that is browsed, by address.

        Only of a component whose pages show them there: it takes what it shows out of the backup into its own tables, which are those
        of the backup's scratch while it is browsed (`BrowsedBackup.reach`, `make_ready`). Data of others is said not to be shown.
        """
        return {}

    def takes_long(self, app: App, op: str, address: str) -> bool:
        """Say whether an edit of a document or part moves so much data that a worker does it, and nobody waits for it at a page.

        *op* is "put_part", "hide", "bring_back" or "purge", or an edit of the component's own that puts a part.
        """
        return False

    def purged(self, app: App, address: str) -> None:
        """Remove for good what hangs on a document or part that is about to be purged."""

    def edits_done(self, app: App) -> Iterable[None] | None:
        """Check what can only be checked once all edits of one script or import are in.

        What takes long may be a generator that yields between its parts: an import may then end a transaction and begin another.
        """
        return None

    def copied(self, document: Document, app_name: str) -> Document:
        """Return the document as it shall stand in a copy of the app called *app_name*."""
        return document

    def compare(self, before: Document, after: Document) -> list[Change]:
        """Return what differs between two states of one document, for people."""
        return difference(document_value(before), document_value(after))

    def serialize(self, app: App, snapshot: Snapshot) -> Iterator[Document]:
        """Yield what a backup holds of the configuration: by default the live documents of the kinds."""
        yield from snapshot.documents(kind.name for kind in self.kinds)

    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        """Yield the data of a backup "with data"; by default there is none."""
        return iter(())

    def record_count(self, app: App, snapshot: Snapshot) -> int:
        """Return how many records `data_sections` would give."""
        return 0

    def record_estimate(self, app: App, snapshot: Snapshot) -> int:
        """Return about how many they are, for a progress bar, where counting them takes long; by default they are counted."""
        return self.record_count(app, snapshot)

    def counters(self, app: App, snapshot: Snapshot) -> Mapping[str, int]:
        """Return the highest number that was given out, by the key of what gives it ("w_…" or "w_…/f_…"): no number comes twice.

        They are kept beside a backup with data, are no part of its `content_id`, and come back by `RestoreContext.counters`.
        """
        return {}

    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        """Yield the digests of the files that the data names, ascending, each once."""
        return iter(())

    def kept_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        """Yield the digests of all files that this component's own tables name, in the recycle bin and set aside as well.

        What neither they nor `data_files` nor a document nor a backup names is removed from the store after a while.
        """
        return iter(())

    def check_data(self, section: str, n: int, values: Iterable[Any], context: dict[str, Any]) -> None:
        """Refuse lines of a data section, its segment *n*, that this component could not have written.

        *context* lives for one verification: "documents" maps address to Document where the file holds the
        configuration too (else None), "files" is the set of digests that this component's data lists.

        Raises:
            InvalidInput: with the line and what is wrong.
        """

    def plan_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        """Return what `restore_data` would report, as JSON; write nothing."""
        return {}

    def restore_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        """Merge the backup's data of this component into the app and return a report of it as JSON.

        It runs inside the restore's transaction, after the configuration, through `context.connection`.
        """
        return {}

    def data_report(self, said: Mapping[str, Any], name_of: NameOf) -> DataReport:
        """Return what a report of these says, in the form that the core shows, compares and agrees to.

        Reports are kept: this reads those of earlier versions too.
        """
        return DataReport()

    def collection(self, section: str) -> str | None:
        """Return the address of the collection of records that a section of data holds ("worksheet/w_…"); None where it holds none."""
        return None

    def record_of(self, section: str, line: Mapping[str, Any]) -> RecordPair:
        """Return what a line of a section that holds records says of its record, as one that is only on the later side."""
        return RecordPair(number=line["number"], before=None, after={name: value for name, value in line.items() if name != "number"})

    def planned_records(self, app: App, context: RestoreContext, collection: str, outcome: str, after: int) -> Iterator[RecordPair]:
        """Yield the records of a collection to which a restore would do something, ascending, those with a number above *after*.

        It costs what differs from there on, and writes nothing. *collection* is an address (see `collection`), *outcome* one of
        `OUTCOMES`.
        """
        return iter(())

    def tell_records(self, app: App, person: str, collection: str, pairs: Sequence[RecordPair], before: Mapping[str, Document],
                     after: Mapping[str, Document]) -> list[RecordTold]:
        """Return records of a collection for people: what each is called, and its values that differ.

        *before* and *after* are the documents of the two sides, by address. The person manages the app.
        """
        return [RecordTold(number=pair.number, title=f"#{pair.number}", values=values_told(pair)) for pair in pairs]

    def plan_undo(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        """Return what `undo_data` would report, as JSON; write nothing."""
        return {}

    def undo_data(self, app: App, context: UndoContext) -> Mapping[str, Any]:
        """Undo what a restore did to this component's data, from the journal that it kept, and return a report of it as JSON.

        It runs inside the transaction that undoes the restore, after the configuration.
        """
        return {}


def values_told(pair: RecordPair) -> list[ValueTold]:
    """Return the values of a record that differ, told by what they are stored under."""
    before, after = pair.before or {}, pair.after or {}
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return [ValueTold(name=name.replace("_", " "), before=_text(before.get(name)), after=_text(after.get(name))) for name in names]


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else canonical(value).decode()
