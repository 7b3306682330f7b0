"""The importer of Baserow: everything comes over or is told, and no file makes it stumble."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from core.api import ImportFailed, canonical
from core.app import create_app
from core.base.config import read_config
from core.server import server
from plugins.baserow.importer import BaserowImporter
from plugins.pages.schema import PAGE
from plugins.settings.component import APP, GROUP, NAVIGATION
from plugins.worksheets.schema import WORKSHEET
from tests.plugins.baserow.exports import CONTENT, FILE_NAME, full_export, write

SCHEMAS = {kind.name: Draft202012Validator(kind.schema) for kind in (WORKSHEET, PAGE, APP, GROUP, NAVIGATION)}
FOLDER = os.environ.get("APPKEEP_TEST_BASEROW")


class Noting:
    """An import context that keeps what it is told."""

    app_name, stem, person = None, "export", "system"

    def __init__(self) -> None:
        self.notes: list[tuple[str, str, str]] = []

    def put_file(self, stream: io.BufferedIOBase, name: str, media_type: str | None = None) -> dict[str, Any]:
        """Read a file to its end and return its value."""
        content = b""
        while chunk := stream.read(65536):
            content += chunk
        return {"file": hashlib.sha256(content).hexdigest(), "name": name, "size": len(content), "type": media_type or "text/plain"}

    def check_field(self, definition: Any) -> None:
        """Ask the field type, as a server does."""
        server().registry.hook.check_field(definition=definition)

    def unsupported(self, what: str, name: str, reason: str) -> None:
        """Keep a note."""
        self.notes.append((what, name, reason))


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server, for its field types."""
    app: Flask = create_app(read_config({}, home=str(tmp_path_factory.mktemp("home")), database_url=""))
    with app.app_context():
        yield app


def run(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[dict[str, Any]]], list[tuple[str, str, str]]]:
    """Return the documents by address, the records by worksheet key, and the notes."""
    context, documents, records = Noting(), {}, {}
    for edit in BaserowImporter().operations(path, context):
        if edit["op"] == "put":
            documents[edit["document"]] = edit["body"]
        else:
            records.setdefault(edit["worksheet"], []).extend(edit["records"])
    return documents, records, context.notes


