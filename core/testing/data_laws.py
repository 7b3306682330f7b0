"""The laws of data: what every component with data of its own promises, as tests that a plugin's own test suite runs.

A plugin's test subclasses `DataLaws`, names its component, and says how data is made, damaged, added, hidden and removed for good::

    class TestComments(DataLaws):
        component = "comments"

        def fill(self, app): ...        # what there is: some data, one of it with a file, one in the recycle bin
        def damage(self, app): ...      # change one, delete one, remove one for good
        def newer(self, app): ...       # add one that a backup made before does not have
        def bin_one(self, app): ...     # move one to the recycle bin
        def purge(self, app): ...       # remove for good what all of it hangs on

Each is called inside a transaction. The fixtures come from `core.testing.fixtures`.

Source: docs/writing-a-plugin.md, “The laws”.
"""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import Table, select

from core.api.testing import ComponentLaws
from core.apps import service
from core.apps.change_log import Touched
from core.apps.lifting import lifted, lifted_value
from core.apps.snapshot import Snapshot
from core.archive.canonical import canonical, parse_canonical
from core.archive.errors import ArchiveError
from core.backups import ingest
from core.backups.catalog import backups_of, find_backup
from core.backups.inline import back_up, check, content_id, file_of, plan, restore, undo
from core.backups.merge import data_reports
from core.backups.state import describe
from core.base.db import Base, db, reading, transaction
from core.base.errors import AppkeepError, InvalidInput, InvalidValue
from core.base.ids import SYSTEM
from core.extension.component import Component, Document
from core.extension.data_report import CollectionReport
from core.gc.sweep import one_pass
from core.objects.index import known_descriptors
from core.objects.reader import read_file
from core.runs.models import Run
from core.server import server
from core.tenancy.models import App
from core.tenancy.owned import OwnedByApp
from core.tenancy.wall import as_tenant, tenant
from core.testing.fixtures import make_organization

DIGEST = re.compile(r"[0-9a-f]{64}")
OTHER_VALUES: tuple[Any, ...] = (None, True, -1, 2**53 - 1, "\u0001nonsense", ["nonsense"], {"nonsense": 1})
Lines = dict[tuple[str, int], list[Any]]
"""(section, segment) -> values of its lines."""


