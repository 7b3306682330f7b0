"""How long browsing a backup takes, of a large one beside a small one: `python -m bench.browse [--records N] [--engine E]`.

A worksheet of 1,000 records and one of N, twelve fields and a choice, four of them indexed, in one backup. Each page is asked for
through Flask's client; a page that is still being prepared is asked for again, as a browser does. "first" is asked of a backup that
nobody has browsed before. Memory is the process's peak, which is set back before each page.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.grid import ENGINES, NUMBER, SMALL, STATUS, TEXT, World, _where, database
from core.api import as_tenant, direct
from core.app import create_app
from core.backups import scratch
from core.base.config import read_config
from core.tenancy.migrate import ensure_schema
from tests.web import Browser, signed_in

OWNER = "bench@example.org"
PAGES = {"first page": "", "page 2": "?next", "record": "/record/700", "number is (indexed)": "?" + _where(NUMBER, "is", "370"),
         "text starts with (indexed)": "?" + _where(TEXT, "starts_with", "bridge"), "sorted by number (indexed)": f"?sort={NUMBER}",
         "choice is (indexed)": "?" + _where(STATUS, "is", "o_Bench11111"), "search, a frequent word": "?q=harbor",
         "search, a rare word": "?q=zebra", "first page, afterwards": ""}


def main() -> None:
    """Run the benchmark and print what was measured, as one JSON object an engine."""
    parser = argparse.ArgumentParser(prog="python -m bench.browse", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=ENGINES, action="append")
    given = parser.parse_args()
    for engine in given.engine or ENGINES[:1]:
        folder = Path(tempfile.mkdtemp(prefix="appkeep-bench-"))
        try:
            with database(engine) as url:
                print(json.dumps({"engine": engine, **measured(str(folder), url, given.records)}, indent=1), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def measured(home: str, url: str, records: int) -> dict[str, Any]:
    """Return the seconds, answers until ready and peak memory of each page, in a process that has made none of it."""
    with get_context("spawn").Pool(1) as pool:
        made = pool.apply(make, (home, url, records))
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(browse, (home, url, records, *made))


def make(home: str, url: str, records: int) -> tuple[str, str, dict[str, str]]:
    """Make the worksheets and the backup; return the address of its pages, its id and the worksheets' keys."""
    app = create_app(read_config({}, home=home, database_url=url, rate_limits=False))
    with app.app_context():
        ensure_schema()
        world = World(app, {"small": SMALL, "large": records})
        with as_tenant(world.organization_id):
            backup = direct.back_up(world.app, person="system")
            return f"/o/{world.organization_id}/apps/{world.app_id}/backups/{backup.id}/browse", backup.id, world.sheets


def browse(home: str, url: str, records: int, root: str, backup_id: str, sheets: dict[str, str]) -> dict[str, Any]:
    """Browse both worksheets and return what was measured."""
    app = create_app(read_config({}, home=home, database_url=url, rate_limits=False))
    with app.app_context():
        client = signed_in(app, OWNER)
        client.get(f"{root}/contents")  # imports, templates
        scratch.forget(backup_id)
        found: dict[str, Any] = {"records": records, "contents": once(client, f"{root}/contents")}
        for name, query in PAGES.items():
            found[name] = {size: once(client, page_of(client, f"{root}/worksheet/{key}", query)) for size, key in sheets.items()}
        found["scratch_bytes"] = sum(one.size_bytes for one in scratch.kept())
    return found


def page_of(client: Browser, sheet: str, query: str) -> str:
    """Return the address of a page; that of the second one stands on the first."""
    if query != "?next":
        return sheet + query
    text = client.get(sheet).get_data(as_text=True)
    return text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")


def once(client: Browser, address: str) -> dict[str, Any]:
    """Ask until the page is there, then some times more."""
    Path("/proc/self/clear_refs").write_text("5")
    seconds = list(asked(client, address))
    again = statistics.median(next(asked(client, address)) for _ in range(5))
    return {"first_s": round(sum(seconds), 3), "answers": len(seconds), "longest_s": round(max(seconds), 3), "then_s": round(again, 4),
            "peak_mb": peak_mb()}


def asked(client: Browser, address: str) -> Iterator[float]:
    """Yield how long each answer takes until the page itself comes."""
    while True:
        begun = time.perf_counter()
        answer = client.get(address)
        yield time.perf_counter() - begun
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        if "Preparing … " not in answer.get_data(as_text=True):
            return


def peak_mb() -> int:
    """Return the process's greatest memory since it was set back."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
