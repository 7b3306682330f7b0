"""A backup file opens with tools that everybody has, and with a reader written from docs/format.md alone."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.archive.reader import read
from tests.core.archive.making import PAGE, RECORD, Making, lines, sections

RECORDS = [{**RECORD, "seq": seq} for seq in (0, 1, 255, 256)]
FIELDS = {"fields": {"f_1111111111": {"options": {}, "type": "text"}}, "worksheet": "w_1111111111"}
SHEET = {"body": {"fields": []}, "key": "w_1111111111", "kind": "worksheet", "position": 0}


def full() -> Making:
    """Return a file with both parts of two components, two segments of one worksheet, and a file in two places."""
    logo, note = sorted((b"\x89PNG", b"a note"), key=lambda raw: hashlib.sha256(raw).hexdigest())
    return sections(Making(), {
        ("pages", "config"): {"documents": [(0, lines(PAGE))], "files": [(0, b"\x89PNG")]},
        ("worksheets", "config"): {"documents": [(0, lines(SHEET))]},
        ("worksheets", "data"): {"fields": [(0, lines(FIELDS))], "files": [(0, logo), (1, note)],
                                 "records/w_1111111111": [(0, lines(*RECORDS[:3])), (1, lines(RECORDS[3]))]},
    })


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A backup file on disk."""
    found = tmp_path / "backup.zip"
    found.write_bytes(full().bytes())
    return found


def found_or_skipped(command: str) -> str:
    """Return where a command is; the test is skipped, and says so, where the machine does not have it."""
    where = shutil.which(command)
    if where is None:
        pytest.skip(f"NOT TESTED: the command “{command}” is not installed here")
    return where


def test_unzip_finds_nothing_wrong(path: Path) -> None:
    """Info-ZIP reads every member and its CRC-32, and gives no warning."""
    done = subprocess.run([found_or_skipped("unzip"), "-t", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No errors detected" in done.stdout


def test_unzip_and_zstd_give_what_was_put_in(path: Path, tmp_path: Path) -> None:
    """The two commands that a person without Appkeep would type."""
    unzip, command = found_or_skipped("unzip"), found_or_skipped("zstd")
    subprocess.run([unzip, "-q", str(path), "-d", str(tmp_path / "out")], check=True)
    packed = sorted((tmp_path / "out" / "objects").iterdir())
    for one in packed:
        raw = subprocess.run([command, "-d", "-c", str(one)], check=True, capture_output=True).stdout
        assert one.name == f"{hashlib.sha256(raw).hexdigest()}.zst"
    assert len(packed) == len(full().objects) + 1


def test_the_standard_library_sees_plain_members_only(path: Path) -> None:
    """Stored, no flags, no extra fields, no comments, one date: nothing that a tool could read otherwise."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.comment == b""
        for info in archive.infolist():
            assert (info.compress_type, info.flag_bits, info.extra, info.comment) == (zipfile.ZIP_STORED, 0, b"", b"")
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.file_size == info.compress_size


class Stranger:
    """A reader that knows docs/format.md and nothing of Appkeep's code."""

    def __init__(self, source: io.BytesIO) -> None:
        self.zip = zipfile.ZipFile(source)
        manifest = self.zip.read("manifest.json")
        seal = json.loads(self.zip.read("manifest.sig"))
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal["key"])).verify(
            bytes.fromhex(seal["signature"]), b"appkeep-backup-v1\x00" + manifest)
        self.manifest = json.loads(manifest)
        assert self.manifest["format"] == "appkeep-backup" and self.manifest["version"] == [1, 0]
        assert self.manifest["requires"] == []
        layout = self.manifest["objects"]["layout"]
        self.descriptors = {layout["content"]: layout}
        self.order = self.json_lines(layout["content"])
        self.descriptors |= {d["content"]: d for d in self.order}

    def object(self, content: str) -> bytes:
        """Return an object, with each promise of its descriptor checked."""
        found = self.descriptors[content]
        stored = self.zip.read(f"objects/{content}.zst")
        assert hashlib.sha256(stored).hexdigest() == found["stored"]
        assert (len(stored), zlib.crc32(stored)) == (found["size"], found["crc32"])
        raw = zstd.decompress(stored)
        assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (content, found["raw"])
        return raw

    def json_lines(self, content: str) -> list[Any]:
        """Return the values of an object's lines."""
        *found, last = self.object(content).split(b"\n")
        assert last == b""
        return [json.loads(line) for line in found]

    def indexes(self) -> list[tuple[str, str, list[Any]]]:
        """Return (component, part, lines) in the order of the format."""
        components = self.manifest["content"]["components"]
        return [(name, part, self.json_lines(components[name][part]["index"]))
                for name in sorted(components) for part in ("config", "data") if part in components[name]]

    def section(self, component: str, part: str, section: str) -> list[Any]:
        """Return all values of one section."""
        return [value for name, where, index in self.indexes() if (name, where) == (component, part)
                for line in index if line["section"] == section for value in self.json_lines(line["content"])]

    def files(self) -> set[bytes]:
        """Return the contents of all files."""
        return {self.object(line["content"]) for _, _, index in self.indexes() for line in index
                if line["section"] == "files"}


