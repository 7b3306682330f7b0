"""Reading what a backup holds: its indexes, segments and documents, each proven by its digest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from core.apps.lifting import lifted, lifted_lines
from core.archive.canonical import parse, parse_canonical
from core.archive.errors import ArchiveNeedsNewer
from core.archive.manifest import Content, IndexLine, PartEntry, part_lines, read_counters
from core.backups.lists import own_list
from core.backups.models import Backup
from core.base.errors import PluginFailed
from core.extension.component import Component, Document
from core.objects.index import known_descriptors, picked
from core.objects.reader import object_reader, read_object
from core.server import server


class BackupReader:
    """A backup's content, read from the store as it is asked for."""

    def __init__(self, backup: Backup) -> None:
        self.backup = backup
        self.content = Content.from_dict(parse(backup.content.encode(), max_bytes=1024 * 1024))

    @cached_property
    def counters(self) -> dict[str, dict[str, int]]:
        """component -> key -> the highest number that was given out under it."""
        return read_counters(parse(self.backup.counters.encode(), max_bytes=1024 * 1024)) if self.backup.counters else {}

    @cached_property
    def lines(self) -> dict[tuple[str, str], list[IndexLine]]:
        """(component, "config" or "data") -> the lines of that index."""
        read = reader_of({entry.index for _, _, entry in self.content.entries()})
        own = self.backup.origin == "here"
        return {(name, part): own_list(entry.index, read) if own else list(part_lines(read(entry.index), part, f"The index of {part}"))
                for name, part, entry in self.content.entries()}

    def lines_of(self, entry: PartEntry, part: str) -> list[IndexLine]:
        """Return the lines of one index, as strictly as a file's are read.

        Raises:
            ObjectMissing, ObjectDamaged: the store does not have it as it was.
        """
        return list(part_lines(self.read(entry.index), part, f"The index of {part}"))

    def read(self, content: str) -> bytes:
        """Return an object of this backup.

        Raises:
            ObjectMissing, ObjectDamaged: the store does not have it as it was.
        """
        return read_object(content)

    def data_lines(self, component: str) -> list[IndexLine]:
        """Return the lines of a component's data index; none where the backup has no data of it."""
        return self.lines.get((component, "data"), [])

    def lifted(self, component: str, section: str, raw: bytes) -> bytes:
        """Return a segment of a component's data in the shape that it knows today."""
        return lifted_lines(server().registry.components[component], self.content.components[component].version, section, raw)

    @cached_property
    def absent(self) -> dict[str, int]:
        """The components of the backup that this server does not have, or not in that version, each with its version."""
        registry = server().registry
        return {name: entry.version for name, entry in sorted(self.content.components.items()) if not registry.reads(name, entry.version)}

    def unread(self, component: str) -> list[Document]:
        """Return the documents of an absent component, as they were written."""
        return [document for line in self.lines.get((component, "config"), []) if line.section == "documents"
                for document in read_documents(self.read(line.content))]

    @cached_property
    def documents(self) -> dict[str, Document]:
        """The documents by address, lifted to the shape that today's components know; those of absent components are left out.

        Raises:
            ArchiveNeedsNewer: one of Appkeep's own components here is older than the one that wrote the backup.
            PluginFailed: a component that is here does not bring a kind of its own any more.
        """
        read = reader_of({line.content for (_, part), lines in self.lines.items() if part == "config"
                          for line in lines if line.section == "documents"})
        return {d.address: d for name in self.content.components for d in self._documents_of(name, read)}

    def _documents_of(self, name: str, read: Callable[[str], bytes]) -> Iterator[Document]:
        version = self.content.components[name].version
        check_readable(name, version, "The backup")
        if name in self.absent:
            return
        registry = server().registry
        component = registry.components[name]
        for line in self.lines.get((name, "config"), []):
            if line.section == "documents":
                for document in read_documents(read(line.content)):
                    if document.kind not in registry.kinds:
                        raise kind_gone(component, document.kind)
                    yield lifted(component, document, version)


def reader_of(contents: Collection[str]) -> Callable[[str], bytes]:
    """Return what reads these objects, all of them looked up at once; it raises as `read_object` does."""
    known, reader = known_descriptors(contents), object_reader()
    return lambda content: reader.read(picked(known, content))


def check_readable(component: str, version: int, what: str) -> None:
    """Refuse what a newer version of one of Appkeep's own components wrote; a stranger's that is not here is no reason to.

    Raises:
        ArchiveNeedsNewer: with *what* holds it.
    """
    registry = server().registry
    if registry.needs_newer(component, version):
        raise ArchiveNeedsNewer(f"{what} holds “{component}” in version {version}; this server knows version "
                                f"{registry.components[component].version}: update this server.")


def kind_gone(component: Component, kind: str) -> PluginFailed:
    """Return the refusal of documents of a kind that a component had and does not bring any more."""
    plugin = server().registry.plugin_of(component.name)
    return PluginFailed(f"The backup holds documents of the kind “{kind}”, which “{component.title}” does not bring any more. Install a "
                        f"version of the plugin {plugin} that does, or take it out (appkeep plugins remove {plugin}): they are left "
                        "alone then.")


def read_documents(raw: bytes) -> Iterator[Document]:
    """Yield the documents of a "documents" segment."""
    for line in raw.split(b"\n"):
        if line:
            value = parse_canonical(line)
            yield Document(kind=value["kind"], key=value["key"], body=value["body"], position=value["position"])
