"""Benchmark: backup and restore of one large worksheet, each beside a reference in the same run.

``python -m bench [--records N …] [--engine sqlite|postgresql …] [--repeat N] [--json]``. Read the ratios: the machine's
speed is in both sides of them. Every step runs in a process of its own, whose peak memory is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BACKUPS = ("backup", "reference", "reference_stream", "backup_again", "backup_changed")
RESTORES = ("plan_unchanged", "restore_unchanged", "plan_changed", "restore_changed", "restore_emptied", "reference_restore")
BEFORE = {"backup_changed": ("change",), "plan_changed": ("change",), "restore_emptied": ("empty",),
          "reference_restore": ("dump", "empty")}
"""What is done before a step, in processes of their own: deleting has its own peak of memory."""
STEPS = (*BACKUPS, *RESTORES)
WITHIN = {"backup_again": "backup", "backup_changed": "backup",
          **dict.fromkeys(("plan_unchanged", "restore_unchanged", "plan_changed", "restore_changed"), "restore_emptied")}
"""Steps that are told as a part of another: where nothing, or a hundred records, differ."""
REFERENCES = {
    "sqlite": {"reference": "VACUUM INTO", "reference_stream": "backup API", "reference_restore": "sqlite3 < dump"},
    "postgresql": {"reference": "pg_dump -Fc", "reference_stream": "pg_dump | zstd -3", "reference_restore": "pg_restore"}}
BESIDE = (("backup", "reference"), ("backup", "reference_stream"), ("restore_emptied", "reference_restore"))
"""Steps that are told as a multiple of a reference."""
TARGETS = {("sqlite", "reference"): 1.2, ("postgresql", "reference"): 0.4, ("postgresql", "reference_stream"): 0.7,
           ("sqlite", "reference_restore"): 1.2, ("postgresql", "reference_restore"): 0.8}


def main() -> None:
    """Run, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--fields", choices=["plain", "all"], default="plain",
                        help="Twelve plain ones, or twenty of all kinds, with links and files.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = [measured(engine, records, asked.fields, asked.repeat) for engine in asked.engine for records in asked.records]
    if asked.json:
        print(json.dumps({"results": results}))
    else:
        for result in results:
            print("\n".join(table(result)))


def measured(engine: str, records: int, kinds: str, repeat: int) -> dict[str, Any]:
    """Return medians of *repeat* rounds on one engine and size."""
    folder = Path(tempfile.mkdtemp(prefix="appkeep-bench-"))
    try:
        with database(engine) as url:
            environment = {**os.environ, "APPKEEP_HOME": str(folder / "home"), "APPKEEP_DATABASE_URL": url,
                           "APPKEEP_BACKUP_INTERVAL_S": "0"}
            step("fill", environment, str(records), kinds)
            # All backups come first: a restore writes the table anew, in another order on the disk.
            backups = [one_round(environment, BACKUPS) for _ in range(repeat)]
            rounds = [before | one_round(environment, RESTORES) for before in backups]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = {"engine": engine, "records": records, "fields": kinds, "rounds": repeat}
    for name in STEPS:
        found[f"{name}_s"] = round(statistics.median(r[name]["seconds"] for r in rounds), 3)
        found[f"{name}_peak_mb"] = round(max(r[name]["peak_bytes"] for r in rounds) / 1e6, 1)
    for step_, reference in BESIDE:
        found[f"{step_}_of_{reference}"] = round(statistics.median(r[step_]["seconds"] / r[reference]["seconds"] for r in rounds), 2)
    for part, whole in WITHIN.items():
        found[f"{part}_part"] = round(statistics.median(r[part]["seconds"] / r[whole]["seconds"] for r in rounds), 3)
    return found


def one_round(environment: dict[str, str], steps: Sequence[str]) -> dict[str, Any]:
    """Return each step's seconds and peak memory; before backups the store is emptied, so that they store everything."""
    if steps is BACKUPS:
        step("forget", environment)
    found = {}
    for name in steps:
        for before in BEFORE.get(name, ()):
            step(before, environment)
        found[name] = step(name, environment)
    return found


def step(name: str, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run one step in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.step", name, *arguments], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Give the URL of an empty database; empty for SQLite in the home."""
    if engine == "sqlite":
        yield ""
        return
    from core.testing.postgresql import PostgreSQL

    with PostgreSQL.running() as server:
        yield server.create("bench")


def table(result: dict[str, Any]) -> Iterator[str]:
    """Yield a result as lines."""
    kinds = "12 plain fields" if result["fields"] == "plain" else "20 fields of all kinds"
    yield f"{result['engine']}, {result['records']:,} records of {kinds}, median of {result['rounds']}"
    called, engine = REFERENCES[result["engine"]], result["engine"]
    for name in STEPS:
        title = called.get(name, name.replace("_", " "))
        yield f"  {title:20} {result[f'{name}_s']:8.2f} s   peak {result[f'{name}_peak_mb']:7.1f} MB"
    yield from (f"  {part.replace('_', ' ')} takes {100 * result[f'{part}_part']:.1f} % of {whole.replace('_', ' ')}"
                for part, whole in WITHIN.items())
    for step_, reference in BESIDE:
        wanted = TARGETS.get((engine, reference))
        more = f" (wanted: at most {wanted})" if wanted else ""
        yield f"  {step_.replace('_', ' ')} / {called[reference]}: {result[f'{step_}_of_{reference}']}{more}"


main()
