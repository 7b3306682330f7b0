"""The container: every byte follows from the manifest, ranges need nothing else, and no other ZIP is taken for it."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.archive.compression import compress
from core.archive.container import Container
from core.archive.errors import ArchiveError
from core.archive.manifest import Descriptor, layout_bytes
from tests.core.archive.making import checked, descriptor, small

GIB = 2**30


def container(descriptors: list[Descriptor]) -> Container:
    """Return a container of these objects, whose bytes nobody has."""
    raw = layout_bytes(descriptors)
    return Container(b"{}", b"{}", descriptor(raw), raw)


def numbered(count: int, size: int) -> list[Descriptor]:
    """Return descriptors of so many objects."""
    return [Descriptor(content=f"{n:064x}", raw=size, stored="0" * 64, size=size, crc32=0) for n in range(count)]


def nothing(wanted: Descriptor) -> Iterator[bytes]:
    """Refuse to fetch anything."""
    raise AssertionError(f"{wanted.content} was fetched")


def sparse(path: Path, made: Container) -> zipfile.ZipFile:
    """Write a container with holes where the objects are, and open it with the standard library."""
    layout = compress(made.layout_raw)
    with path.open("wb") as file:
        for size, make in made._pieces(lambda d: iter([layout] if d == made.layout else [])):
            end = file.tell() + size
            file.writelines(make())
            file.seek(end)
        file.truncate(made.size)
    return zipfile.ZipFile(path)


def test_a_file_beyond_four_gibibytes_is_read_by_the_standard_library(tmp_path: Path) -> None:
    """Offsets that need 64 bits have them, others do not."""
    made = container(numbered(5, 2 * GIB - 1))
    with sparse(tmp_path / "large.zip", made) as found:
        offsets = [info.header_offset for info in found.infolist()]
        assert [bool(info.extra) for info in found.infolist()] == [offset >= 2**32 - 1 for offset in offsets]
        assert max(offsets) > 2**33 - GIB
        for info in found.infolist():
            found.open(info).close()  # reads the local header, which must name the same member


def test_a_file_of_more_members_than_two_bytes_count_is_read(tmp_path: Path) -> None:
    """65,535 members and more need the ZIP64 end record."""
    with sparse(tmp_path / "many.zip", container(numbered(65_540, 0))) as found:
        assert len(found.namelist()) == 65_543


@pytest.mark.parametrize("count", [65_531, 65_532])
def test_the_end_changes_at_65535_members_and_not_before(count: int) -> None:
    """HOSTILE 6: the smallest form that can say it, as docs/format.md tells."""
    made = container(numbered(count, 0))
    tail = b"".join(made.chunks(nothing, made.size - 98))
    assert (b"PK\x06\x06" in tail) == (count + 3 >= 65_535)


def test_a_range_fetches_only_what_lies_in_it() -> None:
    """A download that goes on where it was cut off does not read the whole backup again."""
    made, fetched = container(numbered(50, 1000)), []

    def fetch(wanted: Descriptor) -> Iterator[bytes]:
        fetched.append(wanted)
        yield bytes(wanted.size)

    directory = b"".join(made.chunks(nothing, made.size - 100))
    assert len(directory) == 100
    middle = made.size // 2
    assert len(b"".join(made.chunks(fetch, middle, middle + 1500))) == 1500
    assert 1 <= len(fetched) <= 3
    assert list(made.chunks(nothing, made.size)) == []


def test_the_same_objects_give_the_same_bytes() -> None:
    """Nothing in the file comes from the clock or the machine."""
    made = small()
    manifest, raw, stored = made.manifest()
    signed = [made.signed(manifest.to_bytes(), manifest.layout, raw, stored) for _ in range(2)]
    assert signed[0] == signed[1]


def end_of(data: bytes) -> int:
    return data.rindex(b"PK\x05\x06")


def directory_of(data: bytes) -> int:
    return int(struct.unpack("<I", data[end_of(data) + 16:end_of(data) + 20])[0])


def with_comment(data: bytes) -> bytes:
    return data[:-2] + b"\x02\0hi"


def with_zip64(data: bytes) -> bytes:
    end, start = end_of(data), directory_of(data)
    count = struct.unpack("<H", data[end + 10:end + 12])[0]
    return (data[:end] + struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, end - start, start)
            + struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1) + data[end:])


def with_extra_field(data: bytes) -> bytes:
    name = 30 + len("manifest.json")
    return data[:28] + b"\x04\0" + data[30:name] + b"\xfe\xca\0\0" + data[name:]


def with_entry(data: bytes, change: Callable[[bytes, int], bytes]) -> bytes:
    """Return the file with the first entry of its directory changed, and the end to match."""
    start, end = directory_of(data), end_of(data)
    entry = data[start:start + 46 + len("manifest.json")]
    new = change(entry, start)
    count = struct.unpack("<H", data[end + 10:end + 12])[0] + new.count(b"PK\x01\x02") - 1
    last = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, end - start + len(new) - len(entry), start, 0)
    return data[:start] + new + data[start + len(entry):end] + last


def repacked(data: bytes, compression: int, names: Callable[[str], str] = str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w", compression) as again:
        for info in given.infolist():
            again.writestr(zipfile.ZipInfo(names(info.filename)), given.read(info), compression)
    return out.getvalue()


@pytest.mark.parametrize("change", [
    lambda d: d + d, lambda d: d + b"\0", lambda d: b"#!/bin/sh\n" + d, lambda d: b"\0" + d,
    with_comment, with_extra_field, with_zip64,
    lambda d: d[:6] + b"\x01\0" + d[8:], lambda d: d[:6] + b"\x08\0" + d[8:], lambda d: d[:6] + b"\0\x08" + d[8:],
    lambda d: repacked(d, zipfile.ZIP_DEFLATED), lambda d: repacked(d, zipfile.ZIP_STORED),
    lambda d: repacked(d, zipfile.ZIP_STORED, str.upper), lambda d: repacked(d, zipfile.ZIP_STORED, "../{}".format),
    lambda d: repacked(d, zipfile.ZIP_STORED, lambda name: name.replace("/", "\\")),
    lambda d: with_entry(d, lambda entry, _: entry * 2), lambda d: with_entry(d, lambda entry, _: b""),
    lambda d: with_entry(d, lambda entry, _: entry + entry.replace(b"manifest.json", b"MANIFEST.json")),
    lambda d: with_entry(d, lambda entry, _: entry.replace(b"manifest.json", b"/etc/manifest")),
    lambda d: with_entry(d, lambda entry, at: entry[:42] + struct.pack("<I", 100) + entry[46:]),
    lambda d: with_entry(d, lambda entry, _: entry[:38] + struct.pack("<I", 0o120777 << 16) + entry[42:]),
    lambda d: with_entry(d, lambda entry, _: entry[:34] + b"\x01\0" + entry[36:]),
], ids=["two archives", "a byte behind", "a script before", "a byte before", "comment", "extra field", "needless ZIP64",
        "encrypted", "data descriptor", "UTF-8 flag", "deflated", "packed again", "other case", "parent folder",
        "backslash", "entry twice", "entry missing", "twin in other case", "absolute name", "overlap", "symbolic link",
        "other disk"])
def test_a_zip_of_any_other_form_is_refused(change: Callable[[bytes], bytes]) -> None:
    """HOSTILE 3 to 10 and 12: the reader compares, so tricks of ZIP have nothing to work on."""
    data = small().bytes()
    changed = change(data)
    assert changed != data
    with pytest.raises(ArchiveError):
        checked(changed)
