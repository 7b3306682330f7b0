"""The strict reader: everything but the bytes that the writer writes is refused, with the project's own error."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.archive.canonical import canonical
from core.archive.compression import compress
from core.archive.errors import (
    ArchiveDamaged,
    ArchiveError,
    ArchiveNeedsNewer,
    ArchiveTooLarge,
    ArchiveUntrusted,
    NotAnArchive,
)
from core.archive.manifest import ComponentEntry, Descriptor, IndexLine, Manifest, PartEntry, index_bytes
from core.archive.reader import read, verify
from core.archive.signature import SigningKey
from core.base.errors import AppkeepError
from tests.core.archive.making import KEY, PAGE, RECORD, Making, checked, descriptor, lines, sections, small

RECORDS = "records/w_1111111111"


def test_what_was_written_is_read() -> None:
    """A sound file is accepted, with all it says."""
    archive = checked(small().bytes())
    assert KEY.public_hex == archive.signer
    assert archive.manifest.objects == 5
    assert small().content.content_id == archive.manifest.content.content_id


def test_every_flipped_bit_is_refused() -> None:
    """DESIGN 6: no bit of a file is without meaning. All of them with APPKEEP_TEST_DRAWS=search, else every second."""
    data = small().bytes()
    every = 1 if os.environ.get("APPKEEP_TEST_DRAWS") == "search" else 2
    accepted = [(place, bit) for place in range(len(data)) for bit in range(place % every, 8, every) if _accepted(_flipped(data, place, bit))]
    assert accepted == []


def test_every_truncation_is_refused() -> None:
    """HOSTILE 2."""
    data = small().bytes()
    assert [length for length in range(len(data)) if _accepted(data[:length])] == []


@pytest.mark.parametrize("inserted", [b"\0", b"x", b"PK\x03\x04", b"\n"])
def test_every_insertion_is_refused(inserted: bytes) -> None:
    """HOSTILE 3: wherever it is put, first and last included."""
    data = small().bytes()
    assert [place for place in range(len(data) + 1) if _accepted(data[:place] + inserted + data[place:])] == []


def test_every_splice_of_two_files_is_refused() -> None:
    """The head of one sound file and the tail of another, cut anywhere."""
    one, other = small().bytes(), _other().bytes()
    pieces = {one[:place] + other[place:] for place in range(0, len(one), 3)}
    pieces |= {one[:place] + one[place + 1:] for place in range(len(one))}
    pieces |= {one[:place] + one[place - 40:] for place in range(40, len(one), 7)}
    assert [len(piece) for piece in pieces - {one, other} if _accepted(piece)] == []


def _other() -> Making:
    return sections(Making(), {
        ("pages", "config"): {"documents": [(0, lines({**PAGE, "position": 1}))]},
        ("worksheets", "data"): {RECORDS: [(0, lines(RECORD))], "files": [(0, b"b file")]},
    })


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def _accepted(data: bytes) -> bool:
    """Say whether a file is accepted; any error but the project's own goes through."""
    try:
        checked(data)
    except AppkeepError:
        return False
    return True


@pytest.mark.parametrize("data", [b"", b"PK", b"hello" * 100, b"\x1f\x8b" + b"\0" * 500, b"PK\x03\x04" + b"\0" * 500])
def test_another_kind_of_file_is_told_so(data: bytes) -> None:
    """HOSTILE 1."""
    with pytest.raises(NotAnArchive) as refused:
        checked(data)
    assert refused.value.code == "not_an_archive"


