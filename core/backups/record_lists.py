"""The records that a restore would bring back, overwrite or leave alone: listed by page, searched, each with what differs.

A list costs what differs from where its page begins, not what the app or the backup holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from core.archive.manifest import IndexLine
from core.backups.models import Backup
from core.backups.plan import Options, context_of, holding
from core.base.db import reading
from core.base.errors import InvalidInput, NotFound
from core.extension.component import Component, Document
from core.extension.data_report import OUTCOMES, RecordPair, RecordTold
from core.server import server
from core.tenancy.models import App

PAGE_RECORDS = 50
MAX_LOOKED_AT = 5000
"""How many records one page of a search looks at; the next page goes on behind them."""
TOLD_AT_ONCE = 200
MAX_SEARCH_CHARS = 200
NO_LIST = "List of records not found."


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page of a list: the records, and the number behind which the next page begins; None where there is none."""

    records: Sequence[RecordTold]
    next: int | None


@dataclass(frozen=True, slots=True)
class ListedCollection:
    """A collection of records whose list is asked for: its component, its address, what the list is of."""

    component: Component
    address: str
    outcome: str

    @classmethod
    def named(cls, component: str, key: str, outcome: str) -> ListedCollection:
        """Return the collection that an address of a page names.

        Raises:
            NotFound: there is no such component, or nothing that happens to records is called so.
        """
        if outcome not in OUTCOMES:
            raise NotFound(NO_LIST)
        return cls(*collection_named(component, key), outcome)


def collection_named(component: str, key: str) -> tuple[Component, str]:
    """Return the component and the collection ("worksheet/w_…") that an address of a page names.

    Raises:
        NotFound: there is no such component, or it has no such collection.
    """
    found = server().registry.components.get(component)
    address = None if found is None else found.collection(f"records/{key}")
    if found is None or address is None:
        raise NotFound(NO_LIST)
    return found, address


def planned_page(app: App, backup: Backup, person: str, options: Options, listed: ListedCollection, *, after: int = 0,
                 search: str = "", limit: int = PAGE_RECORDS) -> RecordPage:
    """Return a page of the records to which a restore would do something; nothing is touched.

    Args:
        options: Those of the restore; an undo has no lists.
        listed: The collection, and what happens to the records.
        after: The number behind which the page begins.
        search: Text that a record's name or one of its values that differ must have.

    Raises:
        InvalidInput: the backup does not hold what is asked for.
        NotFound: neither the app nor the backup has such a collection.
    """
    if not options.data:
        raise InvalidInput("Records are listed where data is restored.")
    with reading() as connection:
        pairs, before, documents = _planned(app, backup, connection, person, options, listed, after)
        return paged(pairs, lambda some: listed.component.tell_records(app, person, listed.address, some, before, documents),
                     search=search, limit=limit)


def planned_lists(app: App, backup: Backup, person: str, options: Options, address: str, *,
                  limit: int) -> dict[str, list[dict[str, Any]]]:
    """Return the first *limit* records of a collection by what a restore would do to them, as JSON; see `planned_page`.

    Args:
        address: The collection's: "worksheet/w_…".
    """
    component = component_of(address)
    pages = {outcome: planned_page(app, backup, person, options, ListedCollection(component, address, outcome), limit=limit).records
             for outcome in OUTCOMES}
    return {outcome: [asdict(record) for record in records] for outcome, records in pages.items() if records}


def component_of(collection: str) -> Component:
    """Return the component that keeps a collection of records ("worksheet/w_…", "comments/c_1").

    Raises:
        NotFound: there is none.
    """
    word, _, key = collection.partition("/")
    registry = server().registry
    found = registry.kinds[word][0] if word in registry.kinds else registry.components.get(word)
    if found is None or found.collection(f"records/{key}") != collection:
        raise NotFound(f"Collection of records not found: “{collection[:80]}”.")
    return found


def _planned(app: App, backup: Backup, connection: Connection, person: str, options: Options, listed: ListedCollection,
             after: int) -> tuple[Iterator[RecordPair], Mapping[str, Document], Mapping[str, Document]]:
    saved = holding(backup, config=options.config, data=options.data)
    context = context_of(app, saved, connection, person, options)
    check_there(listed.component, listed.address, [context.documents_before, context.documents, saved.documents], saved.data_lines(
        listed.component.name))
    pairs = listed.component.planned_records(app, context, listed.address, listed.outcome, after)
    return pairs, context.documents_before, context.documents


def check_there(component: Component, address: str, sides: Iterable[Mapping[str, Document]], lines: Iterable[IndexLine]) -> None:
    """Refuse a collection of records that neither the app nor the backup has.

    Raises:
        NotFound: they know no such document, and hold no such records.
    """
    if address.partition("/")[0] not in server().registry.kinds or any(address in side for side in sides):
        return
    if not any(component.collection(one.section) == address for one in lines):
        raise NotFound(NO_LIST)


def paged(pairs: Iterator[RecordPair], tell: Callable[[Sequence[RecordPair]], list[RecordTold]], *, search: str,
          limit: int) -> RecordPage:
    """Return the first *limit* records that a search finds, told by *tell*; see `planned_page`."""
    wanted, found, looked, last = search.strip().casefold()[:MAX_SEARCH_CHARS], list[RecordTold](), 0, 0
    while looked < MAX_LOOKED_AT:
        some = list(islice(pairs, min(TOLD_AT_ONCE, limit + 1) if not wanted else TOLD_AT_ONCE))
        looked += len(some)
        for told in tell(some) if some else ():
            if wanted and not _has(told, wanted):
                last = told.number
                continue
            if len(found) == limit:
                return RecordPage(found, found[-1].number)
            found.append(told)
            last = told.number
        if not some:
            return RecordPage(found, None)
    return RecordPage(found, last)


def _has(told: RecordTold, wanted: str) -> bool:
    texts = [str(told.number), told.title, *(text for value in told.values for text in (value.before, value.after) if text)]
    return any(wanted in text.casefold() for text in texts)
