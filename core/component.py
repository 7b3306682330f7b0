"""Component: what a plugin adds to every app and every backup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from core.apps.models import App
    from core.apps.state import Snapshot
    from core.backups.restoring import RestoreContext


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
    """A named stream of segments in ascending order of their number."""

    name: str
    segments: Iterable[Segment]


Operation = Callable[["App", Mapping[str, Any], str], Any]
"""A scripted edit: (app, the operation's JSON object, who) -> JSON result. The caller owns the transaction."""


class Component:
    """A type of thing that apps are made of. A subclass that only names its kinds has everything else already."""

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int] = 1
    kinds: ClassVar[Sequence[Kind]] = ()
    upgrades: ClassVar[Mapping[int, Callable[[Document], Document]]] = {}

    def check(self, app: App, document: Document) -> None:
        """Refuse a document whose body follows the schema but makes no sense; *app* may hold others by then.

        Raises:
            InvalidDocument: with what is wrong and where.
        """

    def starting_documents(self, name: str) -> Iterable[Document]:
        """Return what a new, empty app of that name starts with."""
        return ()

    def operations(self) -> Mapping[str, Operation]:
        """Return the scripted edits this component understands beyond those of documents."""
        return {}

    def documents_changed(self, app: App, before: Mapping[str, Document], after: Mapping[str, Document]) -> None:
        """Follow a change of documents with what hangs on them; only changed ones are given, by address.

        *before* has what stood there (also when it was in the recycle bin and has been put anew), *after* what
        is live now: in both, it was edited; only in *before*, it was hidden; only in *after*, it is new or back.
        """

    def purged(self, app: App, address: str) -> None:
        """Remove for good what hangs on a document or part that is about to be purged."""

    def edits_done(self, app: App) -> None:
        """Check what can only be checked once all edits of one script or import are in."""

    def copied(self, document: Document, app_name: str) -> Document:
        """Return the document as it shall stand in a copy of the app called *app_name*."""
        return document

    def serialize(self, app: App, snapshot: Snapshot) -> Iterator[Document]:
        """Yield what a backup holds of the configuration: by default the live documents of the kinds."""
        yield from snapshot.documents(kind.name for kind in self.kinds)

    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        """Yield the data of a backup "with data"; by default there is none."""
        return iter(())

    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        """Yield the digests of the files that the data names, ascending, each once."""
        return iter(())

    def check_data(self, section: str, values: Sequence[Any], context: Any) -> None:
        """Refuse lines of a data section that this component could not have written.

        *context* is a dict that lives for one verification; `context["documents"]` maps address to Document
        where the file holds the configuration.

        Raises:
            InvalidInput: with the line and what is wrong.
        """

    def restored(self, app: App, context: RestoreContext) -> None:
        """Finish a restore of the configuration, inside its transaction, with what is not in documents."""

    def restore_data(self, app: App, context: RestoreContext) -> None:
        """Merge the backup's data sections of this component into the app, inside the restore's transaction."""

    def plan_data(self, app: App, context: RestoreContext) -> Mapping[str, Any]:
        """Return what `restore_data` would do, in the form of its report, and write nothing."""
        return {}