def test_a_zip_that_a_tool_packed_again_is_refused() -> None:
    """HOSTILE 4 and 9: the same members, written by another program."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(small().bytes())) as given, zipfile.ZipFile(out, "w") as again:
        for name in given.namelist():
            again.writestr(name, given.read(name))
    with pytest.raises(ArchiveError):
        checked(out.getvalue())


def test_another_key_cannot_sign_for_the_first() -> None:
    """HOSTILE 26: the key stands beside the signature, so changing both is noticed as another signer, one as a fraud."""
    manifest = b"{}"
    stranger = SigningKey.new().sign(manifest)
    forged = stranger.replace(SigningKey.new().public_hex.encode(), KEY.public_hex.encode())
    assert stranger == forged
    mixed = canonical({"algorithm": "ed25519", "key": KEY.public_hex, "signature": "0" * 128})
    from core.archive.signature import check_signature

    with pytest.raises(ArchiveUntrusted):
        check_signature(mixed, manifest)


def _manifest(change: Any) -> bytes:
    """Return a small file whose manifest's JSON was changed before it was signed."""
    made = small()
    manifest, raw, stored = made.manifest()
    import json

    value = json.loads(manifest.to_bytes())
    change(value)
    return made.signed(canonical(value), manifest.layout, raw, stored)


@pytest.mark.parametrize("change", [
    lambda m: m.update(version=[2, 0]), lambda m: m.update(requires=["encryption"]),
], ids=["major", "requires"])
def test_a_newer_file_asks_for_a_newer_server(change: Any) -> None:
    """HOSTILE 25: told apart from damage, by code."""
    with pytest.raises(ArchiveNeedsNewer) as refused:
        checked(_manifest(change))
    assert refused.value.code == "needs_newer_version"


def test_an_unknown_minor_version_is_read_and_its_extras_are_ignored() -> None:
    """HOSTILE 25."""
    def newer(manifest: Any) -> None:
        manifest.update(version=[1, 7], hint="new")
        manifest["envelope"]["extra"] = 1

    assert checked(_manifest(newer)).manifest.objects == 5


@pytest.mark.parametrize("change", [
    lambda m: m.update(extra=1), lambda m: m.pop("part"), lambda m: m.update(part="everything"),
    lambda m: m.update(part="config"), lambda m: m.update(format="zip"), lambda m: m.update(version=[1]),
    lambda m: m.update(version=[1.5, 0]), lambda m: m.update(requires={}), lambda m: m["objects"].update(count=4),
    lambda m: m["objects"].update(count=-1), lambda m: m["objects"].update(count=True),
    lambda m: m["objects"].update(raw=1.5), lambda m: m["objects"].update(size=0),
    lambda m: m["objects"]["layout"].update(content="A" * 64), lambda m: m["objects"]["layout"].update(content="a" * 63),
    lambda m: m["objects"]["layout"].update(crc32=2**32), lambda m: m["objects"]["layout"].update(stored="0" * 64),
    lambda m: m["envelope"].update(type="other"), lambda m: m["envelope"].update(created_at="yesterday"),
    lambda m: m["envelope"].update(name=1), lambda m: m["envelope"].pop("app"), lambda m: m["envelope"].update(more="x"),
    lambda m: m["content"].update(components=[]), lambda m: m["content"]["components"].update({"Pages": {"version": 1}}),
    lambda m: m["content"]["components"]["pages"].update(version=0),
    lambda m: m["content"]["components"]["pages"].update(version=True),
    lambda m: m["content"]["components"]["pages"].update(other={}),
    lambda m: m["content"]["components"]["pages"]["config"].update(documents=2),
    lambda m: m["content"]["components"]["pages"]["config"].update(files=1),
    lambda m: m["content"]["components"]["pages"]["config"].update(raw=1),
    lambda m: m["content"]["components"]["worksheets"]["data"].update(records=2),
    lambda m: m["content"]["components"].pop("pages"),
])
def test_a_signed_manifest_that_contradicts_itself_is_refused(change: Any) -> None:
    """HOSTILE 27, 29, 34 and 35: a signature shields nothing."""
    with pytest.raises(ArchiveDamaged):
        checked(_manifest(change))


@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbf{}", b"{} ", b'{"a":1,"a":2}', b'{"format":NaN}', b"[" * 100_000, b"\xff", b"", b"{}",
])
def test_a_manifest_that_is_not_canonical_json_is_refused(data: bytes) -> None:
    """HOSTILE 24."""
    made = small()
    manifest, raw, stored = made.manifest()
    with pytest.raises(ArchiveDamaged):
        checked(made.signed(data, manifest.layout, raw, stored))