@pytest.fixture
def stranger() -> Stranger:
    """The same file, opened by somebody else."""
    return Stranger(io.BytesIO(full().bytes()))


def test_a_stranger_finds_documents_records_and_files(stranger: Stranger) -> None:
    """What was put in comes out, through the page's words only."""
    assert stranger.section("pages", "config", "documents") == [PAGE]
    assert stranger.section("worksheets", "config", "documents") == [SHEET]
    assert stranger.section("worksheets", "data", "records/w_1111111111") == RECORDS
    assert stranger.section("worksheets", "data", "fields") == [FIELDS]
    assert stranger.files() == {b"\x89PNG", b"a note"}


def test_a_stranger_counts_what_the_manifest_counts(stranger: Stranger) -> None:
    """The counts in the manifest follow from the indexes, and the totals from the layout."""
    for name, part, index in stranger.indexes():
        entry = stranger.manifest["content"]["components"][name][part]
        assert entry["files"] == sum(line["section"] == "files" for line in index)
        key, prefix = ("documents", "documents") if part == "config" else ("records", "records/")
        assert entry[key] == sum(line["count"] for line in index if line["section"].startswith(prefix))
        assert [(x["section"], x["n"]) for x in index] == sorted((x["section"], x["n"]) for x in index)
    totals = {"count": len(stranger.order), "layout": stranger.manifest["objects"]["layout"],
              "raw": sum(d["raw"] for d in stranger.order), "size": sum(d["size"] for d in stranger.order)}
    assert stranger.manifest["objects"] == totals


def test_a_stranger_finds_the_objects_in_the_order_of_the_page(stranger: Stranger) -> None:
    """Indexes first, then what they list, each once; the members follow the layout."""
    components = stranger.manifest["content"]["components"]
    wanted = [components[name][part]["index"] for name, part, _ in stranger.indexes()]
    wanted += [line["content"] for _, _, index in stranger.indexes() for line in index]
    wanted = list(dict.fromkeys(wanted))
    assert [d["content"] for d in stranger.order] == wanted
    layout = stranger.manifest["objects"]["layout"]["content"]
    names = ["manifest.json", "manifest.sig", *(f"objects/{content}.zst" for content in [layout, *wanted])]
    assert stranger.zip.namelist() == names


def test_a_stranger_computes_the_same_content_id(stranger: Stranger) -> None:
    """Python's own JSON writes this content canonically: its names are ASCII and its numbers whole."""
    def digest(value: Any) -> str:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    content = read(io.BytesIO(full().bytes())).manifest.content
    assert digest(stranger.manifest["content"]) == content.content_id
    config = {"components": {name: {k: v for k, v in entry.items() if k != "data"}
                             for name, entry in stranger.manifest["content"]["components"].items()
                             if "config" in entry}}
    assert digest(config) == content.part("config").content_id
