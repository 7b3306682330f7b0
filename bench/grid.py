"""How long the pages of a large worksheet take, beside those of a small one: `python -m bench.grid [--records N] [--engine E]`.

Two worksheets with the same fields, one of 1,000 records, the other of N, in one database; each page is asked for through
Flask's client as its admin's browser would, some times, and the median is taken. What matters is the ratio.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from bench.step import fields_once, vacuum, values
from core.api import App, Document, apps, as_server, as_tenant, db, documents, transaction
from core.app import create_app
from core.base.config import read_config
from core.tenancy.migrate import ensure_schema
from plugins.worksheets.query import Query
from plugins.worksheets.query.cursors import write_cursor
from plugins.worksheets.query.prepared import PreparedQuery
from plugins.worksheets.records import Row, open_store
from tenants import service as tenants
from tests.web import Browser, signed_in

SMALL = 1_000
ENGINES = ("sqlite", "postgresql")
OWNER = "bench@example.org"
STATUS = "f_BenchStat1"
CHOICES = [{"key": f"o_Bench1111{n}", "name": name, "colour": "green"}
           for n, name in enumerate(("Open", "Waiting", "Done", "Dropped"), start=1)]
TEXT, PLAIN, NUMBER, DATE, EMAIL = (fields_once[n]["key"] for n in (0, 1, 3, 5, 8))
INDEXED = (TEXT, NUMBER, DATE, STATUS)
VIEWS = {"all": "v_BenchA1111", "board": "v_BenchB1111", "grouped": "v_BenchG1111"}
LARGE_RATIO = 5


def main() -> None:
    """Run the benchmark and print a table, or one JSON object an engine with --json."""
    parser = argparse.ArgumentParser(prog="python -m bench.grid", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--times", type=int, default=5, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="only pages with this in their name")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    pages = {name: make for name, make in PAGES.items() if given.only in name}
    for engine in given.engine or ENGINES:
        found = measured(engine, given.records, given.times, pages)
        print(json.dumps(found) if given.json else "\n".join(table(found)), flush=True)


def measured(engine: str, records: int, times: int, pages: Mapping[str, Callable[[World, str], str]]) -> dict[str, Any]:
    """Return the seconds of each page for both worksheets on one engine."""
    folder = Path(tempfile.mkdtemp(prefix="appkeep-bench-"))
    try:
        with database(engine) as url:
            app = create_app(read_config({}, home=str(folder), database_url=url, rate_limits=False))
            with app.app_context():
                ensure_schema()
                begun = time.perf_counter()
                world = World(app, {"small": SMALL, "large": records})
                filled_s = time.perf_counter() - begun
                seconds = {name: world.compared(make, times) for name, make in pages.items()}
                db.session.remove()
                db.engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"engine": engine, "records": records, "filled_s": round(filled_s, 1), "pages": seconds}


class World:
    """An organization with an app and its two worksheets, and its owner's browser."""

    def __init__(self, app: Flask, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes
        with as_server(), transaction():
            self.organization_id = tenants.create_organization("Bench", OWNER).id
        with as_tenant(self.organization_id), transaction():
            self.app_id = apps.create("Bench", tenants.user_by_email(OWNER).id).id
        self.sheets = {name: f"w_Bench{name.capitalize().replace('l', 'i')}" for name in sizes}
        for position, (name, size) in enumerate(sizes.items()):
            self._fill(self.sheets[name], name, size, position)
        vacuum()
        self.client: Browser = signed_in(app, OWNER)

    @property
    def app(self) -> App:
        """The app, inside `as_tenant`."""
        return apps.find(self.app_id)

    def url(self, size: str, query: str = "") -> str:
        """Return the address of a worksheet's page."""
        return f"/o/{self.organization_id}/apps/{self.app_id}/worksheet/{self.sheets[size]}{query}"

    def cursor(self, size: str, sorts: list[tuple[str, bool]], field: str | None = None) -> str:
        """Return a cursor into the middle of a worksheet."""
        with as_tenant(self.organization_id):
            plan = PreparedQuery(self.app, Query(self.sheets[size], sorts=sorts))
            seq = self.sizes[size] // 2
            row = plan.store.row(self.sheets[size], seq)
            found = write_cursor(plan.mark, plan.order.spot(plan.evaluator.evaluate([row] if row else [], ())[0]), back=False)
        db.session.rollback()
        return found

    def compared(self, make: Callable[[World, str], str], times: int) -> dict[str, float]:
        """Return the median seconds of one page of each worksheet."""
        found = {}
        for size in self.sizes:
            address = make(self, size)
            found[size] = round(statistics.median(self._once(address) for _ in range(times)), 4)
        return {**found, "ratio": round(found["large"] / found["small"], 1)}

    def _once(self, address: str) -> float:
        begun = time.perf_counter()
        answer = self.client.get(address)
        seconds = time.perf_counter() - begun
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        return seconds

    def _fill(self, key: str, name: str, size: int, position: int) -> None:
        def ref(field: str) -> dict[str, str]:
            return {"ref": f"worksheet/{key}/field/{field}"}

        fields = [*fields_once, {"key": STATUS, "type": "single_select", "name": "Status", "options": {"choices": CHOICES}}]
        body = {"name": name, "fields": [{**one, **({"indexed": True} if one["key"] in INDEXED else {})} for one in fields], "views": [
            {"key": VIEWS["all"], "type": "grid", "name": "All"},
            {"key": VIEWS["board"], "type": "kanban", "name": "Board", "stack_field": ref(STATUS)},
            {"key": VIEWS["grouped"], "type": "grid", "name": "Grouped", "groups": [{"field": ref(STATUS)}]}]}
        with as_tenant(self.organization_id), transaction():
            documents.put(self.app, Document(kind="worksheet", key=key, body=body, position=position), "system")
            store, now = open_store(db.session.connection(), self.app_id), 1_790_000_000_000_000
            for start in range(1, size + 1, 50_000):
                store.load(key, (Row(n, with_status(n), None, now + n, "system", now + n, "system", None)
                                 for n in range(start, min(start + 50_000, size + 1))))
            store.raise_counter(key, size)


def with_status(n: int) -> str:
    """Return a record's values, a status among them: most are done, few are open."""
    status = CHOICES[2 if n % 10 else n // 10 % 4]["key"]
    return f'{values(n)[:-1]},"{STATUS}":"{status}"}}'


def _sorted(field: str, down: bool = False) -> Callable[[World, str], str]:
    return lambda world, size: world.url(size, f"?sort={'-' if down else ''}{field}")


def _asked(query: str) -> Callable[[World, str], str]:
    return lambda world, size: world.url(size, f"?{query}")


def _deep(field: str | None = None, down: bool = False) -> Callable[[World, str], str]:
    def make(world: World, size: str) -> str:
        place = world.cursor(size, [(field, down)] if field else [])
        sort = f"&sort={'-' if down else ''}{field}" if field else ""
        return world.url(size, f"?after={place}&at={world.sizes[size] // 2}{sort}")

    return make


def _where(field: str, operator: str, value: str) -> str:
    return f"where={field}&op={operator}&value={value}"


PAGES: Mapping[str, Callable[[World, str], str]] = {
    "open": _asked("view=" + VIEWS["all"]),
    "a page in the middle": _deep(),
    "sorted by text": _sorted(TEXT), "sorted by text, down": _sorted(TEXT, True), "sorted by text, in the middle": _deep(TEXT),
    "sorted by number": _sorted(NUMBER), "sorted by number, in the middle": _deep(NUMBER, True),
    "sorted by date": _sorted(DATE), "sorted by choice": _sorted(STATUS),
    "sorted by date, then number": _asked(f"sort={DATE}&sort={NUMBER}"),
    "number is": _asked(_where(NUMBER, "is", "370")),
    "number more than (half of them)": _asked(_where(NUMBER, "greater", "50000")),
    "number at most (few)": _asked(_where(NUMBER, "less_or_equal", "40")),
    "date before, sorted by date": _asked(_where(DATE, "before", "2010-01-01") + f"&sort={DATE}"),
    "date before, sorted by number": _asked(_where(DATE, "before", "2010-01-01") + f"&sort={NUMBER}"),
    "choice is (most)": _asked(_where(STATUS, "is", CHOICES[2]["key"])),
    "choice is (few)": _asked(_where(STATUS, "is", CHOICES[0]["key"])),
    "text starts with": _asked(_where(TEXT, "starts_with", "bridge")),
    "text contains (many)": _asked(_where(TEXT, "contains", "bridge")),
    "grouped by choice": _asked("view=" + VIEWS["grouped"]), "board by choice": _asked("view=" + VIEWS["board"]),
    "search, a frequent word": _asked("q=harbor"), "search, a rare word": _asked("q=zebra"),
    "filter by a field without index": _asked(_where(EMAIL, "contains", "zebra")),
    "sorted by a field without index": _sorted(PLAIN),
}


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Give the URL of an empty database; empty for SQLite in the home."""
    if engine == "sqlite":
        yield ""
        return
    from core.testing.postgresql import PostgreSQL

    with PostgreSQL.running() as server:
        yield server.create("bench")


def table(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a result as lines."""
    yield (f"{found['engine']}: {SMALL:,} and {found['records']:,} records of 13 fields, {len(INDEXED)} of them indexed; "
           f"filled in {found['filled_s']} s")
    yield f"  {'':36} {'small':>9} {'large':>9} {'ratio':>7}"
    for name, one in found["pages"].items():
        note = "  !" if one["ratio"] > LARGE_RATIO else ""
        yield f"  {name:36} {one['small'] * 1000:6.1f} ms {one['large'] * 1000:6.1f} ms {one['ratio']:7.1f}{note}"


if __name__ == "__main__":
    sys.exit(main())
