"""Validly signed files with any value anywhere: refused with the project's own error, or read with nothing ignored."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.archive.canonical import MAX_SAFE, canonical
from core.archive.compression import compress, decompress
from core.archive.errors import ArchiveError
from core.archive.limits import LIMITS
from core.archive.manifest import Manifest, layout_bytes
from core.archive.reader import read, verify
from tests.core.archive.making import Making, descriptor, lines, small

MADE = small()
DIGESTS = [found.content for found, _ in MADE.objects] + [found.stored for found, _ in MADE.objects]
leaves = (st.none() | st.booleans() | st.sampled_from([0, 1, -1, 2, 255, 256, 2**31, 2**32, 2**33, MAX_SAFE, -MAX_SAFE, 0.5, -1e300])
          | st.sampled_from(["", "x", "files", "documents", "config", "data", "both", "index", "raw", "../x", "A" * 64, "1" * 400])
          | st.sampled_from(DIGESTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3))
junk = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.sampled_from(["index", "raw", "x", "config"]), leaves, max_size=3)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(value, key), *places(inner)]]


def bend(data: st.DataObject, value: Any) -> None:
    """Change, take away, repeat or add something somewhere, a few times."""
    for _ in range(data.draw(st.integers(1, 2))):
        held, key = data.draw(st.sampled_from(places(value)))
        act = data.draw(st.sampled_from(["change", "change", "swap", "remove", "add"]))
        if act == "remove" and len(held) > 1:
            del held[key]
        elif act == "swap":
            held[key] = deepcopy(data.draw(st.sampled_from([inner[name] for inner, name in places(value)])))
        elif act == "add" and isinstance(held, list):
            held.insert(key, deepcopy(held[key]))
        elif act == "add":
            held[data.draw(st.sampled_from(["x", "data", "config", "files", "records"]))] = data.draw(junk)
        else:
            held[key] = data.draw(junk)


def judged(data: bytes) -> Manifest | None:
    """Return the manifest of a file that is accepted; any error but the project's own goes through."""
    try:
        archive = read(io.BytesIO(data), LIMITS)
        verify(archive)
        assert sum(len(stream.read()) for _, stream in archive.objects()) == archive.manifest.size
    except ArchiveError:
        return None
    return archive.manifest


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_any_value_in_a_signed_manifest_is_refused_or_kept(data: st.DataObject) -> None:
    """HOSTILE 24 to 35: what is accepted is written again as the same bytes, so nothing was overlooked."""
    manifest, raw, stored = MADE.manifest()
    value = json.loads(manifest.to_bytes())
    bend(data, value)
    wanted = canonical(value)
    found = judged(MADE.signed(wanted, manifest.layout, raw, stored))
    if found is not None and value["version"] == [1, 0]:
        assert found.to_bytes() == wanted


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_value_in_the_layout_of_a_signed_file_is_refused(data: st.DataObject) -> None:
    """HOSTILE 29 to 35: the layout is believed by nobody, though its own digest is right."""
    manifest, right, _ = MADE.manifest()
    value = [json.loads(line) for line in right.splitlines()]
    bend(data, value)
    raw = lines(*value)
    layout = descriptor(raw)
    body = replace(manifest, layout=layout).to_bytes()
    # The members stand as the right layout says: what a changed one would make of the file cannot be written.
    whole = MADE.signed(body, layout, right, compress(raw))
    assert judged(whole) is None or raw == right


def essence(line: dict[str, Any]) -> list[Any]:
    """Return what an index may not say otherwise: number and section mean something to components only."""
    return [line["content"], line["count"], line["raw"], line["section"] == "files"]


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from([0, 1]))
def test_any_value_in_an_index_of_a_signed_file_is_refused_or_harmless(data: st.DataObject, which: int) -> None:
    """HOSTILE 29 to 35, 40: an index may count and name only what is there, in order."""
    found, stored = MADE.objects[which]
    right = decompress(stored, found.raw)
    value = [json.loads(line) for line in right.splitlines()]
    bend(data, value)
    raw = lines(*value)
    name, part = (("pages", "config"), ("worksheets", "data"))[which]
    made = Making(objects=[*MADE.objects])
    made.objects[which] = (descriptor(raw), compress(raw))
    old = MADE.content.components[name]
    entry = getattr(old, part)
    made.content.components.update(MADE.content.components)
    made.content.components[name] = replace(old, **{part: replace(entry, index=descriptor(raw).content, raw=len(raw))})
    if judged(made.bytes()) is not None:
        assert [essence(line) for line in value] == [essence(json.loads(line)) for line in right.splitlines()]


@pytest.mark.parametrize(("which", "section", "n"), [
    (0, "config", 0), (0, "data", 0), (0, "documents", 1), (0, "records/w_1111111111", 0), (1, "documents", 0)])
def test_an_index_lists_only_what_its_part_has(which: int, section: str, n: int) -> None:
    """Found by drawing: a second line for the same content, under a section that nobody reads, was taken."""
    found, stored = MADE.objects[which]
    value = [json.loads(line) for line in decompress(stored, found.raw).splitlines()]
    more = {**next(line for line in value if line["section"] != "files"), "section": section, "n": n}
    raw = lines(*sorted([*value, more], key=lambda line: (line["section"], line["n"])))
    name, part = (("pages", "config"), ("worksheets", "data"))[which]
    made = Making(objects=[*MADE.objects])
    made.objects[which] = (descriptor(raw), compress(raw))
    entry = getattr(MADE.content.components[name], part)
    counted = replace(entry, index=descriptor(raw).content, raw=len(raw), documents=sum(
        line["count"] for line in [*value, more] if line["section"] == "documents") if part == "config" else 0,
        records=sum(line["count"] for line in [*value, more] if line["section"].startswith("records/")) if part == "data" else 0)
    made.content.components.update(MADE.content.components)
    made.content.components[name] = replace(MADE.content.components[name], **{part: counted})
    assert judged(made.bytes()) is None


def test_the_unchanged_file_is_accepted() -> None:
    """The tests above refuse for what they change only."""
    assert judged(MADE.bytes()) is not None
    assert layout_bytes(found for found, _ in MADE.objects) == MADE.manifest()[1]
