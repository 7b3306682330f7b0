"""Manifest, indexes and layout: values become the same bytes everywhere, and foreign bytes become values or errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.archive.canonical import MAX_SAFE, canonical
from core.archive.errors import ArchiveDamaged, ArchiveNeedsNewer
from core.archive.manifest import (
    MAX_LIST_LINE_BYTES,
    ComponentEntry,
    Content,
    Descriptor,
    IndexLine,
    Manifest,
    PartEntry,
    index_bytes,
    layout_bytes,
    layout_lines,
    parse_index,
)
from tests.core.archive.making import lines, small

DIGEST = "ab" * 32
counts = st.integers(0, MAX_SAFE)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
descriptors = st.builds(Descriptor, content=digests, raw=counts, stored=digests, size=counts,
                        crc32=st.integers(0, 2**32 - 1))
BOTH = Content({
    "pages": ComponentEntry(1, config=PartEntry(DIGEST, 10, documents=3, files=1)),
    "portal": ComponentEntry(2, data=PartEntry("cd" * 32, 20, records=0)),
    "worksheets": ComponentEntry(1, PartEntry("ef" * 32, 30, documents=1), PartEntry("01" * 32, 40, records=9)),
})


def line(**changes: Any) -> dict[str, Any]:
    """Return a line of an index as JSON."""
    return {"content": DIGEST, "count": 2, "n": 0, "raw": 10, "section": "documents"} | changes


@given(st.lists(descriptors, max_size=5))
def test_a_layout_is_canonical_and_reads_back(found: list[Descriptor]) -> None:
    """Its lines are written by hand for speed, and are canonical JSON all the same."""
    assert layout_bytes(found) == lines(*(d.as_dict() for d in found)) == b"".join(d.line() for d in found)
    assert list(layout_lines(layout_bytes(found))) == found


def test_an_index_is_canonical_and_reads_back() -> None:
    """The longest names and numbers still fit a line."""
    section = "a" * 20 + "/w_" + "z" * 32
    found = [IndexLine(DIGEST, MAX_SAFE, MAX_SAFE, MAX_SAFE, section), IndexLine(DIGEST, 1, 0, 0, "files")]
    raw = index_bytes(found)
    assert raw == lines(*({name: getattr(x, name) for name in ("content", "count", "n", "raw", "section")} for x in found))
    assert parse_index(raw) == found
    assert max(map(len, raw.split(b"\n"))) < MAX_LIST_LINE_BYTES


@pytest.mark.parametrize("bad", [
    line(content="AB" * 32), line(content=DIGEST[1:]), line(content="sha1"), line(content=None), line(count=0),
    line(count=True), line(count=-1), line(count=1.5), line(count="1"), line(n=-1), line(n=None), line(raw=-1), line(raw=[]),
    line(section="Files"), line(section="documents/"), line(section=""), line(section="records/w_0"), line(section="files\n"),
    line(section=1), line(section="files"), line(more=1), {}, [], None, 1, "x",
    {k: v for k, v in line().items() if k != "raw"},
], ids=repr)
def test_an_index_line_of_another_form_is_refused(bad: Any) -> None:
    """HOSTILE 29 and 35: the message says which line."""
    good = line(section="a")
    with pytest.raises(ArchiveDamaged, match="line 2"):
        parse_index(lines(good, bad))


@pytest.mark.parametrize("raw", [b"\n", b"{}", b"x\n", lines(line())[:-1], lines(line()) + b"\n"], ids=repr)
def test_an_index_that_is_not_json_lines_is_refused(raw: bytes) -> None:
    """HOSTILE 38: one text a line, an end to each."""
    with pytest.raises(ArchiveDamaged, match="The index, line"):
        parse_index(raw)


def test_a_line_longer_than_lists_have_is_refused_unread() -> None:
    """HOSTILE 39: it would be parsed only to be refused."""
    with pytest.raises(ArchiveDamaged, match="longer than 512 bytes"):
        parse_index(lines("x" * MAX_LIST_LINE_BYTES))


def test_content_reads_back() -> None:
    """Parts that are not there have no entry."""
    assert Content.from_dict(BOTH.as_dict()) == BOTH
    assert [(name, part) for name, part, _ in BOTH.entries()] == [
        ("pages", "config"), ("portal", "data"), ("worksheets", "config"), ("worksheets", "data")]


def test_the_order_of_making_makes_no_difference() -> None:
    """The same state has the same content_id."""
    assert Content(dict(reversed(BOTH.components.items()))).content_id == BOTH.content_id


def test_a_part_of_both_is_the_backup_of_that_part() -> None:
    """A backup of the configuration alone has the content_id of the configuration in a backup of both."""
    config, data = BOTH.part("config"), BOTH.part("data")
    alone = Content({"pages": BOTH.components["pages"],
                     "worksheets": ComponentEntry(1, config=BOTH.components["worksheets"].config)})
    assert config.content_id == alone.content_id
    assert config.components.keys() == {"pages", "worksheets"} and data.components.keys() == {"portal", "worksheets"}
    assert BOTH.part("both") is BOTH
    assert len({config.content_id, data.content_id, BOTH.content_id}) == 3


def test_an_index_is_never_empty() -> None:
    """A part that holds nothing has no entry, so that one state has one content."""
    with pytest.raises(ArchiveDamaged, match="empty index"):
        Content.from_dict(Content({"pages": ComponentEntry(1, config=PartEntry(DIGEST, 0))}).as_dict())


def manifest(**changes: Any) -> bytes:
    """Return the bytes of a manifest with other values at the top."""
    import json

    found, _, _ = small().manifest()
    return canonical(json.loads(found.to_bytes()) | changes)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"1", b'"x"', b"{}", b"\xff", manifest()[:-1], manifest() + b"\n",
                                  manifest(version=[True, 0]), manifest(version="1.0"), manifest(version=[1, -1]),
                                  manifest(version=None), manifest(requires=[1]), manifest(requires=None),
                                  manifest(part=None), manifest(part=["both"]), manifest(objects=[]),
                                  manifest(envelope=None), manifest(content=None), manifest(other=1)],
                         ids=lambda data: repr(data[-40:]))
def test_a_manifest_of_another_form_is_refused(data: bytes) -> None:
    """HOSTILE 24, 34 and 35: whatever stands where, the error is the project's."""
    with pytest.raises(ArchiveDamaged):
        Manifest.from_bytes(data)


@pytest.mark.parametrize("changes", [{"version": [2, 0]}, {"version": [0, 9]}, {"requires": ["a", "b"]},
                                     {"version": [1, 3], "requires": ["a"], "new": 1},
                                     {"version": [2, 0], "content": 1, "new": 2}], ids=str)
def test_another_version_is_told_apart_from_damage(changes: dict[str, Any]) -> None:
    """HOSTILE 25: whatever else a newer manifest may hold."""
    with pytest.raises(ArchiveNeedsNewer):
        Manifest.from_bytes(manifest(**changes))


def test_a_minor_version_may_add_names_and_change_nothing_else() -> None:
    """HOSTILE 25: unknown names at the top are ignored, unknown forms are not."""
    assert Manifest.from_bytes(manifest(version=[1, 3], new=[1])) == Manifest.from_bytes(manifest())
    with pytest.raises(ArchiveDamaged):
        Manifest.from_bytes(manifest(version=[1, 3], new=[1], part="new"))
