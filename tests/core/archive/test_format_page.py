"""docs/format.md says what the code does: its examples are read, its numbers compared."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from core.archive.canonical import MAX_DEPTH, canonical, parse_canonical
from core.archive.limits import LIMITS, MIB
from core.archive.manifest import COMPONENT, MAX_COMPONENTS, MAX_LIST_LINE_BYTES, SECTION, Content, IndexLine
from core.archive.signature import CONTEXT
from core.cli import reference
from plugins.worksheets.fieldtypes import FIELD_TYPES

PAGE = (Path(__file__).parents[3] / "docs" / "format.md").read_text()
WORDS = " ".join(PAGE.split())
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("words", [
    f"{LIMITS.objects:,} objects", f"{LIMITS.layout_bytes // MIB} MiB of layout", f"{LIMITS.indexes_bytes // MIB} MiB of indexes",
    f"{LIMITS.segment_bytes // MIB} MiB in a segment", f"{LIMITS.line_bytes // MIB} MiB in a line of a segment",
    f"{MAX_LIST_LINE_BYTES} bytes in a line of an index", f"{(LIMITS.file_bytes + 1) // 2**30} GiB − 1 in a file",
    f"{LIMITS.total_bytes // 2**40} TiB in all", f"{LIMITS.ratio} times as much unpacked as packed",
    f"from {LIMITS.ratio_from_bytes // MIB} MiB on", f"{LIMITS.repeated_bytes // MIB} MiB more than the file holds",
    f"`manifest.json`, at most {LIMITS.manifest_bytes // MIB} MiB", f"`manifest.sig`, at most {LIMITS.signature_bytes // 1024} KiB",
    f"at most {MAX_DEPTH} levels", f"at most {MAX_COMPONENTS} components", f"`{CONTEXT[:-1].decode()}` and 0x00",
    f"the {len(CONTEXT)} bytes", COMPONENT.pattern.removesuffix(r"\Z"), SECTION.pattern.replace("?:", "").removesuffix(r"\Z"),
])
def test_the_page_names_each_limit_and_grammar(words: str) -> None:
    """A number that changes in the code changes on the page."""
    assert words in WORDS


def filled(example: str) -> str:
    """Return an example with its places filled in."""
    example = re.sub(r"<[^>]*>", "ab" * 32, example.strip())
    return example.replace("{…descriptor…}", "{}").replace("…", "7Qd3abcDEF")


def test_the_examples_of_one_line_are_canonical() -> None:
    """Whoever copies a line from the page has a right line."""
    found = [filled(example) for example in EXAMPLES if "\n" not in example.strip()]
    values = [parse_canonical(text.encode()) for text in found]
    assert len(values) >= 5
    assert IndexLine.from_dict(next(v for v in values if "section" in v), "the page").n == 0


def test_the_manifest_on_the_page_is_one() -> None:
    """Its content is read by the same code as that of a file."""
    value = json.loads(filled(next(example for example in EXAMPLES if "appkeep-backup" in example)))
    assert Content.from_dict(value["content"]).as_dict() == value["content"]
    assert value["version"] == [1, 0]


VALUES = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| `(.*)` \|$", PAGE, re.MULTILINE)
NEEDED = {"number": {"decimals": 2}, "currency": {"decimals": 2, "currency": "EUR"}}
TARGET = {"target": {"ref": "worksheet/w_7Qd3abcDEF"}}


def test_every_type_that_holds_values_is_on_the_page() -> None:
    """And no other."""
    held = {one.name for one in FIELD_TYPES if one.stored}
    assert held == {name for name, *_ in VALUES}
    others = {one.name for one in FIELD_TYPES} - held
    assert all(f"`{name}`" in PAGE for name in others)


@pytest.mark.parametrize(("name", "options", "example"), [(name, options, example) for name, _, options, example in VALUES],
                         ids=[one[0] for one in VALUES])
def test_a_value_on_the_page_is_one(name: str, options: str, example: str) -> None:
    """It is in stored form, and the options that travel with it are those that the page says."""
    kind = next(one for one in FIELD_TYPES if one.name == name)
    value = json.loads(filled(example))
    definition = {"key": "f_7Qd3abcDEF", "type": name, "name": "A", "options": {
        **NEEDED.get(name, {}), **(TARGET if name in ("relationship", "subform", "cascading_select") else {})}}
    assert value == kind.canonical(value, definition)
    named = set(re.findall(r"`(\w+)`", options))
    everything = {"key": "f_7Qd3abcDEF", "type": name, "name": "A", "options": dict.fromkeys(
        kind.options.get("properties", {}), 1) | definition["options"]}
    travels = set(kind.shape(everything)["options"])
    assert travels == (set(everything["options"]) if options == "all" else named)


def test_the_vectors_of_the_page_are_right() -> None:
    """Each digest is that of the bytes beside it."""
    rows = re.findall(r"^\| [^|]+ \| `(.*?)`( and a line feed)? \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)
    assert 3 == len(rows)
    for text, feed, digest in rows:
        raw = text.encode() + (b"\n" if feed else b"")
        assert hashlib.sha256(raw).hexdigest() == digest
        assert canonical(json.loads(text)) == text.encode()
    assert hashlib.sha256(canonical({"components": {}})).hexdigest() == rows[-1][2] == Content().content_id


def test_the_schemas_are_those_of_the_code() -> None:
    """Written by the command that the message names."""
    assert reference.schemas() == reference.SCHEMAS.read_text(), f"docs/schemas.json: run {reference.COMMAND}"
