"""Components that do one thing wrong, and the law that must catch each: run by `test_laws.py` with the comments of `examples` installed.

Each is the example's component with a part of it replaced. A law catches it by its own sentence, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from appkeep_comments.plugin import COMMENTS, Comment, Comments
from sqlalchemy import delete, select, update
from test_comments import TestComments as Laws
from test_comments import add

from core.api import App, Document, InvalidInput, Section, Segment, Snapshot, TableData, canonical, db, server, transaction
from core.apps import service
from core.tables.merge import merge
from core.tables.undo import undo

pytest_plugins = ["core.testing.fixtures"]
TABLE = Comment.__table__


class WritesInAPlan(Comments):
    def plan_data(self, app: App, context: Any) -> Mapping[str, Any]:
        db.session.execute(update(TABLE).where(TABLE.c.app_id == app.id).values(text="x"))
        return super().plan_data(app, context)


class WritesInAPlanThroughItsConnection(Comments):
    def plan_data(self, app: App, context: Any) -> Mapping[str, Any]:
        context.connection.execute(update(TABLE).where(TABLE.c.app_id == app.id).values(text="x"))
        return super().plan_data(app, context)


class WritesInAPlanByATransactionOfItsOwn(Comments):
    def plan_data(self, app: App, context: Any) -> Mapping[str, Any]:
        with transaction():
            COMMENTS.add(service.find(app.id), worksheet="w_1111111111", record=1, text="x", author="u_1111111111", at=1)
        return super().plan_data(app, context)


class PlansNothing(Comments):
    def plan_data(self, app: App, context: Any) -> Mapping[str, Any]:
        return {}


class ForgetsFilesInUse(Comments):
    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        return iter(())


class ForgetsFilesInTheBin(Comments):
    def kept_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        return super().data_files(app, snapshot)


class ForgetsAllFilesOfAColumn(Comments):
    def data_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        return iter(())

    def kept_files(self, app: App, snapshot: Snapshot) -> Iterator[str]:
        return iter(())


class RemovesNewerRows(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        told = super().restore_data(app, context)
        known = {n for line, raw in context.segments(self.name, context.lines(self.name)) if line.section != "files"
                 for n in [one["number"] for one in map(parse, raw.split(b"\n")[:-1])]}
        context.connection.execute(delete(TABLE).where(TABLE.c.app_id == app.id, TABLE.c.number.not_in(known)))
        return told


class LeavesNewerRowsWhereTheyShouldGo(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        context.bin_newer = False
        return super().restore_data(app, context)


class TakesEveryLine(Comments):
    def check_data(self, section: str, n: int, values: Any, context: dict[str, Any]) -> None:
        list(values)


class RefusesEveryLine(Comments):
    def check_data(self, section: str, n: int, values: Any, context: dict[str, Any]) -> None:
        raise InvalidInput("no")


class FailsAtALineOfNonsense(Comments):
    def check_data(self, section: str, n: int, values: Any, context: dict[str, Any]) -> None:
        super().check_data(section, n, [{**one, "text": one["text"].strip()} for one in values], context)


class BacksUpTheBin(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        rows = snapshot.connection.execute(select(TABLE).where(TABLE.c.app_id == snapshot.app_id).order_by(TABLE.c.number)).mappings()
        yield one_section([COMMENTS.value_of(row) for row in rows])


class WritesLinesWithSpaces(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for section in super().data_sections(app, snapshot):
            yield Section(section.name, [Segment(s.n, s.count, s.raw.replace(b'":', b'": ')) for s in section.segments])


class CountsLinesWrong(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for section in super().data_sections(app, snapshot):
            yield Section(section.name, [Segment(s.n, s.count + 1, s.raw) for s in section.segments])


class CountsRecordsWrong(Comments):
    def record_count(self, app: App, snapshot: Snapshot) -> int:
        return super().record_count(app, snapshot) + 1


class ReportsThatNothingIsDone(Comments):
    def plan_data(self, app: App, context: Any) -> Mapping[str, Any]:
        return quiet(super().plan_data(app, context))

    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        return quiet(super().restore_data(app, context))


class ReportsMoreThanIsDone(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        told = dict(super().restore_data(app, context))
        return {**told, "tables": {name: {**counts, "overwritten": counts.get("overwritten", 0) + 5} for name, counts in told["tables"].items()}}


class ReadsThroughAnotherConnection(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        return super().data_sections(app, Snapshot(snapshot.app_id, db.session.connection()))


class RestoresNothing(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        return super().plan_data(app, Reading(context))


class OverwritesNothing(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        class Gentle(TableData):
            def put(self, app_id: str, connection: Any, changes: Any) -> None:
                super().put(app_id, connection, [one for one in changes if one[0] is None])

        return merge([Gentle(**vars_of(COMMENTS))], self.name, context)


class LosesAColumn(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for section in super().data_sections(app, snapshot):
            yield Section(section.name, [Segment(s.n, s.count, b"".join(
                canonical({k: v for k, v in parse(line).items() if k != "files"}) + b"\n" for line in s.raw.split(b"\n")[:-1]))
                for s in section.segments])


class UndoesNothing(Comments):
    def undo_data(self, app: App, context: Any) -> Mapping[str, Any]:
        return {}


class UndoesWithWhatWasMadeSince(Comments):
    def undo_data(self, app: App, context: Any) -> Mapping[str, Any]:
        told = undo(self.tables, self.name, context)
        context.connection.execute(update(TABLE).where(TABLE.c.app_id == app.id).values(deleted_at=1))
        return told


class TurnsSegmentsRound(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        lines = [line + b"\n" for section in super().data_sections(app, snapshot) for s in section.segments for line in s.raw.split(b"\n")[:-1]]
        yield Section(COMMENTS.name, [Segment(n, 1, line) for n, line in reversed(list(enumerate(lines)))])


class EndsNoLine(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for section in super().data_sections(app, snapshot):
            yield Section(section.name, [Segment(s.n, s.count, s.raw.rstrip(b"\n")) for s in section.segments])


class GivesAnEmptySegment(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        for section in super().data_sections(app, snapshot):
            yield Section(section.name, [*section.segments, Segment(99, 0, b"")])


class BacksUpOtherApps(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        rows = snapshot.connection.execute(select(TABLE).where(TABLE.c.deleted_at.is_(None)).order_by(TABLE.c.number)).mappings()
        yield one_section([COMMENTS.value_of(row) for row in {row["number"]: row for row in rows}.values()])


class RestoresIntoOtherApps(Comments):
    def restore_data(self, app: App, context: Any) -> Mapping[str, Any]:
        told = super().restore_data(app, context)
        other = "INSERT INTO comment (app_id, number, worksheet, record, text, author, at) SELECT id, 99, 'w_1111111111', 1, 'x', 'u_1', 1 " \
                "FROM app WHERE id <> '" + app.id + "' AND NOT EXISTS (SELECT 1 FROM comment WHERE app_id = app.id AND number = 99)"
        context.connection.exec_driver_sql(other)
        return told


class SecondVersionWithoutAWordOfTheFirst(Comments):
    version: ClassVar[int] = 2


class LiftsToWhatItRefuses(Comments):
    version: ClassVar[int] = 2
    data_upgrades: ClassVar[Any] = {1: lambda section, value: {**value, "mood": "good"}}


class HasNoData(Comments):
    def data_sections(self, app: App, snapshot: Snapshot) -> Iterator[Section]:
        return iter(())


class Reading:
    """A context that says it is not for writing."""

    def __init__(self, context: Any) -> None:
        self._context, self.writing = context, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def parse(line: bytes) -> Any:
    from core.api import parse as parsed
    return parsed(line, max_bytes=2**20)


def vars_of(table: TableData) -> dict[str, Any]:
    return {name: getattr(table, name) for name in TableData.__dataclass_fields__}


def quiet(told: Mapping[str, Any]) -> dict[str, Any]:
    return {**told, "tables": {name: {"unchanged": sum(counts.values())} for name, counts in told["tables"].items()}}


def one_section(values: list[Any]) -> Section:
    return Section(COMMENTS.name, [Segment(0, len(values), b"".join(canonical(value) + b"\n" for value in values))])


CAUGHT: dict[type[Comments], tuple[str, str]] = {
    WritesInAPlan: ("a_plan_is_silent", "A plan changes rows of comment"),
    WritesInAPlanThroughItsConnection: ("a_plan_is_silent", "A plan must not write"),
    WritesInAPlanByATransactionOfItsOwn: ("a_plan_is_silent", "A plan changes rows of"),
    PlansNothing: ("a_plan_tells_what_a_restore_does", "The plan said"),
    ForgetsFilesInUse: ("kept", "are not given by data_files"),
    ForgetsFilesInTheBin: ("kept", "1 files that rows name were removed"),
    ForgetsAllFilesOfAColumn: ("kept", "files that rows name were removed"),
    RemovesNewerRows: ("newer_stays", "lines that were made since the backup are gone"),
    LeavesNewerRowsWhereTheyShouldGo: ("newer_stays", "the state is not the backup's"),
    TakesEveryLine: ("refuses", "takes a line of nonsense"),
    RefusesEveryLine: ("refuses", "refuses its own lines"),
    FailsAtALineOfNonsense: ("refuses", "where it should refuse by InvalidInput"),
    BacksUpTheBin: ("what_lies_in_the_bin_is_not_backed_up", "What lies in the recycle bin is still in a backup"),
    WritesLinesWithSpaces: ("canonical", "is not canonical"),
    CountsLinesWrong: ("counted", "counts"),
    CountsRecordsWrong: ("counted", "record_count says"),
    ReportsThatNothingIsDone: ("a_plan_tells_what_a_restore_does", "the report tells of 0"),
    ReportsMoreThanIsDone: ("a_plan_tells_what_a_restore_does", "The plan said"),
    ReadsThroughAnotherConnection: ("one_moment", "What was changed after a backup began is in it"),
    RestoresNothing: ("carried", "Restored from a file, the app is not what it was"),
    OverwritesNothing: ("carried", "Restored from a file, the app is not what it was"),
    LosesAColumn: ("nothing_is_lost", "rows of comment are not what they were"),
    UndoesNothing: ("undone", "After undoing a restore"),
    UndoesWithWhatWasMadeSince: ("undone", "After undoing a restore"),
    TurnsSegmentsRound: ("canonical", "out of order"),
    EndsNoLine: ("canonical", "has no end"),
    GivesAnEmptySegment: ("canonical", "is empty"),
    BacksUpOtherApps: ("two_tenants", "the state is another one"),
    RestoresIntoOtherApps: ("two_tenants", "A restore in another organization's app changed this one"),
    SecondVersionWithoutAWordOfTheFirst: ("lifted", "Say in written_before what version 1 wrote"),
    LiftsToWhatItRefuses: ("lifted", "no column mood"),
    HasNoData: ("there_is_data", "data_sections gives no line"),
}


class WroteBefore(Laws):
    """The laws, for a component whose first version wrote this."""

    written_before: ClassVar[Any] = {1: (list[Document](), {COMMENTS.name: [
        {"number": 1, "worksheet": "w_1111111111", "record": 1, "text": "a", "author": "u_1111111111", "at": 1}]})}


@pytest.mark.parametrize("wrong", CAUGHT, ids=lambda one: one.__name__)
def test_wrong(wrong: type[Comments], app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law that stands for it fails, by its own sentence."""
    monkeypatch.setattr(wrong, "__module__", Comments.__module__)
    monkeypatch.setitem(server().registry.components, "comments", wrong())
    law, sentence = CAUGHT[wrong]
    laws = WroteBefore() if wrong is LiftsToWhatItRefuses else Laws()
    with pytest.raises((AssertionError, InvalidInput)) as caught:
        getattr(laws, f"test_{law}")(app)
    print(f"{wrong.__name__}: {law}: {str(caught.value)[:200]}")
    assert sentence in str(caught.value)


def test_purges_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of records that are gone for good stay."""
    monkeypatch.setattr(TableData, "purge_where", lambda self, app, **equal: 0)
    with pytest.raises(AssertionError, match="Rows are left of what was removed for good"):
        Laws().test_purged(app)


def test_purges_too_much(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge in one app that reaches another one's rows."""
    monkeypatch.setattr(TableData, "purge_where", lambda self, app, **equal: db.session.connection().exec_driver_sql(
        "DELETE FROM comment").rowcount)
    with pytest.raises(AssertionError, match="A purge in another organization's app changed this one"):
        Laws().test_two_tenants(app)


__all__ = ["add"]
