"""What a restore of data makes of a value whose field is another one now, and why it leaves one as it is.

docs/restoring-fields.md has the outcome for every pair of types; it is written from what stands here.

Source: docs/rules.md, “References”; docs/decisions/0039.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.api import AppkeepError, Document, InvalidValue, RestoreContext
from plugins.worksheets.fields import Field, fields_of
from plugins.worksheets.fieldtypes.choices import SingleSelect
from plugins.worksheets.fieldtypes.pointers import FreeLink, Relationship, target_address
from plugins.worksheets.restore_journal import RECORDS
from plugins.worksheets.targets import choices_of


def carried(old: Field, now: Field, saved: Any) -> Any:
    """Return a value of *old* as *now* has it, None where it does not fit.

    It points to the very same things, neither more nor fewer: a number is no link to the record of that number, and the key of a
    choice is no text.
    """
    value = fit(now, saved)
    return value if value is not None and set(now.references(value)) == set(old.references(saved)) else None


def stands(old: Field, now: Field, saved: Any, value: Any) -> bool:
    """Say whether *value* is what the field's new type has made of *saved*, which pointed to nothing: so nobody has changed it."""
    return value is not None and value == fit(now, saved) and not any(True for _ in old.references(saved))


def fit(one: Field, value: Any) -> Any:
    """Return a value in the form of a field, None where it does not fit or is empty."""
    try:
        return one.canonical(value)
    except InvalidValue:
        return None


def why_left(old: Field, now: Field | None) -> str:
    """Return why values of *old* cannot be in the field as it is now; None is one that is gone."""
    if now is None:
        return "the field was deleted"
    if old.type.points and now.stored and _target(old) != _target(now) and _target(now) is not None:
        return "the field points elsewhere now"
    if not now.stored and now.type.stored:
        return "the field is calculated now"
    return f"the field is of type {now.type.name} now"


def _target(one: Field) -> Any:
    return one.shape.get("options", {}).get("target")


def may_miss(context: RestoreContext, worksheet: str, one: Field) -> bool:
    """Say whether a value that has not changed since the backup may point to something that has gone since.

    Whoever purges a record of the app takes it out of what points to it, and the backup has its files. Of everything else the target
    may go while the value stays.
    """
    kind = one.type
    if isinstance(kind, SingleSelect):
        before = _choices_before(context, worksheet, one)
        return before is None or not before <= choices_of(context.documents.get, one.definition)
    if isinstance(kind, Relationship):
        return _was_purged(context, target_address(one.definition))
    if isinstance(kind, FreeLink):
        return any(_was_purged(context, f"worksheet/{line.section.removeprefix(RECORDS)}") for line in context.lines("worksheets")
                   if line.section.startswith(RECORDS))
    return not kind.holds_files


def _was_purged(context: RestoreContext, address: str) -> bool:
    """Say whether a worksheet was not there before the restore, not in the recycle bin either; of another app's nobody knows."""
    return address not in context.documents_before and address not in context.hidden


def _choices_before(context: RestoreContext, worksheet: str, one: Field) -> frozenset[str] | None:
    """Return the choices that a field had at the backup; None where its configuration is not there to say so."""
    document = _saved(context).get(worksheet)
    before = {} if document is None else fields_of(document.body)
    return choices_of(_saved(context).get, before[one.key].definition) if one.key in before else None


def _saved(context: RestoreContext) -> Mapping[str, Document]:
    """Return the documents of the backup; none where its file has none, or where they cannot be read: data alone does without."""
    kept: Mapping[str, Document] | None = context.kept.get("worksheets_saved")
    if kept is None:
        try:
            kept = context.saved.documents
        except AppkeepError:
            kept = {}
        context.kept["worksheets_saved"] = kept
    return kept
