"""A component that implements every method: signs, which are documents, and one motto for each app, which is data in a table.

Data that lies in tables of rows needs none of the methods from `data_sections` on: see `core.api.TableComponent`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, String, Text, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

import core.api as ak


class Motto(ak.OwnedByApp, ak.Base):
    """What an app goes by, and how often that was changed."""

    __tablename__ = "motto"
    app_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    changes: Mapped[int] = mapped_column(Integer)


TABLE = Motto.__table__
SECTION, KEY = "records/m_1", "m_1"
MOTTOS = "signs/m_1"
SIGN = ak.Kind(name="sign", title="Sign", letter="sg", parts={"line": "lines"}, schema=ak.schemas.closed({
    "name": ak.schemas.NAME,
    "size": {"title": "Size in cm", "description": "How high it is.", **ak.schemas.whole(1, 500)},
    "page": ak.schemas.ref("page"),
    "picture": ak.schemas.FILE,
    "lines": ak.schemas.listed(ak.schemas.closed({"key": ak.schemas.key("l"), "text": ak.schemas.text(100)}, ["key", "text"]), 10),
}, ["name", "size"]))


def motto_of(app_id: str, connection: Any) -> tuple[str, int] | None:
    """Return an app's motto and how often it was changed; None for none."""
    row = connection.execute(select(TABLE.c.text, TABLE.c.changes).where(TABLE.c.app_id == app_id)).first()
    return None if row is None else (row.text, row.changes)


def set_motto(app: ak.App, text: str | None, connection: Any = None, changes: int | None = None) -> None:
    """Give an app a motto, or none. The caller owns the transaction."""
    connection = connection or ak.db.session.connection()
    now = motto_of(app.id, connection)
    if text is None:
        connection.execute(delete(TABLE).where(TABLE.c.app_id == app.id))
    elif now is None:
        connection.execute(insert(TABLE).values(app_id=app.id, text=text, changes=changes or 1))
    else:
        connection.execute(update(TABLE).where(TABLE.c.app_id == app.id).values(text=text, changes=max(changes or 0, now[1] + 1)))


