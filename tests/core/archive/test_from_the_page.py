"""What is written from docs/format.md alone: the appendix' reader proves and exports, a writer's file is taken and restored."""

from __future__ import annotations

import importlib.util
import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from backports import zstd

from core.api import App, apps, direct, documents
from core.backups import ingest
from plugins.worksheets import service
from tests.core.archive import page_writer

DOCS = Path(__file__).parents[3] / "docs"
GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.appkeep.zip"))


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    """The appendix, loaded as a program of its own."""
    spec = importlib.util.spec_from_file_location("appendix", DOCS / "reader.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_writer_s_file_is_taken_restored_and_named_the_same(app: App, reader: ModuleType, tmp_path: Path) -> None:
    """Two worksheets, a link, a choice and a page; the state has the name that the file gives it."""
    data = page_writer.example()
    (tmp_path / "shop.appkeep").write_bytes(data)
    proven = reader.export(reader.Reader(tmp_path / "shop.appkeep"), tmp_path / "out")
    uploaded = ingest.upload(io.BytesIO(data), app, "system")
    assert proven["content_id"] == uploaded.content_id and (4, 4) == (proven["documents"], proven["records"])
    direct.restore(apps.find(app.id), uploaded, accept_origin=True)
    rows = {row.seq: service.loads(row.vals) for row in service.all_rows(apps.find(app.id), "w_2222222222")}
    assert {5: {"f_2111111111": [1], "f_3111111111": "o_1111111111", "f_4111111111": "12.50"},
            300: {"f_2111111111": [1, 2], "f_3111111111": "o_2222222222"}} == rows
    assert "Start" == documents.get(apps.find(app.id), "page/p_1111111111").body["name"]
    direct.check(direct.back_up(apps.find(app.id)), deep=True)


@pytest.mark.parametrize("path", [*GOLDEN, DOCS / "sample.appkeep"], ids=lambda path: path.name)
def test_the_reader_proves_what_there_is(path: Path, reader: ModuleType, tmp_path: Path) -> None:
    """The golden files and the sample of the page: what it counts is what the strict reader counts."""
    found = reader.export(reader.Reader(path), tmp_path)
    manifest: Any = reader.Reader(path).manifest
    counted = [part for entry in manifest["content"]["components"].values() for part in entry.values() if isinstance(part, dict)]
    assert sum(one.get("records", 0) for one in counted) == found["records"]
    assert sum(one.get("documents", 0) for one in counted) == found["documents"] == sum(
        path.read_text().count("\n") for path in tmp_path.rglob("documents-0.jsonl"))


def test_the_reader_s_program_says_what_is_in_the_sample(tmp_path: Path) -> None:
    """As the page shows it."""
    ended = subprocess.run([sys.executable, str(DOCS / "reader.py"), str(DOCS / "sample.appkeep"), str(tmp_path / "out")],
                           capture_output=True, text=True, check=True)
    said, page = json.loads(ended.stdout), (DOCS / "format.md").read_text()
    assert said["content_id"] in page and f"{(DOCS / 'sample.appkeep').stat().st_size:,} bytes" in page


def test_the_reader_refuses_a_flipped_bit(reader: ModuleType, tmp_path: Path) -> None:
    """Wherever it is; but for the signature, at which it does not look."""
    whole, taken = (DOCS / "sample.appkeep").read_bytes(), []
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 4
        (tmp_path / "bad").write_bytes(data)
        try:
            reader.export(reader.Reader(tmp_path / "bad"), None)
        except (reader.Unsound, KeyError, TypeError, ValueError, struct.error, zstd.ZstdError):
            continue
        taken.append(place)
    start = whole.index(b'{"algorithm"')
    assert all(start <= place < whole.index(b"PK", start) for place in taken), taken
