"""Numbers that were given out are part of what a backup brings back: none is given to another record, in whichever app."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from flask import Flask

from core.api import App, Document, apps, direct, documents, transaction
from core.archive.errors import ArchiveDamaged
from core.archive.manifest import Manifest, read_counters
from core.archive.reader import read
from core.backups import export, ingest
from core.backups.catalog import find_backup
from core.backups.models import Backup
from plugins.worksheets import service

SHEET, TEXT, AUTO = "w_1111111111", "f_1111111111", "f_2222222222"


@pytest.fixture
def numbered(app: App) -> App:
    """An app whose third record was deleted for good."""
    with transaction():
        live = apps.find(app.id)
        documents.change(live, "system", put=[Document(kind="worksheet", key=SHEET, position=0, body={"name": "Invoices", "views": [], "fields": [
            {"key": TEXT, "type": "text", "name": "What", "options": {}}, {"key": AUTO, "type": "autonumber", "name": "No.", "options": {}}]})])
        for text in ("one", "two", "three"):
            service.put_record(live, SHEET, None, {TEXT: text}, "system")
        service.delete_record(live, SHEET, 3, "system")
        service.purge_record(live, SHEET, 3, "system")
    return apps.find(app.id)


def next_numbers(app: App) -> tuple[int, int]:
    """Return the number of one more record, and its auto-number."""
    with transaction():
        seq = service.put_record(apps.find(app.id), SHEET, None, {TEXT: "next"}, "system")
    return seq, json.loads(next(row.vals for row in service.all_rows(apps.find(app.id), SHEET) if row.seq == seq))[AUTO]


def other_app() -> App:
    """Return an empty app."""
    with transaction():
        return apps.create("Another", "system")


def as_file(backup: Backup, part: str) -> bytes:
    """Return a backup's file."""
    return b"".join(export.download(backup, part).chunks())


@pytest.mark.parametrize("by_file", [False, True], ids=["stored", "file"])
def test_no_number_comes_again_in_another_app(numbered: App, by_file: bool) -> None:
    """Neither a record's nor an auto-number, though whoever had it is in no backup."""
    backup, there = find_backup(direct.back_up(numbered).id), other_app()
    if by_file:
        backup = find_backup(ingest.upload(io.BytesIO(as_file(backup, "both")), there, "system").id)
    direct.restore(there, backup, accept_origin=True)
    assert direct.content_id(numbered) == direct.content_id(there)
    assert (4, 4) == next_numbers(there)


def test_a_restore_in_place_never_goes_back(numbered: App) -> None:
    """What was given since the backup stays given; the state is the backup's all the same."""
    backup = find_backup(direct.back_up(numbered).id)
    for _ in range(2):
        seq, _ = next_numbers(numbered)
        with transaction():
            service.delete_record(apps.find(numbered.id), SHEET, seq, "system")
            service.purge_record(apps.find(numbered.id), SHEET, seq, "system")
    direct.restore(apps.find(numbered.id), backup)
    assert backup.content_id == direct.content_id(numbered)
    assert (6, 6) == next_numbers(numbered)


def test_they_stand_beside_the_content_of_a_file_with_data(numbered: App, server: Flask) -> None:
    """As “counters” of version 1.1; a file of the configuration, and of an app that counts nothing, is of version 1.0."""
    numbers = {"worksheets": {SHEET: 3, f"{SHEET}/{AUTO}": 3}}
    backup = find_backup(direct.back_up(numbered).id)
    assert numbers == read(io.BytesIO(as_file(backup, "both"))).manifest.counters
    config = read(io.BytesIO(as_file(backup, "config"))).manifest
    assert ({}, [1, 0]) == (config.counters, json.loads(config.to_bytes())["version"])
    bare = find_backup(direct.back_up(other_app()).id)
    assert b'"version":[1,0]' in read(io.BytesIO(as_file(bare, "both"))).manifest.to_bytes()


def test_a_reader_of_another_minor_version_passes_over_what_it_does_not_know(numbered: App) -> None:
    """Names at the top that came later are no reason to refuse a file."""
    backup = find_backup(direct.back_up(numbered).id)
    told = json.loads(read(io.BytesIO(as_file(backup, "both"))).manifest.to_bytes())
    later = json.dumps({**told, "version": [1, 2], "zebra": 1}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert backup.content_id == Manifest.from_bytes(later).content.content_id


@pytest.mark.parametrize("counters", [
    [], {"worksheets": []}, {"worksheets": {"w_1": True}}, {"worksheets": {"w_1": -1}}, {"worksheets": {"w_1": 2**40 + 1}},
    {"worksheets": {"../w_1": 1}}, {"../": {"w_1": 1}}, {"worksheets": {"w_1": 1.5}}, {"worksheets": {"w_1": "1"}},
    {"worksheets": {f"w_{'1' * 10}/f_{'2' * 10}"[:14] + "x" * n: 1 for n in range(1, 20)} | {"w_1/f_1/f_2": 1}}])
def test_counters_in_another_form_are_refused(counters: Any) -> None:
    """Whatever a file says."""
    with pytest.raises(ArchiveDamaged, match="counters"):
        read_counters(counters)


def test_more_counters_than_anything_has_are_refused() -> None:
    """The bound is told."""
    with pytest.raises(ArchiveDamaged, match="more than 10000"):
        read_counters({"worksheets": {f"w_{'123456789ABCDEFG'[n % 16]}{n}".replace("0", "z"): 1 for n in range(20_000)}})
