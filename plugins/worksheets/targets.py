"""Whether what a value points to exists: records, files, choices, and things of the organization."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.api import App, Definition, Document, Reference, files_missing, find_app, org_exists
from plugins.worksheets.fields import Field
from plugins.worksheets.records import RecordStore, open_store

SPAN = 256
"""How many numbers are asked for together: those of one segment, so that what a backup names costs no more than what it holds."""


class Numbers:
    """A set of record numbers, however far apart: one bit each in small blocks, of which only those that are used exist."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self.blocks: dict[int, bytearray] = {}
        self.update(numbers)

    def update(self, numbers: Iterable[int]) -> None:
        """Add numbers."""
        blocks = self.blocks
        for number in numbers:
            block, place = divmod(number, SPAN)
            if block not in blocks:
                blocks[block] = bytearray(SPAN // 8)
            blocks[block][place >> 3] |= 1 << (place & 7)

    def __contains__(self, number: int) -> bool:
        block, place = divmod(number, SPAN)
        return block in self.blocks and bool(self.blocks[block][place >> 3] >> (place & 7) & 1)


class Targets:
    """Answers whether references reach something, asking the database once for each worksheet.

    *documents* are the live documents that count (those after a restore, say), by address. *coming* gives the
    numbers of records that are about to be there beside those that are.
    """

    def __init__(self, store: RecordStore, app: App, documents: Callable[[str], Document | None],
                 coming: Callable[[str], Iterable[int]] = lambda worksheet: ()) -> None:
        self.store, self.app, self.documents, self.coming = store, app, documents, coming
        self.numbers: dict[str, Numbers] = {}
        self.known: dict[Reference, bool] = {}
        self.choices: dict[str, tuple[Definition, frozenset[str]]] = {}

    def exist(self, field: Field, reference: Reference) -> bool:
        """Say whether what *reference* names is there, hidden or not."""
        if reference.kind == "record":
            address, seq = reference.target
            return seq in self._numbers(address)
        if reference.kind == "choice":
            return reference.target in self._choices(field)
        if reference not in self.known:
            self.known[reference] = self._look(reference)
        return self.known[reference]

    def have(self, field: Field, numbers: Iterable[int]) -> bool:
        """Say whether all records of these numbers are there, in the worksheet that a link field points into."""
        address, _ = next(iter(field.references([1]))).target
        known = self._numbers(address)
        return all(map(known.__contains__, numbers))

    def knows(self, field: Field, reference: Reference) -> bool:
        """Say whether `exist` answers without asking the database."""
        if reference.kind == "record":
            return reference.target[0] in self.numbers
        if reference.kind == "choice":
            return self.choices.get(field.key, (None,))[0] is field.definition
        return reference in self.known

    def _look(self, reference: Reference) -> bool:
        if reference.kind == "file":
            return not files_missing([reference.target])
        return org_exists(self.app.organization_id, reference.target)

    def _numbers(self, address: str) -> Numbers:
        if address not in self.numbers:
            self.numbers[address] = self._read_numbers(address)
        return self.numbers[address]

    def _read_numbers(self, address: str) -> Numbers:
        if address.startswith("app/"):
            _, app_id, _, worksheet = address.split("/")
            if find_app(app_id) is None:
                return Numbers()
            return Numbers(open_store(self.store.connection, app_id).seqs(worksheet))
        worksheet = address.rpartition("/")[2]
        numbers = Numbers(self.store.seqs(worksheet))
        numbers.update(self.coming(worksheet))
        return numbers

    def _choices(self, field: Field) -> frozenset[str]:
        of, known = self.choices.get(field.key, (None, frozenset[str]()))
        if of is not field.definition:  # another worksheet may have a field of the same key
            known = choices_of(self.documents, field.definition)
            self.choices[field.key] = field.definition, known
        return known


def choices_of(documents: Callable[[str], Document | None], definition: Definition) -> frozenset[str]:
    """Return the keys of the choices that a field has, its own or its option set's."""
    options = definition.get("options", {})
    if "option_set" not in options:
        return frozenset(choice["key"] for choice in options.get("choices", ()))
    document = documents(options["option_set"]["ref"])
    return frozenset() if document is None else frozenset(choice["key"] for choice in document.body.get("choices", ()))