def _segment(raw: bytes, *, count: int | None = None, section: str = RECORDS, n: int = 0) -> bytes:
    """Return a validly signed file with one segment of records."""
    return _indexed([IndexLine(content=descriptor(raw).content, count=raw.count(b"\n") if count is None else count, n=n,
                               raw=len(raw), section=section)], [raw])


def _indexed(index: list[IndexLine], held: list[bytes], raw_index: bytes | None = None) -> bytes:
    made = sections(Making(), {("worksheets", "data"): {RECORDS: [(0, lines(RECORD))]}})
    raw = index_bytes(index) if raw_index is None else raw_index
    made.objects.clear()
    made.add(raw)
    for one in held:
        made.add(one)
    old = made.content.components["worksheets"]
    assert old.data is not None
    entry = replace(old.data, index=descriptor(raw).content, raw=len(raw),
                    records=sum(x.count for x in index if x.section.startswith("records/")),
                    files=sum(x.section == "files" for x in index))
    made.content.components["worksheets"] = replace(old, data=entry)
    return made.bytes()


@pytest.mark.parametrize("raw", [
    lines(RECORD)[:-1], lines(RECORD) + b"\n", b"\n" + lines(RECORD), lines(RECORD).replace(b"\n", b"\r\n"),
    lines(RECORD).replace(b'"x"', b' "x"'), b'{"seq":1,"at":[1,2]}\n', b'{"a":1e400}\n', b'{"a":-0}\n',
    b'{"a":9007199254740993}\n', b'{"a":"\\u0000"}\n', b'{"a":"\\ud800"}\n', b"[" * 2000 + b"]" * 2000 + b"\n",
], ids=["no end", "blank line", "blank first", "CRLF", "space", "order", "exponent", "minus zero", "large integer", "U+0000",
        "half a character", "deep"])
def test_a_line_that_is_not_canonical_is_refused(raw: bytes) -> None:
    """HOSTILE 38, 41 and 42; the lines are read even where nobody asks for them."""
    with pytest.raises(ArchiveDamaged):
        checked(_segment(raw, count=max(raw.count(b"\n"), 1)))


def test_a_sound_segment_passes_the_same_way() -> None:
    """The files of the test above are refused for their lines only."""
    checked(_segment(lines(RECORD)))


@pytest.mark.parametrize(("section", "n"), [("records/../etc", 0), ("Records", 0), ("records/w_0OIl", 0), ("x" * 30, 0)])
def test_a_section_of_another_form_is_refused(section: str, n: int) -> None:
    """HOSTILE 10: names have a grammar, and never become paths."""
    with pytest.raises(ArchiveDamaged):
        checked(_segment(lines(RECORD), section=section, n=n))


def _line(raw: bytes, section: str, n: int) -> IndexLine:
    return IndexLine(content=descriptor(raw).content, count=1, n=n, raw=len(raw), section=section)


def test_an_object_listed_as_two_things_is_refused() -> None:
    """HOSTILE 33: one digest as a segment and as a file, and an index that lists itself or the layout."""
    raw = lines(RECORD)
    with pytest.raises(ArchiveDamaged, match="two different things"):
        checked(_indexed([_line(raw, "files", 0), _line(raw, RECORDS, 0)], [raw]))


@pytest.mark.parametrize("index", [
    [_line(b"b\n", RECORDS, 1), _line(b"a\n", RECORDS, 0)], [_line(b"a\n", RECORDS, 0), _line(b"a\n", RECORDS, 0)],
    [_line(b"a\n", RECORDS, 0), _line(b"b\n", "files", 0)], [_line(b"a\n", "files", 1)],
    sorted([_line(b"a\n", "files", 0), _line(b"b\n", "files", 1)], key=lambda x: x.content, reverse=True),
])
def test_an_index_out_of_order_is_refused(index: list[IndexLine]) -> None:
    """HOSTILE 32 and 40."""
    with pytest.raises(ArchiveDamaged):
        checked(_indexed(index, [b"a\n", b"b\n"]))