class Signs(ak.Component):
    """Signs and mottos."""

    name, title, version, kinds = "signs", "Signs", 2, (SIGN,)
    about, rank = "What hangs over the door.", 70
    note_words = {"signs_repainted": "signs were painted anew"}
    key_words = {"l": "line"}
    copy_note = "It has no motto yet."
    first_step = ak.FirstStep(kind="sign", sentence="Begin with a sign over the door.", button="Add a sign")
    upgrades = {1: lambda document: ak.Document(kind=document.kind, key=document.key, position=document.position,
                                                body={"size": 30, **document.body})}
    data_upgrades = {1: lambda section, value: {"motto": value["motto"].strip()}}

    def check(self, document: ak.Document) -> None:
        if document.body["name"].isspace():
            raise ak.InvalidDocument(f"{document.address}: the name of a sign is more than spaces.")

    def check_edit(self, before: ak.Document | None, after: ak.Document) -> None:
        if after.body["size"] > 300 and (before is None or before.body["size"] <= 300):
            raise ak.InvalidDocument(f"{after.address}: new signs are 300 cm high at most.")

    def starting_documents(self, name: str) -> Iterable[ak.Document]:
        return [ak.Document(kind="sign", key=ak.new_key("sg"), position=0, body={"name": f"Welcome to {name}"[:100], "size": 30})]

    def operations(self) -> Mapping[str, ak.Operation]:
        def motto(app: ak.App, given: Mapping[str, Any], person: str) -> Any:
            set_motto(app, str(given["text"]))  # {"op": "set_motto", "text": "…"} in a file for `appkeep apply`
            return {"motto": given["text"]}

        return {"set_motto": motto}

    def documents_changed(self, app: ak.App, before: Mapping[str, ak.Document], after: Mapping[str, ak.Document]) -> Mapping[str, int]:
        repainted = [at for at, one in after.items() if at in before and before[at].body["size"] != one.body["size"]]
        return {"signs_repainted": len(repainted)} if repainted else {}

    def purged(self, app: ak.App, address: str) -> None:
        if not any(one.kind == "sign" for one in ak.documents.live(app)):
            set_motto(app, None)

    def takes_long(self, app: ak.App, op: str, address: str) -> bool:
        return op == "purge" and len(ak.documents.live(app, "sign")) > 500

    def browsed_records(self, browsed: ak.BrowsedBackup) -> Mapping[str, int]:
        return {}  # no page shows a motto: where a backup is browsed, people read that it is restored as usual

    def edits_done(self, app: ak.App) -> Iterable[None] | None:
        if len(ak.documents.live(app, "sign")) > 1000:
            raise ak.InvalidInput("An app has 1,000 signs at most.")
        return None

    def copied(self, document: ak.Document, app_name: str) -> ak.Document:
        body = {**document.body, "name": f"{document.body['name']} (of {app_name})"[:100]}
        return ak.Document(kind=document.kind, key=document.key, position=document.position, body=body)

    def compare(self, before: ak.Document, after: ak.Document) -> list[ak.Change]:
        return [one for one in super().compare(before, after) if one.at != "/position"]

    def serialize(self, app: ak.App, snapshot: ak.Snapshot) -> Iterator[ak.Document]:
        yield from snapshot.documents(["sign"])

    def data_sections(self, app: ak.App, snapshot: ak.Snapshot) -> Iterator[ak.Section]:
        found = motto_of(app.id, snapshot.connection)
        if found is not None:
            yield ak.Section(SECTION, [ak.Segment(0, 1, ak.canonical({"motto": found[0]}) + b"\n")])

    def record_count(self, app: ak.App, snapshot: ak.Snapshot) -> int:
        return 0 if motto_of(app.id, snapshot.connection) is None else 1

    def record_estimate(self, app: ak.App, snapshot: ak.Snapshot) -> int:
        return self.record_count(app, snapshot)  # counting one takes no time

    def counters(self, app: ak.App, snapshot: ak.Snapshot) -> Mapping[str, int]:
        found = motto_of(app.id, snapshot.connection)
        return {} if found is None else {KEY: found[1]}

    def data_files(self, app: ak.App, snapshot: ak.Snapshot) -> Iterator[str]:
        return iter(())  # a motto names no file

    def kept_files(self, app: ak.App, snapshot: ak.Snapshot) -> Iterator[str]:
        return iter(())  # nor does what lies in a bin, which mottos have not

    def check_data(self, section: str, n: int, values: Iterable[Any], context: dict[str, Any]) -> None:
        lines = list(values)
        if (section, n, len(lines)) != (SECTION, 0, 1):
            raise ak.InvalidInput("An app has one motto.")
        for value in lines:
            if not isinstance(value, dict) or value.keys() != {"motto"} or not isinstance(value["motto"], str) or "\0" in value["motto"]:
                raise ak.InvalidInput("A motto is a text.")

    def plan_data(self, app: ak.App, context: ak.RestoreContext) -> Mapping[str, Any]:
        return self._merged(app, context)

    def restore_data(self, app: ak.App, context: ak.RestoreContext) -> Mapping[str, Any]:
        told = self._merged(app, context)
        to, now = self._saved(context), motto_of(app.id, context.connection)
        if not told:
            return told
        if to is None and not context.bin_newer:
            return told
        if (journal := ak.journal_of(app)) is not None:
            journal.stage("signs/motto").add([[now and now[0], to]])
        if to != (now and now[0]):
            set_motto(app, to, context.connection, context.counters("signs").get(KEY))
        return told

    def _saved(self, context: ak.RestoreContext) -> str | None:
        lines = [line for line in context.lines("signs") if line.section == SECTION]
        return next((str(json.loads(raw)["motto"]) for _, raw in context.segments("signs", lines)), None)

    def _merged(self, app: ak.App, context: ak.RestoreContext) -> dict[str, Any]:
        if context.only.numbers("signs", MOTTOS) == frozenset() and not context.only.documents:
            return {}  # only records of others are restored
        to, now = self._saved(context), motto_of(app.id, context.connection)
        if to is None:
            what = "" if now is None else "binned" if context.bin_newer else "new_since"
        else:
            what = "brought_back" if now is None else "unchanged" if now[0] == to else "overwritten"
        return {"motto": what} if what else {}

    def data_report(self, said: Mapping[str, Any], name_of: ak.NameOf) -> ak.DataReport:
        if "motto" not in said:
            return ak.DataReport()
        counts: dict[str, Any] = {said["motto"]: 1}
        return ak.DataReport(noun="Motto", collections=[ak.CollectionReport(key=SECTION, name="Motto", **counts)])

    def collection(self, section: str) -> str | None:
        return MOTTOS if section == SECTION else None

    def record_of(self, section: str, line: Mapping[str, Any]) -> ak.RecordPair:
        return ak.RecordPair(number=1, before=None, after=line)

    def planned_records(self, app: ak.App, context: ak.RestoreContext, collection: str, outcome: str,
                        after: int) -> Iterator[ak.RecordPair]:
        if after < 1 and self._merged(app, context).get("motto") == outcome:
            to, now = self._saved(context), motto_of(app.id, context.connection)
            then = now and now[0] if outcome == "new_since" else to
            yield ak.RecordPair(number=1, before=now and {"motto": now[0]}, after=None if then is None else {"motto": then})

    def tell_records(self, app: ak.App, person: str, collection: str, pairs: Sequence[ak.RecordPair], before: Mapping[str, ak.Document],
                     after: Mapping[str, ak.Document]) -> list[ak.RecordTold]:
        return [ak.RecordTold(number=pair.number, title="Motto", values=[ak.ValueTold(
            name="Motto", before=(pair.before or {}).get("motto"), after=(pair.after or {}).get("motto"))]) for pair in pairs]

    def plan_undo(self, app: ak.App, context: ak.UndoContext) -> Mapping[str, Any]:
        return self._back(app, context)[0]

    def undo_data(self, app: ak.App, context: ak.UndoContext) -> Mapping[str, Any]:
        told, changed, to = self._back(app, context)
        if changed:
            if (journal := ak.journal_of(app)) is not None:
                now = motto_of(app.id, context.connection)
                journal.stage("signs/motto").add([[now and now[0], to]])
            set_motto(app, to, context.connection)
        return told

    def _back(self, app: ak.App, context: ak.UndoContext) -> tuple[dict[str, Any], bool, str | None]:
        found = [one for stage in context.journal.stages("signs/motto") for one in stage]
        if not found or found[0][0] == found[-1][1]:
            return {}, False, None
        before, after, now = found[0][0], found[-1][1], motto_of(app.id, context.connection)
        if (now and now[0]) == before:
            return {}, False, None
        if (now and now[0]) != after and not context.force:
            return {"motto": "unchanged"}, False, None  # somebody has changed it since
        return {"motto": "binned" if before is None else "brought_back" if now is None else "overwritten"}, True, before
