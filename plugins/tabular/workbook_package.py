"""Package: the zip around a workbook; its parts are found by names in any case, and read as streams of bounded size."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from core.api import ImportFailed, check_ratio, open_zip
from plugins.tabular.table import Tell

MAX_ENTRIES = 20_000
MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_PART_BYTES = 64 * 1024**2
MAX_TEXTS_BYTES = 256 * 1024**2
CHUNK_BYTES = 64 * 1024
MAX_TAG_BYTES = 8 * 1024**2
MAX_NAMES = 20_000
MAX_DEPTH = 200
WORKBOOK = "xl/workbook.xml"
_LOCAL = re.compile(r".*:", re.DOTALL)
LEFT_BEHIND = (
    ("xl/media/", "images", "pictures in sheets are not imported"),
    ("xl/charts/", "charts", "charts are not imported; their data is"),
    ("xl/chartsheets/", "charts", "charts are not imported; their data is"),
    ("xl/comments", "comments", "cell comments are not imported"),
    ("xl/threadedcomments/", "comments", "cell comments are not imported"),
    ("xl/pivottables/", "pivot tables", "what they show comes as values"),
    ("xl/externallinks/", "links to other workbooks", "their last values are kept"),
    ("xl/vbaproject", "macros", "macros are never imported"),
)
Start = Callable[[str, dict[str, str]], None]


class Package:
    """The parts of an open workbook by their names, in small letters and with slashes."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self.archive = path, archive
        self.parts = parts_of(archive)

    def note(self, tell: Tell) -> None:
        """Tell what of the package cannot come along."""
        for what, reason in dict.fromkeys((what, reason) for prefix, what, reason in LEFT_BEHIND
                                          if any(name.startswith(prefix) for name in self.parts)):
            tell(what, self.path.name, reason)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a part's bytes."""
        with self.archive.open(self.parts[name]) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk

    def parse(self, name: str, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> Iterator[None]:
        """Parse an XML part, names without prefixes; yields after each chunk, so that its caller can take what was found.

        Raises:
            ImportFailed: it is not sound, defines entities, or is in an encoding that no workbook has.
        """
        parser = Parser(self, name, start, end, text)
        for chunk in self.chunks(name):
            parser.feed(chunk)
            yield
        parser.close()
        yield

    def relations(self, name: str) -> Mapping[str, tuple[str, str]]:
        """Return the relations of a part by their ids: (the last word of its type, target); parts as their names."""
        folder, _, last = name.rpartition("/")
        listed = f"{folder}/_rels/{last}.rels" if folder else f"_rels/{last}.rels"
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, given: dict[str, str]) -> None:
            if tag == "Relationship" and len(found) < MAX_ENTRIES * 10:
                target = given.get("Target", "")
                outside = given.get("TargetMode", "").lower() == "external"
                found[given.get("Id", "")] = given.get("Type", "").rpartition("/")[2], target if outside else _placed(folder, target)

        if listed in self.parts:
            for _ in self.parse(listed, start, _nothing, _nothing):
                pass
        return found

    def refuse(self, name: str, reason: str) -> NoReturn:
        """Refuse a part."""
        raise ImportFailed(f"{self.path.name}: its part {name[:100]} {reason}.")


class Parser:
    """Parses one XML part as it comes, see `Package.parse`."""

    def __init__(self, package: Package, name: str, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        self._package, self._name, self._depth, self._fed = package, name, 0, 0
        self._names: dict[str, str] = {}
        self._parser = expat.ParserCreate(intern=self._names)
        self._parser.buffer_text = True

        def started(tag: str, attributes: dict[str, str]) -> None:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                package.refuse(name, f"has more than {MAX_DEPTH} tags inside one another, which no workbook has")
            start(_LOCAL.sub("", tag) if ":" in tag else tag, attributes)

        def ended(tag: str) -> None:
            self._depth -= 1
            end(_LOCAL.sub("", tag) if ":" in tag else tag)

        self._parser.StartElementHandler, self._parser.EndElementHandler = started, ended
        self._parser.CharacterDataHandler = text
        self._parser.StartDoctypeDeclHandler = lambda *_: package.refuse(name, "defines entities, which no workbook does")

    def feed(self, chunk: bytes) -> None:
        """Parse some more."""
        self._parse(chunk, ended=False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > MAX_TAG_BYTES or len(self._names) > MAX_NAMES:
            self._package.refuse(self._name, f"has a tag of more than {MAX_TAG_BYTES} bytes, or more than {MAX_NAMES} kinds of tags; "
                                             "no workbook has")

    def close(self) -> None:
        """Parse what is left."""
        self._parse(b"", ended=True)

    def _parse(self, chunk: bytes, *, ended: bool) -> None:
        try:
            self._parser.Parse(chunk, ended)
        except expat.ExpatError as error:
            if error.code in (18, 19, 30, 31):
                self._package.refuse(self._name, "is not in UTF-8, as all workbooks are")
            self._package.refuse(self._name, f"is damaged: {error}")


def _nothing(*_: Any) -> None:
    """Take no notice."""


def _placed(folder: str, target: str) -> str:
    target = target.replace("\\", "/")
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"{folder}/{target}").lower()


def parts_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of a zip by their names as Excel compares them."""
    return {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in archive.infolist()}


def is_workbook(path: Path) -> bool:
    """Say whether a file is a zip with a workbook in it; one that is called so and made to hurt is, too, so that reading it says why."""
    try:
        with open_zip(path, MAX_ENTRIES) as archive:
            return WORKBOOK in parts_of(archive)
    except ImportFailed:
        return path.suffix.lower() == ".xlsx"
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return False


@contextmanager
def opened_package(path: Path) -> Iterator[Package]:
    """Give an open workbook, of which nothing has been unpacked yet.

    Raises:
        ImportFailed: it is none, is damaged, or unpacks to too much.
    """
    try:
        with open_zip(path, MAX_ENTRIES) as archive:
            if WORKBOOK not in parts_of(archive):
                raise ImportFailed(f"{path.name} is not an Excel workbook (.xlsx): it has no {WORKBOOK}.")
            check_sizes(path, archive)
            yield Package(path, archive)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise ImportFailed(f"{path.name} is not a valid Excel workbook (.xlsx): {error}") from error


def check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a zip that unpacks to too much.

    Raises:
        ImportFailed: with the figures.
    """
    infos = archive.infolist()
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MAX_UNPACKED_BYTES:
        raise ImportFailed(f"{path.name} unpacks to {unpacked} bytes in {len(infos)} parts; that is too much.")
    check_ratio(path, infos)
    for info in infos:
        most = _most_bytes(info.filename.lower().replace("\\", "/"))
        if info.file_size > most:
            raise ImportFailed(f"{path.name}: its part {info.filename[:100]} has {info.file_size} bytes; at most {most} are read.")


def _most_bytes(name: str) -> int:
    if name.startswith(("xl/worksheets/", "xl/media/", "xl/embeddings/")):
        return MAX_UNPACKED_BYTES
    return MAX_TEXTS_BYTES if name.endswith("sharedstrings.xml") else MAX_PART_BYTES
