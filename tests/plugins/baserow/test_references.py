"""Apps that come from elsewhere, damaged in every way and restored: each reference of the backup is accounted for.

The small export of these tests and the sample app always; real exports where APPKEEP_TEST_BASEROW names their folder, with a table
of what became of their references (`-s` shows it). APPKEEP_TEST_BASEROW_LIMIT_S leaves the rest of an app's rounds out once
so many seconds have passed.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask import Flask

from core.api import apps, direct, transaction
from core.imports.apply import import_file
from tests import damage
from tests.conftest import made_organization
from tests.plugins.baserow.exports import CONTENT, FILE_NAME, full_export, write
from tests.plugins.worksheets.accountant import Account
from tests.plugins.worksheets.referring import restored

FOLDER = os.environ.get("APPKEEP_TEST_BASEROW")
LIMIT_S = float(os.environ.get("APPKEEP_TEST_BASEROW_LIMIT_S", "1e9"))
ROUNDS: tuple[tuple[str, ...], ...] = (
    ("delete_records", "purge_records", "empty_values"), ("remove_choices", "retype_fields", "retarget_links"),
    ("hide_fields", "purge_fields", "purge_records"), ("purge_worksheet", "hide_worksheet"), tuple(act.__name__ for act in damage.ACTS))
"""Which kinds of damage are done together; after each the data is restored, and then all."""


def account_for(app_id: str, name: str, given: Sequence[tuple[str, ...]] = ROUNDS) -> list[Account]:
    """Back an app up, and damage and restore it over and over; return the accounts, and print what they come to."""
    acts = {act.__name__: act for act in damage.ACTS}
    backup, accounts, begun, rounds = direct.back_up(apps.find(app_id)).id, [], time.monotonic(), 0
    for number, names in enumerate(given):
        if time.monotonic() - begun > LIMIT_S:
            break
        for act in names:
            with transaction():
                acts[act](apps.find(app_id), random.Random(number))
        for config in (False, True):
            accounts.append(restored(app_id, backup, config=config)[0])
        rounds += 1
    print_table(name, accounts, rounds, time.monotonic() - begun)
    return accounts


def print_table(name: str, accounts: list[Account], rounds: int, seconds: float) -> None:
    """Print what became of an app's references, over all restores."""
    print(f"\n{name}: {rounds} rounds, {accounts[0].total} references, {seconds:.1f} s")
    for way, some in (("data", accounts[::2]), ("configuration and data", accounts[1::2])):
        outcomes = sum((one.outcomes for one in some), start=accounts[0].outcomes - accounts[0].outcomes)
        print(f"  {way}: {outcomes.total()} looked at, {sum(len(one.wrong) for one in some)} unaccounted for")
        for outcome, count in outcomes.most_common():
            print(f"    {count:>8} {outcome}")


@pytest.fixture
def often(sqlite_server: Flask) -> None:
    """Backups may follow each other at once."""
    sqlite_server.extensions["appkeep"].config.values["backup_interval_s"] = 0


@pytest.mark.usefixtures("often")
def test_small_apps_are_accounted_for(tmp_path: Path) -> None:
    """An export with a field of nearly every type, and the sample app."""
    path = write(tmp_path, full_export(), {FILE_NAME: CONTENT})
    for source, importer in ((path, "baserow"), (Path("sample"), "sample")):
        with made_organization(f"Small {importer}") as organization:
            app = import_file(source, organization, "system", importer=importer)["app"]
            assert [] == [wrong for one in account_for(app, importer, ROUNDS[1:4]) for wrong in one.wrong]


@pytest.mark.usefixtures("often")
@pytest.mark.skipif(FOLDER is None, reason="APPKEEP_TEST_BASEROW names no folder of real exports")
@pytest.mark.parametrize("path", sorted(Path(FOLDER or "/nonexistent").glob("*.json")), ids=lambda path: path.stem)
def test_real_apps_are_accounted_for(path: Path) -> None:
    """Of an app that people made, no reference is dropped in silence, whatever happened to what it points to."""
    with made_organization("Real") as organization:
        app = import_file(path, organization, "system", importer="baserow")["app"]
        assert [] == [wrong for one in account_for(app, path.stem) for wrong in one.wrong]
