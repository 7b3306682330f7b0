"""Package: the zip around a workbook, looked through before anything in it is parsed."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path

from core.api import ImportFailed
from plugins.tabular.table import Tell

MAX_ENTRIES = 20_000
MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_PART_BYTES = 64 * 1024**2
MAX_TEXTS_BYTES = 256 * 1024**2
FREE_BYTES = 32 * 1024**2
MAX_RATIO = 300
CHUNK_BYTES = 1024 * 1024
OVERLAP_BYTES = 512
ENCODINGS = (b"utf-8", b"us-ascii", b"iso-8859-1")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_FOUND = re.compile(rb"<!DOCTYPE|<!ENTITY|<(?:\w+:)?f[ >/]|<(?:\w+:)?mergeCell |"
                    rb"(?:</f>|<f/>|<f [^>]{0,200}/>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
LEFT_BEHIND = (
    ("xl/media/", "images", "there is no counterpart for pictures in sheets"),
    ("xl/charts/", "charts", "there is no counterpart; its data is imported"),
    ("xl/chartsheets/", "charts", "there is no counterpart; its data is imported"),
    ("xl/comments", "comments", "comments of cells are not brought along"),
    ("xl/threadedComments/", "comments", "comments of cells are not brought along"),
    ("xl/pivotTables/", "pivot tables", "what they show comes as values"),
    ("xl/externalLinks/", "links to other workbooks", "their last values are kept"),
    ("xl/vbaProject", "macros", "programs are never brought along"),
)


def is_workbook(path: Path) -> bool:
    """Say whether a file is a zip with a workbook in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.NameToInfo
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def check_package(path: Path, tell: Tell) -> None:
    """Refuse a workbook that is damaged or made to hurt, and note what of it cannot come along.

    Raises:
        ImportFailed: it is no sound workbook, unpacks to too much, or holds definitions of entities.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.NameToInfo:
                raise ImportFailed(f"{path.name} is no Excel workbook (.xlsx): it has no xl/workbook.xml.")
            _check_sizes(path, archive)
            counts = Counter[str]()
            for info in archive.infolist():
                if info.filename.endswith((".xml", ".rels", ".vml")):
                    counts.update(_look(path, archive, info))
            _note(path, archive, counts, tell)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise ImportFailed(f"{path.name} is no sound Excel workbook (.xlsx): {error}") from error


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    infos = archive.infolist()
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > MAX_ENTRIES or unpacked > MAX_UNPACKED_BYTES:
        raise ImportFailed(f"{path.name} unpacks to {unpacked} bytes in {len(infos)} parts; that is too much.")
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * path.stat().st_size:
        raise ImportFailed(f"{path.name} unpacks to {unpacked} bytes, more than {MAX_RATIO} times its size; no workbook does.")
    for info in infos:
        most = _most_bytes(info.filename)
        if info.file_size > most:
            raise ImportFailed(f"{path.name}: its part {info.filename[:100]} has {info.file_size} bytes; at most {most} are read.")


def _most_bytes(name: str) -> int:
    if name.startswith(("xl/worksheets/", "xl/media/", "xl/embeddings/")):
        return MAX_UNPACKED_BYTES
    return MAX_TEXTS_BYTES if name.lower().endswith("sharedstrings.xml") else MAX_PART_BYTES


def _look(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Counter[str]:
    """Return how many formulas and merged cells an XML part has, without parsing it."""
    counts: Counter[str] = Counter()
    with archive.open(info) as stream:
        before = b""
        while chunk := stream.read(CHUNK_BYTES):
            if not before:
                _check_encoding(path, info, chunk)
            whole = before + chunk
            # A match that begins in the last bytes may go on in the next chunk, and is counted there.
            edge = len(whole) - OVERLAP_BYTES if len(chunk) == CHUNK_BYTES else len(whole)
            counts.update(_named(path, info, found[0]) for found in _FOUND.finditer(whole) if found.start() < edge)
            before = whole[edge:]
    return counts


def _check_encoding(path: Path, info: zipfile.ZipInfo, start: bytes) -> None:
    declared = _DECLARED.match(start.removeprefix(b"\xef\xbb\xbf"))
    if b"\0" in start[:200] or (declared and declared[1].lower() not in ENCODINGS):
        raise ImportFailed(f"{path.name}: its part {info.filename[:100]} is not in UTF-8, as all workbooks are.")


def _named(path: Path, info: zipfile.ZipInfo, found: bytes) -> str:
    if found.startswith(b"<!"):
        raise ImportFailed(f"{path.name}: its part {info.filename[:100]} defines entities, which no workbook does.")
    if b"mergeCell" in found:
        return "merged"
    return "unknown" if found.endswith(b"</c>") else "formula"


def _note(path: Path, archive: zipfile.ZipFile, counts: Counter[str], tell: Tell) -> None:
    if counts["formula"]:
        tell("formulas", path.name, f"{counts['formula']} formulas came as their values")
    if counts["unknown"]:
        tell("formulas", path.name, f"{counts['unknown']} formulas had no value in the file and are empty; "
                                    "open and save it in a spreadsheet program to give them one")
    if counts["merged"]:
        tell("merged cells", path.name, f"{counts['merged']} merged areas have their value in the first cell only")
    for what, reason in dict.fromkeys((what, reason) for prefix, what, reason in LEFT_BEHIND
                                      if any(name.startswith(prefix) for name in archive.namelist())):
        tell(what, path.name, reason)
