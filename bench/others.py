"""Other programs at what Appkeep does, over the same records: each a step of the benchmark, in a process of its own.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select, text

from bench.rows import TYPES, WORKSHEET, plain
from core.api import as_server, as_tenant, db
from core.imports.apply import import_file
from core.server import server
from tenants.models import Organization

ROW_SQL = "SELECT seq, vals, created_at, created_by, updated_at, updated_by FROM record WHERE worksheet = '" + WORKSHEET + "'"


def home() -> Path:
    """Return the folder of the benchmark."""
    return server().config.home_path


def files_of_database() -> list[str]:
    """Return SQLite's files: what a program that knows only files backs up."""
    return [str(path) for path in sorted(home().glob("appkeep.db*")) if not path.name.endswith("-shm")]


def restic_made() -> None:
    """Make an empty repository."""
    shutil.rmtree(home() / "restic", ignore_errors=True)
    _restic("init")


def restic() -> None:
    """Back the database's files up."""
    _restic("backup", *files_of_database())


def _restic(*arguments: str) -> None:
    environment = {**os.environ, "RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": str(home() / "restic"),
                   "RESTIC_CACHE_DIR": str(home() / "restic-cache")}
    subprocess.run(["restic", "-q", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)


def borg_made() -> None:
    """Make an empty repository."""
    shutil.rmtree(home() / "borg", ignore_errors=True)
    _borg("init", "-e", "none", str(home() / "borg"))


def borg() -> None:
    """Back the database's files up."""
    _borg("create", "--compression", "zstd,3", f"{home() / 'borg'}::{{now:%Y%m%d%H%M%S%f}}", *files_of_database())


def _borg(*arguments: str) -> None:
    environment = {**os.environ, "BORG_BASE_DIR": str(home()), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
    subprocess.run(["borg", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)


def django_made() -> None:
    """Copy the records into a table of Django's."""
    with as_server(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS bench_row"))
        connection.execute(text("CREATE TABLE bench_row (seq BIGINT PRIMARY KEY, vals TEXT, created_at BIGINT, created_by TEXT, "
                                "updated_at BIGINT, updated_by TEXT)"))
        connection.execute(text(f"INSERT INTO bench_row {ROW_SQL}"))


def django_dumpdata() -> None:
    """Write the rows with `dumpdata`."""
    _django("dumpdata", "bench", "--format", "jsonl", "-o", str(home() / "rows.jsonl"))


def django_emptied() -> None:
    """Empty the table."""
    with as_server(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM bench_row"))


def django_loaddata() -> None:
    """Bring the rows back with `loaddata`."""
    _django("loaddata", str(home() / "rows.jsonl"))


def _django(*arguments: str) -> None:
    environment = {**os.environ, "BENCH_DATABASE": db.engine.url.render_as_string(hide_password=False)}
    subprocess.run([sys.executable, "-m", "bench.django_rows", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)


def csv_written(count: str) -> None:
    """Write the records as a CSV of twelve columns."""
    with csv_path().open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"Field {n}" for n in range(1, len(TYPES) + 1)])
        writer.writerows(plain(n) for n in range(1, int(count) + 1))


def csv_path() -> Path:
    """Return where the CSV lies."""
    return home() / "rows.csv"


def import_csv() -> None:
    """Make an app of the CSV."""
    _import(csv_path())


def _import(path: Path) -> None:
    with as_server():
        organization = db.session.scalars(select(Organization.id)).one()
    with as_tenant(organization):
        import_file(path, organization, "system")


def xlsx_written(count: str) -> None:
    """Write the records as a workbook of twelve columns; a sheet has room for about a million."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    sheet.append([f"Field {n}" for n in range(1, len(TYPES) + 1)])
    for n in range(1, int(count) + 1):
        sheet.append(plain(n))
    book.save(xlsx_path())


def xlsx_path() -> Path:
    """Return where the workbook lies."""
    return home() / "rows.xlsx"


def import_xlsx() -> None:
    """Make an app of the workbook."""
    _import(xlsx_path())


def calamine() -> None:
    """Only read the workbook."""
    from python_calamine import CalamineWorkbook

    CalamineWorkbook.from_path(xlsx_path()).get_sheet_by_index(0).to_python()


def sqlite_utils() -> None:
    """Make a table of the CSV in a new file."""
    target = home() / "utils.db"
    subprocess.run([sys.executable, "-m", "sqlite_utils", "insert", str(target), "rows", str(csv_path()), "--csv", "--silent"],
                   check=True)
    target.unlink()
