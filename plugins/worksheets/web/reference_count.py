"""How many references lead to some records: what would be lost with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.api import App, documents
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.service import loads, store_of


def pointing_to(app: App, address: str, seqs: Collection[int]) -> int:
    """Return how many references of the app's records name one of the records *seqs* of the worksheet *address*."""
    store, wanted, total = store_of(app), {(address, seq) for seq in seqs}, 0
    for document in documents.live(app, "worksheet"):
        fields = {key: one for key, one in fields_of(document.body).items() if _could(one, address)}
        for batch in store.holding(document.key, fields) if fields else ():
            total += sum(_named(loads(row.vals), fields, wanted) for row in batch)
    return total


def _could(one: Field, address: str) -> bool:
    target = one.definition.get("options", {}).get("target", {})
    return one.type.points and (one.type.name == "free_link" or target.get("ref") == address)


def _named(values: Mapping[str, object], fields: Mapping[str, Field], wanted: set[tuple[str, int]]) -> int:
    return sum(1 for key, one in fields.items() if key in values
               for reference in one.references(values[key]) if reference.kind == "record" and reference.target in wanted)