class DataLaws(ComponentLaws):
    """The laws of data, on top of those of documents. Each is one test; each uses the fixture `app`."""

    written_before: ClassVar[Mapping[int, tuple[list[Document], Mapping[str, list[Any]]]]] = {}
    """What earlier versions wrote: version -> (documents, section -> values of lines)."""

    not_kept: ClassVar[frozenset[str]] = frozenset()
    """Columns of its tables that a restore need not bring back."""

    def full(self) -> list[Document]:
        return []

    def damage(self, app: App) -> None:
        """Change some data, delete some, remove some for good: what a restore must bring back."""
        raise NotImplementedError

    def newer(self, app: App) -> None:
        """Make data that a backup made before does not have."""
        raise NotImplementedError

    def bin_one(self, app: App) -> None:
        """Move one piece of data to the recycle bin."""
        raise NotImplementedError

    def purge(self, app: App) -> None:
        """Remove for good what all of the data hangs on, or the data itself, as people do."""
        raise NotImplementedError

    def test_there_is_data(self, app: App) -> None:
        """`fill` makes data, and `damage` changes it, or the other laws would speak of nothing."""
        self._filled(app)
        before = lines_of(app, self.component)
        assert before, "Nothing of the data is in a backup: data_sections gives no line after fill."
        self._damaged(app)
        assert before != lines_of(app, self.component), "damage changes nothing that a backup holds."

    def test_a_plan_is_silent(self, app: App) -> None:
        """A plan writes nothing: not through its own connection, not through the session's, not through another."""
        self._filled(app)
        kept = back_up(app).id
        self._damaged(app)
        before = rows_of(app)
        try:
            plan(app, find_backup(kept))
            with transaction():
                plan(service.find(app.id), find_backup(kept))
                inside = rows_of(app)
        except AppkeepError:
            raise
        except Exception as error:
            raise AssertionError(f"A plan must not write, and this one failed: {error}") from error
        assert before == inside, f"A plan changes rows of {differing(before, inside)}."
        assert before == rows_of(app), f"A plan changes rows of {differing(before, rows_of(app))}."

    def test_a_plan_tells_what_a_restore_does(self, app: App) -> None:
        """The numbers of the plan are those of the restore, and those of what really changes."""
        self._filled(app)
        kept = back_up(app).id
        saved = lines_of(app, self.component)
        self._damaged(app)
        differ = len(_values(saved) - _values(lines_of(app, self.component)))
        planned = self._told(plan(app, find_backup(kept))["components"])
        done = self._told(restore(service.find(app.id), find_backup(kept))["components"])
        assert planned == done, f"The plan said {planned}, and the restore says {done}."
        brought = sum(one.brought_back + one.overwritten for one in done)
        assert differ <= brought, f"{differ} lines were not as the backup has them; the report tells of {brought}."
        counted = sum(one.brought_back + one.overwritten + one.unchanged for one in done)
        assert counted == len(_values(saved)), f"The backup has {len(_values(saved))} lines; the report tells of {counted}."
        again = self._told(plan(service.find(app.id), find_backup(kept))["components"])
        assert 0 == sum(one.written for one in again), "After the restore, a plan still says that something would be written."

    def test_counted(self, app: App) -> None:
        """`record_count`, the counts of segments and of the backup are those of the lines; a file's section is listed once."""
        self._filled(app)
        backup = back_up(app)
        lines = lines_of(app, self.component)
        records = sum(len(values) for (section, _), values in lines.items() if section.startswith("records/"))
        counted = backup.records - self._others(app)
        assert records == counted, f"The backup counts {counted} records; the component wrote {records}."
        with reading() as connection:
            snapshot, component = Snapshot(app.id, connection), self._component
            told = component.record_count(app, snapshot)
            assert told == records, f"record_count says {told}; data_sections gives {records} records."
            for section in component.data_sections(app, snapshot):
                for segment in section.segments:
                    found = segment.raw.count(b"\n")
                    assert found == segment.count, f"A segment of {section.name} says {segment.count} lines and has {found}."

    def test_canonical(self, app: App) -> None:
        """Every line is canonical JSON with an end; sections and segments come once, in order, none of them empty."""
        self._filled(app)
        seen: set[tuple[str, int]] = set()
        with reading() as connection:
            for section in self._component.data_sections(app, Snapshot(app.id, connection)):
                last = -1
                for segment in section.segments:
                    assert segment.n > last, f"The segments of {section.name} are out of order at {segment.n}."
                    assert segment.raw and segment.count, f"Segment {segment.n} of {section.name} is empty."
                    assert (section.name, segment.n) not in seen, f"Segment {segment.n} of {section.name} comes twice."
                    seen.add((section.name, segment.n))
                    last = segment.n
                    assert segment.raw.endswith(b"\n"), f"The last line of segment {segment.n} of {section.name} has no end."
                    for line in segment.raw.split(b"\n")[:-1]:
                        try:
                            parse_canonical(line)
                        except ValueError as error:
                            raise AssertionError(f"A line of {section.name} is not canonical: {line[:80]!r}: {error}") from error

    def test_carried(self, app: App) -> None:
        """A backup goes out as a file, comes back, is taken, and restores what was."""
        self._filled(app)
        before, file = content_id(app), file_of(back_up(app))
        self._damaged(app)
        try:
            uploaded = ingest.upload(io.BytesIO(file), service.find(app.id), SYSTEM)
        except ArchiveError as error:
            raise AssertionError(f"The component refuses what it wrote itself: {error.message}") from error
        restore(service.find(app.id), uploaded, accept_origin=True)
        assert before == content_id(app), "Restored from a file, the app is not what it was."
        deep = check(find_backup(uploaded.id), deep=True)
        assert deep["trial"]["same"], "Restored on trial, the file does not give the state that it holds."

    def test_nothing_is_lost(self, app: App) -> None:
        """After a restore every row of its tables is again what it was, column by column; `not_kept` names those that need not be."""
        self._filled(app)
        before, kept = self._rows(app), back_up(app).id
        self._damaged(app)
        restore(service.find(app.id), find_backup(kept))
        after = self._rows(app)
        for table, rows in before.items():
            places = [n for n, column in enumerate(table.columns) if column.name not in self.not_kept]
            was, now = ({tuple(repr(row[n]) for n in places) for row in side} for side in (rows, after.get(table, [])))
            assert was <= now, f"{len(was - now)} rows of {table.name} are not what they were: {sorted(was - now)[0]}."

    def test_kept(self, app: App) -> None:
        """Files that its rows name stay in the store, also of what lies in the recycle bin; a backup's stay with the backup."""
        self._filled(app)
        named = digests(self._rows(app))
        kept = back_up(app).id
        for _ in range(2):
            one_pass(0)
        lost = [digest for digest in named if not _readable(digest)]
        assert not lost, f"{len(lost)} files that rows name were removed from the store: kept_files does not give them."
        live = {digest for values in lines_of(app, self.component).values() for value in values
                for digest in DIGEST.findall(canonical(value).decode())} & named
        with reading() as connection:
            listed = set(self._component.data_files(app, Snapshot(app.id, connection)))
        assert live <= listed, f"{len(live - listed)} files that live data names are not given by data_files."
        with transaction():
            self.purge(service.find(app.id))
        for _ in range(2):
            one_pass(0)
        restore(service.find(app.id), find_backup(kept))
        assert all(map(_readable, live)), "After a restore, a file of the backup cannot be read."

    def test_newer_stays(self, app: App) -> None:
        """What was made since a backup stays; with *bin_newer* it goes, and the state is the backup's."""
        self._filled(app)
        before, kept = content_id(app), back_up(app).id
        old = _values(lines_of(app, self.component))
        with transaction():
            self.newer(service.find(app.id))
        made = _values(lines_of(app, self.component)) - old
        assert made, "newer makes nothing that a backup holds."
        self._damaged(app)
        restore(service.find(app.id), find_backup(kept))
        gone = made - _values(lines_of(app, self.component))
        assert not gone, f"{len(gone)} lines that were made since the backup are gone after the restore."
        restore(service.find(app.id), find_backup(kept), bin_newer=True)
        assert before == content_id(app), "With what was made since moved to the recycle bin, the state is not the backup's."

    def test_refuses(self, app: App) -> None:
        """Lines that it could not have written are refused: other values, other names, a name less, twice, in another segment."""
        self._filled(app)
        sections = lines_of(app, self.component)
        for place, values in sections.items():
            assert not self._refused(sections, place, values), f"check_data refuses its own lines of {place[0]}."
            section = place[0]
            assert self._refused(sections, place, [{"nonsense": 1}]), f"{section} takes a line of nonsense."
            assert self._refused(sections, place, ["nonsense"]), f"{section} takes a line that is a text."
            assert self._refused(sections, place, [*values, values[-1]]), f"{section} takes the same line twice."
            assert self._refused(sections, (section, place[1] + 7), values), f"{section} takes lines in another segment."
            for what, spoiled in _spoiled(values[0]):
                assert self._refused(sections, place, [spoiled, *values[1:]]), f"{section} takes a line {what}."
        assert self._refused(sections, ("nonsense", 0), next(iter(sections.values()))), "A section that it has not is taken."

    def test_one_moment(self, app: App) -> None:
        """A backup is one moment: what is committed while it reads is not in it, so all is read through the snapshot's connection."""
        self._filled(app)
        with reading() as connection:
            snapshot = Snapshot(app.id, connection)
            before = _described(app, snapshot, self.component)
            self._damaged(app)
            with transaction():
                self.newer(service.find(app.id))
            assert before == _described(app, snapshot, self.component), (
                "What was changed after a backup began is in it: read through snapshot.connection only.")

    def test_what_lies_in_the_bin_is_not_backed_up(self, app: App) -> None:
        """One piece less in the app is one line less in a backup."""
        self._filled(app)
        before = _values(lines_of(app, self.component))
        with transaction():
            self.bin_one(service.find(app.id))
        after = _values(lines_of(app, self.component))
        assert after < before, "What lies in the recycle bin is still in a backup."

    def test_undone(self, app: App) -> None:
        """A restore that is undone leaves the app as it was before."""
        self._filled(app)
        kept = back_up(app).id
        self._damaged(app)
        with transaction():
            self.newer(service.find(app.id))
        before = content_id(app)
        restore(service.find(app.id), find_backup(kept), safety_backup=True)
        run = db.session.scalars(select(Run).where(Run.app_id == app.id, Run.kind == "restore").order_by(Run.requested_at.desc())).first()
        assert run is not None
        undo(service.find(app.id), run.id)
        assert before == content_id(app), "After undoing a restore, the data is not what it was before."

    def test_purged(self, app: App) -> None:
        """Once everything is removed for good, no row of it is left."""
        self._filled(app)
        with transaction():
            self.purge(service.find(app.id))
        left = {table.name: len(rows) for table, rows in self._rows(app).items() if rows}
        assert not left, f"Rows are left of what was removed for good: {left}."

    def test_lifted(self, app: App) -> None:
        """What earlier versions wrote becomes what today's version takes."""
        component = self._component
        lacking = [version for version in range(1, component.version) if version not in self.written_before]
        assert not lacking, f"Say in written_before what version {lacking[0]} wrote."
        for version, (documents, sections) in self.written_before.items():
            for document in documents:
                component.check(lifted(component, document, version))
            context: dict[str, Any] = {"documents": None, "files": set(DIGEST.findall(canonical(dict(sections)).decode()))}
            for section, values in sections.items():
                component.check_data(section, 0, iter([lifted_value(component, version, section, one) for one in values]), context)

    def test_two_tenants(self, app: App) -> None:
        """What a restore or a purge does in one organization's app happens in no other's; a backup's file goes from one to the other."""
        self._filled(app)
        before, own, file = content_id(app), tenant(), file_of(back_up(app))
        kept = backups_of(app.id)[0].id
        other = make_organization("Another")
        with as_tenant(other):
            with transaction():
                theirs = service.create("Theirs", SYSTEM).id
            uploaded = ingest.upload(io.BytesIO(file), service.find(theirs), SYSTEM)
            restore(service.find(theirs), uploaded, accept_origin=True)
            there = content_id(service.find(theirs))
            assert there == before, "Restored in another organization, the state is another one."
        with as_tenant(own):
            assert before == content_id(service.find(app.id)), "A restore in another organization's app changed this one."
        with as_tenant(other), transaction():
            self.purge(service.find(theirs))
        with as_tenant(own):
            assert before == content_id(service.find(app.id)), "A purge in another organization's app changed this one."
            restore(service.find(app.id), find_backup(kept))
        with as_tenant(other):
            assert there != content_id(service.find(theirs)), "A restore in one organization's app changed another's."

    @property
    def _component(self) -> Component:
        return server().registry.components[self.component]

    def _damaged(self, app: App) -> None:
        with transaction():
            self.damage(service.find(app.id))
        db.session.expire_all()

    def _told(self, components: Mapping[str, Any]) -> list[CollectionReport]:
        said = {name: told for name, told in components.items() if name == self.component}
        return [one for report in data_reports(said) for one in report.collections]

    def _others(self, app: App) -> int:
        """Return how many records a backup of the app has of other components."""
        with reading() as connection:
            return sum(component.record_count(app, Snapshot(app.id, connection))
                       for name, component in server().registry.components.items() if name != self.component)

    def _refused(self, sections: Lines, place: tuple[str, int], values: list[Any]) -> bool:
        """Say whether lines are refused that come in the place of others, after all sections before it."""
        context: dict[str, Any] = {"documents": None, "files": set(DIGEST.findall(canonical([*sections.values()]).decode()))}
        try:
            for (section, n), own in sections.items():
                if (section, n) >= place:
                    break
                self._component.check_data(section, n, iter(copy.deepcopy(own)), context)
            self._component.check_data(place[0], place[1], iter(copy.deepcopy(values)), context)
        except (InvalidInput, InvalidValue):
            return True
        except Exception as error:
            raise AssertionError(f"check_data raises {type(error).__name__} ({error}) where it should refuse by InvalidInput.") from error
        return False

    def _rows(self, app: App) -> dict[Table, list[Any]]:
        """Return the rows of the app in the tables that the component's plugin brings."""
        home = type(self._component).__module__.rpartition(".")[0]
        return {table: rows for table, rows in rows_of(app, home).items() if rows}