def test_an_object_that_nobody_lists_is_refused() -> None:
    """HOSTILE 31."""
    made = small()
    made.add(b"hidden luggage")
    with pytest.raises(ArchiveDamaged, match="no index lists"):
        checked(made.bytes())


def test_an_object_that_is_not_in_the_file_is_refused() -> None:
    """HOSTILE 30: naming a digest is not having it."""
    made = small()
    del made.objects[-1]
    with pytest.raises(ArchiveDamaged):
        checked(made.bytes())


def test_an_object_listed_twice_in_the_layout_is_refused() -> None:
    """HOSTILE 7 and 32."""
    made = small()
    made.objects.append(made.objects[-1])
    with pytest.raises(ArchiveDamaged):
        checked(made.bytes())


def test_a_segment_that_is_used_twice_is_looked_at_twice() -> None:
    """The same bytes may stand in two worksheets, and mean something in each."""
    raw, seen = lines(RECORD), []
    data = _indexed([_line(raw, RECORDS, 0), _line(raw, "records/w_2222222222", 0)], [raw])
    archive = read(io.BytesIO(data))
    verify(archive, lambda use, values: seen.append((use.section, len(list(values)))))
    assert seen == [(RECORDS, 1), ("records/w_2222222222", 1)]


def test_another_order_of_objects_is_refused() -> None:
    """The container is a pure function of the manifest."""
    made = small()
    made.objects[-1], made.objects[-2] = made.objects[-2], made.objects[-1]
    with pytest.raises(ArchiveDamaged):
        checked(made.bytes())


@pytest.mark.parametrize("limits", [
    {"objects": 4}, {"layout_bytes": 100}, {"indexes_bytes": 100}, {"segment_bytes": 50}, {"line_bytes": 20},
    {"file_bytes": 5}, {"total_bytes": 100}, {"ratio_from_bytes": 10, "ratio": 0}, {"manifest_bytes": 100},
    {"signature_bytes": 10},
], ids=str)
def test_each_limit_refuses(limits: dict[str, int]) -> None:
    """HOSTILE 11, 22, 23 and 39."""
    with pytest.raises((ArchiveTooLarge, ArchiveDamaged)):
        checked(small().bytes(), **limits)


def test_segments_listed_again_and_again_are_refused() -> None:
    """A small file must not cost hours: repeats are bounded."""
    raw = lines(RECORD)
    index = [_line(raw, f"records/w_{n}", 0) for n in "123456789"]
    with pytest.raises(ArchiveTooLarge, match="again"):
        checked(_indexed(index, [raw]), repeated_bytes=-2000)


def test_a_file_that_many_components_list_is_no_repetition() -> None:
    """A file is looked at once however often it is listed: a logo may stand in every component."""
    parts = {(name, "config"): {"documents": [(0, lines(PAGE))], "files": [(0, b"logo" * 9000)]} for name in "abcdef"}
    checked(sections(Making(), parts).bytes(), repeated_bytes=1000)


def test_a_file_swapped_between_verifying_and_storing_is_noticed() -> None:
    """HOSTILE 56."""
    source = io.BytesIO(small().bytes())
    archive = read(source)
    verify(archive)
    place = archive.container.size - 700
    source.getbuffer()[place - 200:place] = b"\0" * 200
    for read_all in (lambda stream, size: stream.read(), lambda stream, size: stream.read(size)):
        with pytest.raises(ArchiveDamaged, match="changed"):
            for found, stream in archive.objects():
                read_all(stream, found.size)


def test_the_objects_come_out_as_they_went_in() -> None:
    """What is stored after verifying is what was verified."""
    made = small()
    archive = checked(made.bytes())
    assert [(d, data) for d, data in made.objects] == [(d, s.read()) for d, s in archive.objects()]


