"""What the chosen parts of a backup need besides: it is offered, never taken in silence.

A chosen page may show a worksheet that is gone; a chosen record may name a choice, or be linked to a record, that is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from core.apps.change_log import SEGMENT_ROWS
from core.backups.compare import records_in
from core.backups.merge import data_reports
from core.backups.reader import BackupReader
from core.backups.restore_context import RestoreContext
from core.backups.same_names import titles
from core.backups.selection import RECORD
from core.base.refs import pointers, split
from core.extension.component import Document
from core.extension.data_report import LostReference
from core.server import server

MAX_NEEDS = 100
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Need:
    """Something that the backup has and the app lacks: its name as a selection has it, what it is called, and what needs it."""

    name: str
    title: str
    needed_by: str


def needs_of(context: RestoreContext, told: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what the chosen parts need, as JSON: {"name", "title", "needed_by"}, each once, at most 100.

    Args:
        context: The backup meeting the app, as the plan saw it.
        told: What the plan says of each component.
    """
    if not context.only.names:
        return []
    found: dict[str, Need] = {}
    names = names_of(context.saved.documents.values())
    for need in [*_of_documents(context, names), *_of_records(context, told, names)]:
        if need.name not in context.only.names:
            found.setdefault(need.name, need)
    return [asdict(need) for need in islice(found.values(), MAX_NEEDS)]


def _of_documents(context: RestoreContext, names: Names) -> Iterator[Need]:
    """Yield the documents and parts that chosen documents point to, and that will not be there."""
    if not context.config:
        return
    before, after = context.documents_before, context.documents
    names_after = names_of(after.values())
    for address, document in sorted(after.items()):
        if before.get(address) == document:
            continue
        for pointer in pointers(document.body):
            if pointer.tag == "ref" and (name := _absent(pointer.target, context)) is not None:
                yield Need(name, title_of(name, context.saved, names), _called(document, names_after))


def _absent(target: str, context: RestoreContext) -> str | None:
    """Return what a pointer needs: the document where it is gone, the part where only that is; None where it is there, or nowhere."""
    try:
        kind, key, part, part_key = split(target)
    except ValueError:
        return None
    document = f"{kind}/{key}"
    if document not in context.saved.documents or part == RECORD:
        return None
    if document not in context.documents:
        return document
    if part is None or part_key is None or has_key(context.documents[document].body, part_key):
        return None
    return target if has_key(context.saved.documents[document].body, part_key) else None


def _of_records(context: RestoreContext, told: Mapping[str, Any], names: Names) -> Iterator[Need]:
    """Yield the records, choices and worksheets that chosen records point to, and that will not be there."""
    for report in data_reports(told):
        for lost in islice(report.references, MAX_NEEDS):
            name = _missed(lost, context)
            if name is not None:
                yield Need(name, title_of(name, context.saved, names), f"#{lost.record}")


def _missed(lost: LostReference, context: RestoreContext) -> str | None:
    words = lost.target.split("/")
    if len(words) == 4 and words[2] == RECORD:
        collection = "/".join(words[:2])
        if collection not in context.documents:
            return collection if collection in context.saved.documents else None
        return None if saved_record(context.saved, collection, int(words[3])) is None else lost.target
    if len(words) != 2:
        return None
    holders = (d for d in context.saved.documents.values() if d.address in context.documents and has_key(d.body, words[1]))
    holder = min(holders, key=lambda d: d.key != lost.collection, default=None)
    return None if holder is None else f"{holder.address}/{lost.target}"


def has_key(body: Any, key: str) -> bool:
    """Say whether something in a body is called *key*."""
    if isinstance(body, Mapping):
        return body.get("key") == key or any(has_key(inner, key) for inner in body.values())
    return isinstance(body, list | tuple) and any(has_key(inner, key) for inner in body)


def saved_record(saved: BackupReader, collection: str, number: int) -> tuple[str, Mapping[str, Any]] | None:
    """Return the component of a collection, and the values that a backup has of one of its records; None where it has none.

    Only the segment in which it would lie is read.

    Raises:
        ObjectMissing, ObjectDamaged: the store does not have it as it was.
    """
    for name, component in server().registry.components.items():
        for line in saved.data_lines(name):
            if line.n == number // SEGMENT_ROWS and component.collection(line.section) == collection:
                records = records_in(component, line.section, saved.lifted(name, line.section, saved.read(line.content)))
                return (name, records[number]) if number in records else None
    return None


def names_of(documents: Iterable[Document]) -> dict[str, str]:
    """Return what documents are called, by address; those of one name, of whatever kind, are told apart, those without one left out."""
    kinds = {name: kind.title for name, (_, kind) in server().registry.kinds.items()}
    return titles((one for one in documents if one.body.get("name")), kinds)


def title_of(name: str, saved: BackupReader, names: Names) -> str:
    """Return what an address of a selection stands for, as people know it: "Companies", "choice Won of Deals", "record 12 of Deals".

    Args:
        name: The address.
        saved: The backup.
        names: What its documents are called: their `names_of`.
    """
    address = "/".join(name.split("/")[:2])
    document = saved.documents.get(address)
    whose = _called(document, names) if document is not None else address
    if name.count("/") != 3:
        return whose
    part, key = name.rsplit("/", 2)[1:]
    if part == RECORD:
        return f"record {key} of {whose}"
    return f"{part.replace('_', ' ')} {_name_within(document.body, key) if document is not None else key} of {whose}"


def _name_within(body: Any, key: str) -> str:
    if isinstance(body, Mapping):
        if body.get("key") == key:
            return str(body.get("name") or body.get("title") or key)
        body = list(body.values())
    inner: Iterable[Any] = body if isinstance(body, list | tuple) else ()
    return next((found for one in inner if (found := _name_within(one, key))), "")


def _called(document: Document, names: Names) -> str:
    return names.get(document.address) or server().registry.kind(document.kind)[1].title
