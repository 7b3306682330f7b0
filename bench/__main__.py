"""Benchmark: backup and restore of one large worksheet, each beside a reference in the same run.

``python -m bench [--records N …] [--engine sqlite|postgresql …] [--fields plain|all] [--others] [--repeat N] [--json] [--chart FILE]``.
Read the ratios: the machine's speed is in both sides of them. Every step runs in a process of its own, whose peak memory is measured; the
steps that are "following" in one that has done another run before, as a worker's does where several wait.
With 10,000,000 records it takes hours. Of the `--others`, what is not installed is left out: ``apt install restic borgbackup``,
``pip install -e '.[bench]'``.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.chart import NAMES, drawn

BACKUPS = ("backup", "reference", "reference_stream", "restic", "borg", "backup_again", "backup_again_following", "restic_again",
           "borg_again", "backup_changed", "backup_changed_following", "restic_changed", "borg_changed")
RESTORES = ("django_dumpdata", "django_loaddata", "plan_unchanged", "restore_unchanged", "restore_unchanged_following", "plan_changed",
            "restore_changed", "restore_changed_following", "restore_emptied", "reference_restore", "import_csv", "sqlite_utils",
            "import_xlsx", "calamine")
OTHERS = ("restic", "borg", "django", "import_csv", "sqlite_utils", "import_xlsx", "calamine")
"""What the names of steps begin with that only `--others` asks for."""
NEEDS: dict[str, Callable[[], object]] = {
    "restic": lambda: shutil.which("restic"), "borg": lambda: shutil.which("borg"),
    "django": lambda: find_spec("django"), "sqlite_utils": lambda: find_spec("sqlite_utils"),
    "import_xlsx": lambda: find_spec("openpyxl"), "calamine": lambda: find_spec("openpyxl") and find_spec("python_calamine")}
"""What has to be installed for the steps whose names begin so."""
ON_SQLITE = ("restic", "borg")
"""Of those, the programs that know only files, and see only SQLite's."""
BEFORE = {"restic": ("restic_made",), "borg": ("borg_made",), "django_dumpdata": ("django_made",), "django_loaddata": ("django_emptied",),
          "import_csv": ("csv_written",), "import_xlsx": ("xlsx_written",), "backup_changed": ("change",),
          "backup_changed_following": ("change",), "restore_changed_following": ("change",),
          "plan_unchanged": ("level",), "plan_changed": ("change",), "restore_emptied": ("empty",),
          "reference_restore": ("dump", "empty_both")}
"""What is done before a step, in processes of their own: deleting has its own peak of memory."""
WITHIN = {**{one: "backup" for one in BACKUPS if one.startswith(("backup_again", "backup_changed"))},
          **{one: "restore_emptied" for one in RESTORES if one.startswith(("plan_", "restore_unchanged", "restore_changed"))}}
"""Steps that are told as a part of another: where nothing, or a hundred records, differ."""
OTHER_NAMES = {"sqlite_utils": "sqlite-utils insert", "calamine": "calamine, reading",
               "django_dumpdata": "dumpdata (Django)", "django_loaddata": "loaddata (Django)"}
BESIDE = (("backup", "reference"), ("backup", "reference_stream"), ("backup", "restic"), ("backup", "borg"),
          ("backup", "django_dumpdata"), ("backup_again", "restic_again"), ("backup_again", "borg_again"),
          ("backup_changed", "restic_changed"), ("backup_changed", "borg_changed"),
          ("restore_emptied", "reference_restore"), ("restore_emptied", "django_loaddata"),
          ("import_csv", "sqlite_utils"), ("import_xlsx", "calamine"))
"""Steps that are told as a multiple of a reference."""
TARGETS = {("sqlite", "reference"): 1.2, ("postgresql", "reference"): 0.4, ("postgresql", "reference_stream"): 0.7,
           ("sqlite", "reference_restore"): 1.2, ("postgresql", "reference_restore"): 0.8, ("sqlite", "sqlite_utils"): 0.5}