def test_ranges_are_cut_from_the_same_bytes() -> None:
    """DESIGN 6: any range of the file can be had without the rest."""
    made, whole = small(), small().bytes()
    manifest, raw, stored = made.manifest()
    from core.archive.container import Container

    held = {d.content: data for d, data in made.objects} | {manifest.layout.content: stored}
    container = Container(manifest.to_bytes(), KEY.sign(manifest.to_bytes()), manifest.layout, raw)
    assert len(whole) == container.size
    for start in range(0, len(whole), 61):
        for end in (start + 1, start + 97, len(whole), None):
            got = b"".join(container.chunks(lambda d: iter((held[d.content],)), start, end))
            assert whole[start:end] == got


def test_a_far_archive_uses_zip64_where_arithmetic_needs_it() -> None:
    """HOSTILE 6: beyond 4 GiB and 65,534 members, as docs/format.md says."""
    from core.archive.container import Member, ending

    near, far = Member("a", 1, 2).entry(2**32 - 2), Member("a", 1, 2).entry(2**32 - 1)
    assert (near[4], far[4]) == (20, 45)
    assert len(far) - len(near) == 12
    assert len(ending(65_534, 10, 10)) == 22
    assert 22 + 20 + 56 == len(ending(65_535, 10, 10)) == len(ending(1, 2**32 - 1, 10))


@pytest.mark.skipif(shutil.which("unzip") is None, reason="the machine has no unzip")
def test_unzip_opens_the_file(tmp_path: Path) -> None:
    """DESIGN 6: it opens in any unzip tool."""
    path = tmp_path / "backup.zip"
    path.write_bytes(small().bytes())
    subprocess.run(["unzip", "-t", str(path)], check=True, capture_output=True)


def test_the_standard_library_opens_the_file_and_finds_json_lines() -> None:
    """Then ``zstd -d`` gives JSON Lines."""
    import json

    from backports import zstd

    with zipfile.ZipFile(io.BytesIO(small().bytes())) as given:
        assert given.testzip() is None
        names = given.namelist()
        assert names[:2] == ["manifest.json", "manifest.sig"]
        objects = [zstd.decompress(given.read(name)) for name in names[2:]]
    assert any(json.loads(line) == PAGE for raw in objects if raw != b"a file" for line in raw.splitlines())


def test_a_descriptor_with_a_wrong_digest_of_stored_bytes_is_refused_before_unpacking() -> None:
    """HOSTILE 20: a bomb under a right digest of content is never unpacked."""
    made = small()
    found, data = made.objects[-1]
    made.objects[-1] = (replace(found, stored="0" * 64), data)
    with pytest.raises(ArchiveDamaged, match="does not match its checksum"):
        checked(made.bytes())


@pytest.mark.parametrize(("changes", "words"), [
    ({"crc32": 1}, "does not match its checksum"), ({"content": "0" * 64}, "something else than its name says"),
], ids=["CRC-32", "content"])
def test_an_object_that_is_not_what_the_layout_says_is_refused(changes: dict[str, Any], words: str) -> None:
    """HOSTILE 29 and 34: each of the two digests and the CRC-32 is compared, whatever the others say."""
    raw = b"a file"
    lying = replace(descriptor(raw), **changes)
    made = Making(objects=[(lying, compress(raw))])
    index = index_bytes([IndexLine(content=lying.content, count=1, n=0, raw=len(raw), section="files")])
    made.objects.insert(0, (descriptor(index), compress(index)))
    entry = PartEntry(descriptor(index).content, len(index), files=1)
    made.content.components["worksheets"] = ComponentEntry(1, data=entry)
    with pytest.raises(ArchiveDamaged, match=words):
        checked(made.bytes())


@pytest.mark.parametrize("count", [1, 3])
def test_a_segment_of_another_number_of_lines_is_refused(count: int) -> None:
    """HOSTILE 34: the index counts lines, and the reader counts them again."""
    with pytest.raises(ArchiveDamaged, match=f"2 lines instead of {count}"):
        checked(_segment(lines(RECORD, RECORD), count=count))


def test_manifest_values_survive_a_round_trip() -> None:
    """Bytes to values to bytes."""
    manifest, _, _ = small().manifest()
    assert manifest == Manifest.from_bytes(manifest.to_bytes())
    assert compress(b"x") and Descriptor.from_dict(manifest.layout.as_dict(), "here") == manifest.layout