def lines_of(app: App, component: str) -> Lines:
    """Return what a backup taken now would hold of a component's data."""
    found: Lines = {}
    with reading() as connection:
        for section in server().registry.components[component].data_sections(app, Snapshot(app.id, connection)):
            for segment in section.segments:
                found[section.name, segment.n] = [parse_canonical(line) for line in segment.raw.split(b"\n") if line]
    return found


def rows_of(app: App, home: str = "") -> dict[Table, list[Any]]:
    """Return all rows of an app, by table; of the tables whose classes lie in a package, where one is named. The journal is left out."""
    connection, found = db.session.connection(), {}
    for mapper in Base.registry.mappers:
        table = mapper.local_table
        if issubclass(mapper.class_, OwnedByApp) and mapper.class_.__module__.startswith(home) and isinstance(table, Table):
            found[table] = sorted(map(tuple, connection.execute(select(table).where(table.c.app_id == app.id))), key=repr)
    return found


def differing(before: Mapping[Table, Any], after: Mapping[Table, Any]) -> str:
    """Return the names of the tables whose rows differ; the log of what was touched only where it alone does, for it follows others."""
    names = sorted(table.name for table in before if before[table] != after.get(table))
    return ", ".join([name for name in names if name != Touched.__tablename__] or names)


def digests(rows: Mapping[Table, list[Any]]) -> set[str]:
    """Return the digests of all files of the organization that rows name in any column."""
    found = {digest for some in rows.values() for row in some for value in row if value is not None
             for digest in DIGEST.findall(value if isinstance(value, str) else repr(value))}
    return set(known_descriptors(found))


def _values(lines: Lines) -> set[tuple[str, bytes]]:
    return {(section, canonical(value)) for (section, _), values in lines.items() for value in values}


def _described(app: App, snapshot: Snapshot, component: str) -> dict[str, Any]:
    return describe(app, snapshot, only=component).content.as_dict()


def _readable(digest: str) -> bool:
    try:
        return any(True for _ in read_file(digest)) or True
    except AppkeepError:
        return False


def _spoiled(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a line with one thing wrong, and what that is."""
    if not isinstance(value, dict):
        return
    yield "with a name that no column has", {**value, "nonsense": 1}
    for name in value:
        wrong = [other for other in OTHER_VALUES if type(other) is not type(value[name])]
        yield f"whose “{name}” is {wrong[-1]!r}", {**value, name: wrong[-1]}
        if isinstance(value[name], str):
            yield f"whose “{name}” is 7", {**value, name: 7}


__all__ = ["DataLaws", "differing", "lines_of", "rows_of"]
