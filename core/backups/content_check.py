"""What the lines of a backup mean, judged by the components that would restore them: one judge for files and for what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from core.apps import documents
from core.apps.lifting import lifted, lifted_value
from core.archive.errors import ArchiveDamaged
from core.archive.manifest import Content
from core.archive.reader import Use
from core.backups.reader import check_readable, kind_gone
from core.base.errors import InvalidDocument, InvalidInput, PluginFailed
from core.base.refs import files as files_of
from core.extension.component import Component, Document
from core.extension.declared import NAME
from core.server import server

GUARD_ERRORS = (InvalidInput, InvalidDocument)


class ContentCheck:
    """Looks at one use of a segment after the other, in the order of the format.

    Args:
        content: What the backup says that it holds.
        whole: Whether it holds configuration and data both, which must then speak of the same.
        files: (component, part) -> the digests of the files that its index lists.
        own: Whether this server made it: what a plugin does not take of it any more, it once wrote.

    Raises:
        ArchiveNeedsNewer: one of Appkeep's own components here is older than the one that wrote the backup.
    """

    def __init__(self, content: Content, *, whole: bool, files: Callable[[str, str], set[str]], own: bool = False) -> None:
        self.content, self.whole, self.files, self.own = content, whole, files, own
        self.contexts: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, Document] = {}
        for name, entry in content.components.items():
            check_readable(name, entry.version, "The file")

    def look_at(self, use: Use, values: Iterator[Any]) -> None:
        """Refuse lines that their component could not have written.

        Raises:
            ArchiveDamaged: with the segment, the line and what is wrong with it.
            PluginFailed: a plugin does not take what it once wrote, see also `kind_gone`; the backup is not to blame.
        """
        registry = server().registry
        component = registry.components[use.component] if registry.reads(
            use.component, self.content.components[use.component].version) else None
        try:
            if use.part == "config":
                self._documents(component, use, values)
            elif component is not None:
                version = self.content.components[use.component].version
                lines = values if version == component.version else (
                    lifted_value(component, version, use.section, value) for value in values)
                component.check_data(use.section, use.n, lines, self._context(use.component))
        except GUARD_ERRORS as error:
            where = f"{use.component}, {use.section}, segment {use.n}"
            plugin = registry.plugin_of(use.component)
            if self.own and registry.is_stranger(plugin):
                raise PluginFailed(f"The backup is as it was written, and the plugin {plugin} does not take it any more ({where}): "
                                   f"{error.message} A new version of it that lifts this is needed.") from error
            raise ArchiveDamaged(f"{where}: {error.message}") from error

    def _context(self, name: str) -> dict[str, Any]:
        if name not in self.contexts:
            self.contexts[name] = {"files": self.files(name, "data"), "documents": self.documents if self.whole else None}
        return self.contexts[name]

    def _documents(self, component: Component | None, use: Use, values: Iterable[Any]) -> None:
        if use.section != "documents" or use.n:
            raise ArchiveDamaged(f"{use.component}: a configuration has no section “{use.section}”.")
        listed = self.files(use.component, "config")
        version = self.content.components[use.component].version
        before = ("", "")
        for value in values:
            document = _document(value, use.component, component)
            if (document.kind, document.key) <= before:
                raise ArchiveDamaged(f"{document.address} is out of order.")
            before = document.kind, document.key
            unlisted = next((digest for digest in files_of(document.body) if digest not in listed), None)
            if unlisted is not None:
                raise ArchiveDamaged(f"{document.address} names the file {unlisted}, which the backup lacks.")
            if component is None:
                continue
            document = lifted(component, document, version)
            documents.body_text(document)
            component.check(document)
            self.documents[document.address] = document


def _document(value: Any, name: str, component: Component | None) -> Document:
    if not isinstance(value, Mapping) or value.keys() != {"body", "key", "kind", "position"}:
        raise ArchiveDamaged("A line of the documents has another form.")
    kind = value["kind"]
    own = _unknown(kind) if component is None else any(kind == one.name for one in component.kinds)
    registry = server().registry
    if component is not None and _unknown(kind) and registry.is_stranger(registry.plugin_of(name)):
        raise kind_gone(component, kind)
    if not (own and isinstance(value["key"], str) and isinstance(value["body"], dict)):
        raise ArchiveDamaged(f"A document of {name} has another form, or is of a kind that is not its own.")
    if type(value["position"]) is not int or not 0 <= value["position"] < 2**31:
        raise ArchiveDamaged(f"{kind}/{value['key'][:40]} has no position.")
    return Document(kind=kind, key=value["key"], body=value["body"], position=value["position"])


def _unknown(kind: Any) -> bool:
    """Say whether a kind of documents could belong to a component that is not here."""
    return isinstance(kind, str) and NAME.fullmatch(kind) is not None and kind not in server().registry.kinds