def check(documents: dict[str, dict[str, Any]]) -> None:
    """Refuse documents that do not follow their schemas, or cannot be stored."""
    for address, body in documents.items():
        canonical(body)
        if (schema := SCHEMAS.get(address.partition("/")[0])) is not None:
            errors = [f"{address} {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in schema.iter_errors(body)]
            assert errors == []


def small(tmp_path: Path) -> Any:
    """Import the small export."""
    return run(write(tmp_path, full_export(), {FILE_NAME: CONTENT}))


def sheet(documents: dict[str, dict[str, Any]], name: str) -> tuple[str, dict[str, Any]]:
    """Return key and body of a worksheet."""
    return next((a.partition("/")[2], b) for a, b in documents.items() if a.startswith("worksheet/") and b["name"] == name)


def test_every_document_follows_its_schema(tmp_path: Path) -> None:
    """What an import makes is accepted by the kinds' schemas."""
    documents, _, _ = small(tmp_path)
    check(documents)
    assert {"app/main", "navigation/main"} <= documents.keys()


def test_values_come_over_in_row_order(tmp_path: Path) -> None:
    """Rows are numbered by their order and keep their values, links, files and times."""
    documents, records, _ = small(tmp_path)
    key, body = sheet(documents, "Things")
    keys = {field["name"]: field["key"] for field in body["fields"]}
    first, second = records[key]
    assert (first["seq"], first["values"][keys["Name"]]) == (1, "first")
    assert (second["seq"], second["values"][keys["Name"]]) == (2, "second")
    assert first["created_at"] == 1704164645500000
    assert first["values"][keys["number"]] == "1.50"
    assert first["values"][keys["boolean"]] is True
    assert first["values"][keys["duration"]] == 90
    assert first["values"][keys["Others"]] == [1]
    assert first["values"][keys["file"]][0]["name"] == "letter.txt"


def test_a_password_never_comes_along(tmp_path: Path) -> None:
    """The hash of a password is in no record."""
    _, records, _ = small(tmp_path)
    assert "secret-hash" not in repr(records)


@pytest.mark.parametrize("told", [
    "password", "telepathy", "Odd", "smells_like", "hologram", "it was public", "Robot", "not in the export"])
def test_what_has_no_counterpart_is_told(tmp_path: Path, told: str) -> None:
    """Each thing that is left behind or changed is named in a note."""
    _, _, notes = small(tmp_path)
    assert any(told in " ".join(note) for note in notes)


def test_the_younger_side_of_a_link_is_computed(tmp_path: Path) -> None:
    """A two-way link is stored once; its other side mirrors it."""
    documents, records, _ = small(tmp_path)
    key, body = sheet(documents, "Others")
    mirror = next(field for field in body["fields"] if field["name"] == "Things")
    assert "mirrors" in mirror["options"]
    assert all(mirror["key"] not in record["values"] for record in records[key])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that the zip does not hold is noted and left out."""
    _, _, notes = run(write(tmp_path, full_export()))
    assert ("file", "letter.txt", "it is not in the export") in notes


def test_json_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much memory a file takes is reckoned before it is parsed."""
    path = tmp_path / "many.json"
    path.write_text('[{"type": "database", "x": [' + "{}," * 5000 + "{}]}]")
    monkeypatch.setattr("plugins.baserow.read.MAX_JSON_ROOM", 1_000_000)
    with pytest.raises(ImportFailed, match=r"many\.json holds too many values"):
        run(path)


def test_a_zip_that_is_made_to_hurt_is_refused(tmp_path: Path) -> None:
    """A file that unpacks to far more than it is, and one whose entries share their bytes, are named."""
    path = write(tmp_path, full_export())
    with zipfile.ZipFile(tmp_path / "small.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(40 * 1024 * 1024))
    with pytest.raises(ImportFailed, match=r"small\.zip unpacks to 41943040 bytes, more than 300 times its size"):
        run(path)
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as archive:
        archive.writestr("one", b"content")
        archive.filelist.append(copy.copy(archive.filelist[0]))
        archive.filelist[1].filename = "two"
    with pytest.raises(ImportFailed, match="lies over another one"):
        run(path)


@pytest.mark.parametrize("content", ["", "[", "{}", '{"export": 1}', "1", '"x"', "[" * 100_000])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    """What is no export fails as such."""
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ImportFailed):
        run(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_what_cannot_be_stored_is_left_out_however_it_is_written(tmp_path: Path, encoding: str) -> None:
    """Half a character, escaped or as it is, in any encoding of JSON; what is whole stays."""
    path = write(tmp_path, full_export())
    odd = path.read_text().replace('"Things"', '"Th\ud800i\\u0000ngs \\ud83d\\ude00"')
    path.write_bytes(odd.encode(encoding, "surrogatepass"))
    documents, _, _ = run(path)
    check(documents)
    assert "Things \U0001f600" in {body.get("name") for body in documents.values()}


ODD = st.sampled_from([None, True, -1, 0, 10**30, 1.5, float("nan"), "", "\0", "\ud800x", "[", "²", "9" * 5000, [], {}, [1], ["a"], {"a": 1},
                       [[]], [{}]])


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_odd_value_makes_it_stumble(data: st.DataObject) -> None:
    """Any values of the wrong type anywhere end in notes or a refusal, and documents stay valid."""
    export = full_export()
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = export
        while True:
            step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if isinstance(place[step], dict | list) and place[step] and data.draw(st.integers(0, 9)):
                place = place[step]
                continue
            place[step] = copy.deepcopy(data.draw(ODD))
            break
    with tempfile.TemporaryDirectory() as folder:
        try:
            documents, _, _ = run(write(Path(folder), export, {FILE_NAME: CONTENT}))
        except ImportFailed:
            return
    check(documents)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inside:
        yield (*path, step)
        yield from places(one, (*path, step))


ODD_EACH = [{"a": 1}, [[1]], "²", "9" * 5000, 10**30, None, True, "\0x\ud800"]


@pytest.mark.parametrize("which", range(len(ODD_EACH)), ids=lambda which: repr(ODD_EACH[which])[:12])
def test_each_place_may_hold_anything(tmp_path: Path, which: int) -> None:
    """One after the other: notes or a refusal, never a stumble, and documents stay valid.

    Each value is put into every third place, another third for the next; into all of them where APPKEEP_TEST_LOOKS is "all".
    """
    file, odd = write(tmp_path, full_export(), {FILE_NAME: CONTENT}), ODD_EACH[which]
    every = 1 if os.environ.get("APPKEEP_TEST_LOOKS") == "all" else 3
    for path in list(places(full_export()))[which % every::every]:
        export = full_export()
        holder: Any = export
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = copy.deepcopy(odd)
        try:
            file.write_text(json.dumps(export))
            documents, _, _ = run(file)
            check(documents)
        except ImportFailed:
            continue
        except Exception as error:
            raise AssertionError(f"at {path}") from error


@pytest.mark.skipif(FOLDER is None, reason="APPKEEP_TEST_BASEROW names no folder of real exports")
@pytest.mark.parametrize("path", sorted(Path(FOLDER or "/nonexistent").glob("*.json")), ids=lambda path: path.stem)
def test_real_exports_come_over(path: Path) -> None:
    """Documents of real exports follow their schemas, and there are records."""
    documents, records, _ = run(path)
    check(documents)
    assert sum(map(len, records.values())) > 0


def test_a_file_that_is_in_a_cell_twice_comes_once() -> None:
    """A cell keeps its file, in the order in which the files stand."""
    from plugins.baserow.values import Records

    class Given(Records):
        def __init__(self) -> None:
            pass

        def _file(self, item: Any) -> Any:
            return {"file": item["name"], "name": item["visible_name"]}

    cell = [{"name": one, "visible_name": f"{one}.txt"} for one in ("a", "b", "a")]
    assert ["a", "b"] == [one["file"] for one in Given()._files(cell)]