def main() -> None:
    """Run, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    parser.add_argument("--fields", choices=["plain", "all"], default="plain",
                        help="Twelve plain ones, or twenty of all kinds, with links and files.")
    parser.add_argument("--others", action="store_true", help="Also restic and borg, Django's dumpdata and loaddata, and imports.")
    parser.add_argument("--only", nargs="+", metavar="STEP", help="Nothing but these steps, and what has to be done before them.")
    parser.add_argument("--chart", metavar="FILE", help="Draw the times as an SVG.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = [measured(engine, records, asked) for engine in asked.engine for records in asked.records]
    if asked.chart:
        Path(asked.chart).write_text(drawn(results))
    if asked.json:
        print(json.dumps({"results": results}))
    else:
        for result in results:
            print("\n".join(table(result)))


def wanted(steps: Sequence[str], engine: str, *, others: bool) -> list[str]:
    """Return those of the steps that are asked for and can be done."""
    return [one for one in steps if not one.startswith(OTHERS) or (
        others and is_there(one) and (engine == "sqlite" or not one.startswith(ON_SQLITE)))]


def is_there(step: str) -> bool:
    """Say whether what a step needs is installed."""
    return all(found() for name, found in NEEDS.items() if step.startswith(name))


def measured(engine: str, records: int, asked: argparse.Namespace) -> dict[str, Any]:
    """Return medians of some rounds on one engine and size."""
    kinds, repeat = asked.fields, asked.repeat
    backing_up, restoring = ([one for one in wanted(steps, engine, others=asked.others or bool(asked.only))
                              if not asked.only or one in asked.only] for steps in (BACKUPS, RESTORES))
    folder = Path(tempfile.mkdtemp(prefix="appkeep-bench-"))
    try:
        with database(engine) as url:
            environment = {**os.environ, "APPKEEP_HOME": str(folder / "home"), "APPKEEP_DATABASE_URL": url,
                           "APPKEEP_BACKUP_INTERVAL_S": "0"}
            step("fill", environment, str(records), kinds)
            # All backups come first: a restore writes the table anew, in another order on the disk.
            backups = [one_round(environment, backing_up, records) for _ in range(repeat)]
            rounds = [before | one_round(environment, restoring, records) for before in backups]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = {"engine": engine, "records": records, "fields": kinds, "rounds": repeat}
    for name in (steps := [*backing_up, *restoring]):
        found[f"{name}_s"] = round(statistics.median(r[name]["seconds"] for r in rounds), 3)
        found[f"{name}_peak_mb"] = round(max(r[name]["peak_bytes"] for r in rounds) / 1e6, 1)
        found[f"{name}_stored_mb"] = round(statistics.median(r[name]["stored_bytes"] for r in rounds) / 1e6, 2)
    for step_, reference in [pair for pair in BESIDE if set(pair) <= set(steps)]:
        found[f"{step_}_of_{reference}"] = round(statistics.median(r[step_]["seconds"] / r[reference]["seconds"] for r in rounds), 2)
    for part, whole in ((part, whole) for part, whole in WITHIN.items() if {part, whole} <= set(steps)):
        found[f"{part}_part"] = round(statistics.median(r[part]["seconds"] / r[whole]["seconds"] for r in rounds), 3)
    return found


def one_round(environment: dict[str, str], steps: Sequence[str], records: int) -> dict[str, Any]:
    """Return each step's seconds and peak memory; before backups the store is emptied, so that they store everything."""
    if "backup" in steps:
        step("forget", environment)
    found = {}
    for name in steps:
        for before in BEFORE.get(name, ()):
            step(before, environment, *([str(records)] if before.endswith("_written") else []))
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
    called, engine = {**NAMES[result["engine"]], **OTHER_NAMES}, result["engine"]
    for name in [one for one in (*BACKUPS, *RESTORES) if f"{one}_s" in result]:
        title = called.get(name, name.replace("_", " "))
        stored = f"   stored {result[f'{name}_stored_mb']:8.2f} MB" if name in BACKUPS and name not in called else ""
        yield f"  {title:27} {result[f'{name}_s']:8.2f} s   peak {result[f'{name}_peak_mb']:7.1f} MB{stored}"
    yield from (f"  {part.replace('_', ' ')} takes {100 * result[f'{part}_part']:.1f} % of {whole.replace('_', ' ')}"
                for part, whole in WITHIN.items() if f"{part}_part" in result)
    for step_, reference in [pair for pair in BESIDE if f"{pair[0]}_of_{pair[1]}" in result]:
        most = TARGETS.get((engine, reference))
        more = f" (wanted: at most {most})" if most else ""
        other = called.get(reference, reference.replace("_", " "))
        yield f"  {step_.replace('_', ' ')} / {other}: {result[f'{step_}_of_{reference}']}{more}"


main()
