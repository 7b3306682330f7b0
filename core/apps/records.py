"""Records, for whoever does not know which plugin keeps them: asked for by a person, as far as that person may read them."""

from __future__ import annotations

from collections.abc import Sequence

from core.extension.record_contract import RecordGiven, RecordsAsked, RecordsGiven
from core.server import server
from core.tenancy.models import App


def ask_records(app: App, person: str, asked: RecordsAsked) -> RecordsGiven | None:
    """Return records as far as a person may read them; None where the worksheet is not there for them."""
    found: RecordsGiven | None = server().registry.hook.records_for(app=app, person=person, asked=asked)
    return found


def ask_record(app: App, person: str, worksheet: str, seq: int, fields: Sequence[str] | None = ()) -> RecordGiven | None:
    """Return one record of a worksheet ("w_…"), with the values of *fields* (None is all); None where it is not there for the person."""
    found = ask_records(app, person, RecordsAsked(worksheet=f"worksheet/{worksheet}", seqs=(seq,), fields=fields, limit=1))
    return found.records[0] if found is not None and found.records else None
