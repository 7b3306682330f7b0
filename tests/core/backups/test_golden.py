"""Golden files: backups that earlier versions wrote. They never change, and what they mean never does.

`tests/golden` has the sample app as it was written on 2026-11-27, before the rooms of the core were moved: its configuration is a file of
format 1.0, its data and the two together are of 1.1.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from core.api import App, apps, direct, documents
from core.backups import ingest

FOLDER = Path(__file__).parents[2] / "golden"
GOLDEN = {
    "config": ("24dba16f0be4cc4e4c92bcb7e2cbfe6e055a1b131ddd8ad93550abe30639c987", "bc047204e8c54fe7eec41f37b406c663a036aa088fa100fb008292f2862e26d6"),
    "data": ("113909c81a879edb5ec1d6914b5783658c78f591f9d7ef590e8225a37484a05a", "6003e42a485c693f64e2adaf15264f41cfba797f598a3bb408b65ee30ccc937b"),
    "both": ("e583a8f15ddde0a020c86136aa8b2db0472ac726080e556fc77dc703d9fd73a4", "b64fae83fec63d18b3cd33320cae0e53792bd28dc936ef5e73585ae1a40fe7bc"),
}
"""The digest of each file, and the `content_id` of what it holds."""


def content(part: str) -> bytes:
    """Return a golden file."""
    return (FOLDER / f"sample-{part}.appkeep.zip").read_bytes()


@pytest.mark.parametrize("part", GOLDEN)
def test_a_golden_file_is_what_it_was_and_means_what_it_meant(sqlite_server: Flask, part: str) -> None:
    """Byte for byte; proven whole by today's reader, under the name that its state had."""
    digest, content_id = GOLDEN[part]
    found = ingest.inspect(io.BytesIO(content(part)))
    assert (digest, content_id, part) == (hashlib.sha256(content(part)).hexdigest(), found["content_id"], found["part"])


def test_a_golden_state_comes_back_and_goes_out_again(app: App) -> None:
    """On both databases: restored, the app has the state's name; a new backup of it, as a file, has it too."""
    backup = ingest.upload(io.BytesIO(content("both")), apps.find(app.id), "system")
    direct.restore(apps.find(app.id), backup, accept_origin=True)
    assert GOLDEN["both"][1] == direct.content_id(apps.find(app.id))
    assert GOLDEN["config"][1] == direct.content_id(apps.find(app.id), data=False)
    again = direct.back_up(apps.find(app.id))
    assert GOLDEN["both"][1] == again.content_id == ingest.inspect(io.BytesIO(direct.file_of(again)))["content_id"]


def test_a_golden_file_goes_out_with_the_objects_it_came_with(app: App) -> None:
    """The uploaded backup, downloaded, has the same objects byte for byte; only what names this server differs."""
    backup = ingest.upload(io.BytesIO(content("both")), apps.find(app.id), "system")
    sent = direct.file_of(backup)
    assert objects(content("both")) == objects(sent) and len(objects(sent)) > 20


def objects(file: bytes) -> dict[str, bytes]:
    """Return the objects of a backup file by their names."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.startswith("objects/")}


def test_a_golden_configuration_becomes_an_app(app: App) -> None:
    """As a new app it has all of the worksheets, and its workflows are off."""
    backup = ingest.upload(io.BytesIO(content("config")), apps.find(app.id), "system")
    made = direct.restore_as_new(backup, name="Sample CRM")
    assert 6 == len(documents.live(made, "worksheet"))
    assert [False] * 3 == [document.body["enabled"] for document in documents.live(made, "workflow")]
