"""What of a backup is restored: all of it, components, documents, parts of documents, records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.apps.parts import taken
from core.base.errors import InvalidInput
from core.base.refs import ADDRESS
from core.extension.component import Component, Document
from core.server import server

RECORD = "record"
"""What stands before a record's number in its address: "worksheet/w_…/record/12"."""
MAX_NUMBER_DIGITS = 16


@dataclass(frozen=True)
class Selection:
    """What of a backup is restored, by name; nothing named is all of it.

    A name is a component's ("pages"), a document's address, the address of a part of one ("worksheet/w_…/field/f_…"), or that of a
    record ("worksheet/w_…/record/12"; "comments/c_1/record/12" of a component's own table). Where records of a collection are named,
    only those of its records are restored, even if its document is named as well.
    """

    names: frozenset[str] = frozenset()

    def has(self, component: str, address: str | None = None) -> bool:
        """Say whether a document of a component is to be restored; without an address, whether anything of it may be."""
        if not self.names or component in self.names:
            return True
        if address is not None:
            return address in self.names
        return component in self._components

    def numbers(self, component: str, collection: str) -> frozenset[int] | None:
        """Return the numbers of the records of a collection that are to be restored; None is all of them.

        Args:
            component: The component's name.
            collection: The address of the collection: "worksheet/w_…".
        """
        if not self.names or component in self.names:
            return None
        if collection in self.records:
            return self.records[collection]
        return None if collection in self.names else frozenset()

    @cached_property
    def documents(self) -> frozenset[str]:
        """The addresses of the documents that are named."""
        return frozenset(name for name in self.names if name.count("/") == 1)

    @cached_property
    def parts(self) -> Mapping[str, list[tuple[str, str]]]:
        """Document's address -> (part, key) of the parts that are named; those of documents that are named themselves are left out."""
        found: dict[str, list[tuple[str, str]]] = {}
        for address, part, key in self._inner():
            if part != RECORD and address not in self.names:
                found.setdefault(address, []).append((part, key))
        return found

    @cached_property
    def records(self) -> Mapping[str, frozenset[int]]:
        """Address of a collection -> the numbers of its records that are named."""
        found: dict[str, set[int]] = {}
        for address, part, key in self._inner():
            if part == RECORD:
                found.setdefault(address, set()).add(int(key))
        return {address: frozenset(numbers) for address, numbers in found.items()}

    @cached_property
    def _components(self) -> frozenset[str]:
        return frozenset(found for name in self.names if (found := component_named(name.partition("/")[0])))

    def _inner(self) -> Iterator[tuple[str, str, str]]:
        for name in sorted(self.names):
            if name.count("/") == 3:
                address, part, key = name.rsplit("/", 2)
                yield address, part, key

    def check(self) -> None:
        """Refuse names that mean nothing here.

        Raises:
            InvalidInput: with the name.
        """
        for name in sorted(self.names):
            if not _means_something(name):
                registry = server().registry
                raise InvalidInput(f"“{name[:80]}” is neither a component ({', '.join(registry.components)}) nor the address "
                                   f"of a document (kind/key, with one of these kinds: {', '.join(sorted(registry.kinds))}), "
                                   "of a part of one (worksheet/w_…/field/f_…), or of a record (worksheet/w_…/record/12).")


def component_named(word: str) -> str | None:
    """Return the component that the first word of a name belongs to: a kind of documents, or the component itself."""
    registry = server().registry
    return registry.kinds[word][0].name if word in registry.kinds else word if word in registry.components else None


def _means_something(name: str) -> bool:
    if "/" not in name:
        return name in server().registry.components
    word, *_ = name.split("/")
    if not ADDRESS.match(name) or component_named(word) is None:
        return False
    if name.count("/") == 1:
        return word in server().registry.kinds
    part, key = name.rsplit("/", 2)[1:]
    if part == RECORD:
        return key.isascii() and key.isdecimal() and len(key) <= MAX_NUMBER_DIGITS and not key.startswith("0")
    return word in server().registry.kinds and part in _words_of_parts(*server().registry.kinds[word])


def _words_of_parts(component: Component, kind: object) -> set[str]:
    """Return what parts of a component's documents are called: those that stand in the bin by themselves, and smaller ones."""
    return {*getattr(kind, "parts", ()), *component.key_words.values()}


def with_parts(before: Mapping[str, Document], saved: Mapping[str, Document], only: Selection) -> dict[str, Document]:
    """Return the documents of which parts are named, as they stand once those are as the backup has them.

    Raises:
        InvalidInput: the document is not in the app, or the backup has no such part.
    """
    found: dict[str, Document] = {}
    for address, parts in only.parts.items():
        if address not in before:
            raise InvalidInput(f"{address} is not in the app any more; restore it whole.")
        for part, key in parts:
            if address not in saved:
                raise InvalidInput(f"The backup holds no {address[:80]}.")
            now = found.get(address, before[address])
            body = taken(now.body, saved[address].body, key)
            if body is None:
                raise InvalidInput(f"The backup holds no {part} {key[:40]} of {address[:80]}, or what it stands in was deleted since.")
            found[address] = Document(kind=now.kind, key=now.key, body=body, position=now.position)
    return found
