"""SQLite files: tables, keys and links come over, and a hostile file runs nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from core.api import Corrections, ImportFailed, import_file
from core.imports.apply import find_importer
from tests.conftest import made_organization
from tests.plugins.tabular.reading import Sheet, bring_in, nothing_left, reasons

FLIGHTS = """
CREATE TABLE airlines (carrier TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE airports (faa TEXT PRIMARY KEY, name TEXT, lat REAL, alt INTEGER);
CREATE TABLE planes (tailnum TEXT PRIMARY KEY, year INTEGER, seats INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE weather (origin TEXT REFERENCES airports, time_hour TEXT, temp REAL, PRIMARY KEY (origin, time_hour));
CREATE TABLE flights (id INTEGER PRIMARY KEY, carrier TEXT NOT NULL REFERENCES airlines, tailnum TEXT REFERENCES planes (tailnum),
    origin TEXT REFERENCES airports, dest TEXT REFERENCES airports, dep_delay INTEGER, time_hour TEXT, cancelled BOOLEAN,
    FOREIGN KEY (origin, time_hour) REFERENCES weather);
INSERT INTO airlines VALUES ('UA', 'United'), ('AA', 'American');
INSERT INTO airports VALUES ('EWR', 'Newark', 40.6925, 18), ('IAH', 'Houston', 29.984433, 97);
INSERT INTO planes VALUES ('N2', 1998, 55), ('N1', 2004, 182);
INSERT INTO weather VALUES ('EWR', '2013-01-01T10:00:00Z', 39.02), ('EWR', '2013-01-01T11:00:00Z', 38.3);
INSERT INTO flights VALUES (10, 'UA', 'N1', 'EWR', 'IAH', 2, '2013-01-01T10:00:00Z', 0),
    (20, 'AA', 'N9', 'EWR', 'BQN', NULL, '2013-01-01T12:00:00Z', 1), (15, 'UA', NULL, 'IAH', 'EWR', -4, '2013-01-01T10:00:00Z', 0);
"""


def made(folder: Path, script: str, name: str = "data.db") -> Path:
    """Make a SQLite file by a script."""
    path = folder / name
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def imported(folder: Path, script: str) -> tuple[str, dict[str, Sheet]]:
    """Import what a script makes, on SQLite, and return notes and worksheets."""
    with made_organization("Example") as organization:
        result, sheets = bring_in(made(folder, script), organization)
        return reasons(result), sheets


def test_a_database_of_flights_becomes_linked_worksheets(organization: str, tmp_path: Path) -> None:
    """Tables, types, one- and two-column keys, and the other sides of links come over on every engine."""
    result, sheets = bring_in(made(tmp_path, FLIGHTS), organization)
    flights = sheets["flights"]
    assert ["airlines", "airports", "planes", "weather", "flights"] == list(sheets)
    assert [10, 15, 20] == flights.column("id")
    assert [[1], [1], [2]] == flights.column("carrier")
    assert [[1], None, None] == flights.column("tailnum")
    assert ["N1", None, "N9"] == flights.column("tailnum (value)")
    assert [[2], [1], None] == flights.column("dest")
    assert [[1], None, None] == flights.column("weather")
    assert [2, -4, None] == flights.column("dep_delay")
    assert [None, None, True] == flights.column("cancelled")
    assert ["N1", "N2"] == sheets["planes"].column("tailnum")
    assert ["40.692500", "29.984433"] == sheets["airports"].column("lat")
    assert "1 of its values point to no row of “planes”" in reasons(result)
    assert "2 of its rows point to no row of “weather”" in reasons(result)


def test_parents_show_their_children(sqlite_server: Flask, tmp_path: Path) -> None:
    """Each stored relationship has a mirror in its target, named after the table that points there."""
    _, sheets = imported(tmp_path, FLIGHTS)
    airports = sheets["airports"].fields
    assert {"weather", "flights (origin)", "flights (dest)"} == {n for n, f in airports.items() if "mirrors" in f["options"]}
    stored = sheets["flights"].fields["dest"]
    mirror = airports["flights (dest)"]["options"]["mirrors"]["ref"]
    assert f"worksheet/{sheets['flights'].key}/field/{stored['key']}" == mirror
    assert "flights" in sheets["airlines"].fields


def test_constraints_come_as_far_as_values_keep_them(sqlite_server: Flask, tmp_path: Path) -> None:
    """NOT NULL and UNIQUE become required and unique; where values do not keep to it, that is told."""
    told, sheets = imported(tmp_path, """
        CREATE TABLE a (k TEXT PRIMARY KEY, full TEXT NOT NULL, hollow TEXT NOT NULL, flag BOOLEAN NOT NULL, mail TEXT UNIQUE, n INT);
        INSERT INTO a VALUES ('x', 'p', '', 0, 'a@example.org', 1), ('y', 'q', 'r', 1, NULL, 1);""")
    fields = sheets["a"].fields
    assert ["full"] == [name for name, field in fields.items() if field.get("required")]
    assert ["k", "mail"] == [name for name, field in fields.items() if field.get("unique")]
    assert "a: hollow: it is declared required, but its values are not" in told


def test_bytes_become_files(organization: str, tmp_path: Path) -> None:
    """A column of bytes is a file field; bytes among texts become files beside them."""
    result, sheets = bring_in(made(tmp_path, """
        CREATE TABLE a (n TEXT, picture BLOB, mixed);
        INSERT INTO a VALUES ('x', x'89504e470d0a1a0a00', 'text'), ('y', NULL, x'00ff'), ('z', x'', 'more');"""), organization)
    pictures = sheets["a"].column("picture")
    assert [("picture-1.png", 9), None, ("picture-3.bin", 0)] == [p and (p[0]["name"], p[0]["size"]) for p in pictures]
    assert ["text", None, "more"] == sheets["a"].column("mixed")
    assert 2 == sheets["a"].column("mixed (file)")[1][0]["size"]
    assert "1 of its cells hold bytes" in reasons(result)


def test_a_table_may_point_to_itself(sqlite_server: Flask, tmp_path: Path) -> None:
    """Parent and children are in one worksheet, whatever the order of rows."""
    told, sheets = imported(tmp_path, """
        CREATE TABLE node (id INTEGER PRIMARY KEY, name TEXT, parent INTEGER REFERENCES node);
        INSERT INTO node VALUES (1, 'leaf', 9), (5, 'twig', 9), (9, 'root', NULL);""")
    assert [[3], [3], None] == sheets["node"].column("parent")
    assert "mirrors" in sheets["node"].fields["node"]["options"]
    assert "" == told


SCHEMAS = {
    "a key of no table": ("CREATE TABLE a (x INT REFERENCES gone); INSERT INTO a VALUES (5);", {"x": [5]},
                          "no such key in “gone”"),
    "a key that is none": ("CREATE TABLE a (x INT REFERENCES b(y)); CREATE TABLE b (y INT); INSERT INTO a VALUES (1);"
                           "INSERT INTO b VALUES (1), (1);", {"x": [1]}, "several rows of “b” have the same key"),
    "all dangling": ("CREATE TABLE a (x INT REFERENCES b); CREATE TABLE b (y INTEGER PRIMARY KEY); INSERT INTO a VALUES (1);", {"x": [1]},
                     "none of its values points to a row"),
    "two types of one key": ("CREATE TABLE a (x TEXT REFERENCES b); CREATE TABLE b (y INTEGER PRIMARY KEY);"
                             "INSERT INTO a VALUES ('7'); INSERT INTO b VALUES (7);", {"x": [[1]]}, ""),
    "generated columns": ("CREATE TABLE a (x INT, y INT AS (x * 2), z INT AS (x + 1) STORED); INSERT INTO a (x) VALUES (4);",
                          {"x": [4], "y": [8], "z": [5]}, "it is calculated in the file"),
    "large numbers": (f"CREATE TABLE a (x INT, y REAL); INSERT INTO a VALUES ({2**62}, 1e300);", {"x": [str(2**62)], "y": ["1e+300"]},
                      "beyond ±2^53"),
    "texts that look like numbers": ("CREATE TABLE a (zip TEXT); INSERT INTO a VALUES ('80331');", {"zip": ["80331"]}, ""),
    "an index with all columns": ("CREATE TABLE a (x INT); CREATE INDEX i ON a (x); INSERT INTO a VALUES (2), (1);", {"x": [2, 1]}, ""),
    "names to quote": ('CREATE TABLE a ("x""y] é" INT, "select" INT); INSERT INTO a VALUES (1, 2);', {'x"y] é': [1], "select": [2]}, ""),
    "a view": ("CREATE TABLE a (x INT); INSERT INTO a VALUES (1); CREATE VIEW v AS SELECT * FROM a;", {"x": [1]}, "view v:"),
    "full text search": ("CREATE TABLE a (x INT); INSERT INTO a VALUES (1); CREATE VIRTUAL TABLE f USING fts5(t);", {"x": [1]},
                         "virtual table f:"),
    "a broken text": ("CREATE TABLE a (x TEXT); INSERT INTO a VALUES (CAST(x'4be96c' AS TEXT));", {"x": ["Kél"]}, "were not UTF-8"),
    "no rows": ("CREATE TABLE a (x INT, y TEXT NOT NULL);", {"x": [], "y": []}, ""),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_every_kind_of_table_comes_over(sqlite_server: Flask, tmp_path: Path, case: str) -> None:
    """What a schema can hold comes over or is told."""
    script, columns, expected = SCHEMAS[case]
    told, sheets = imported(tmp_path, script)
    assert columns == {name: sheets["a"].column(name) for name, field in sheets["a"].fields.items() if "mirrors" not in field["options"]}
    assert expected in told


def test_nothing_in_a_hostile_file_runs(sqlite_server: Flask, tmp_path: Path) -> None:
    """Endless views and triggers are not touched; the file is not written to."""
    path = made(tmp_path, """
        CREATE TABLE a (x INT); INSERT INTO a VALUES (1);
        CREATE VIEW endless AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) AS n FROM r;
        CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END;""")
    before, files = path.read_bytes(), sorted(tmp_path.iterdir())
    with made_organization("Example") as organization:
        _, sheets = bring_in(path, organization)
    assert (["a"], [1]) == (list(sheets), sheets["a"].column("x"))
    assert (before, files) == (path.read_bytes(), sorted(tmp_path.iterdir()))


def test_an_endless_generated_column_is_stopped(sqlite_server: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that takes longer than its time is refused."""
    monkeypatch.setattr("plugins.tabular.database.STEP_TIME_S", -1)
    path = made(tmp_path, "CREATE TABLE a (x INT); WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 50000) "
                          "INSERT INTO a SELECT n FROM r;")
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="interrupted"):
        import_file(path, organization, "system")


@pytest.mark.parametrize("damage", ["cut", "flipped", "schema", "empty", "none"])
def test_a_damaged_file_is_refused_whole(organization: str, tmp_path: Path, damage: str) -> None:
    """The refusal names the file, and nothing stays."""
    path = made(tmp_path, FLIGHTS + "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 200) "
                                    "INSERT INTO airlines SELECT 'c' || n, hex(randomblob(500)) FROM r;")
    content = bytearray(path.read_bytes())
    changed = {"cut": content[:len(content) // 2], "flipped": content[:4096] + bytes(len(content) - 4096),
               "schema": content.replace(b"CREATE TABLE airlines", b"CREATE TABLX airlines"), "empty": content[:16],
               "none": bytearray(b"something else")}[damage]
    path.write_bytes(changed)
    with pytest.raises(ImportFailed, match=r"data\.db"):
        import_file(path, organization, "system", importer="sqlite")
    assert nothing_left()


def test_a_table_that_is_too_wide_is_refused(sqlite_server: Flask, tmp_path: Path) -> None:
    """Nothing is cut off in silence."""
    path = made(tmp_path, f"CREATE TABLE wide ({', '.join(f'c{n} INT' for n in range(501))})")
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="“wide” has 501 columns"):
        import_file(path, organization, "system")


def test_a_database_without_tables_is_refused(sqlite_server: Flask, tmp_path: Path) -> None:
    """An app of nothing is not made."""
    path = made(tmp_path, "CREATE TABLE a (x INT); DROP TABLE a;")
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="holds no table"):
        import_file(path, organization, "system")


def test_a_file_is_known_by_its_content(sqlite_server: Flask, tmp_path: Path) -> None:
    """Whatever it is called, a SQLite file is one; odd paths are no parameters."""
    assert "sqlite" == find_importer(made(tmp_path, "CREATE TABLE a (x INT)", "odd name?mode=rwc#%41.csv"), None).name
    with made_organization("Example") as organization:
        _, sheets = bring_in(tmp_path / "odd name?mode=rwc#%41.csv", organization)
        assert ["a"] == list(sheets)


def test_columns_without_values_are_what_they_are_declared(sqlite_server: Flask, tmp_path: Path) -> None:
    """Where no value says otherwise, the declared type does."""
    _, sheets = imported(tmp_path, "CREATE TABLE a (n INTEGER, p DECIMAL(8,3), d DATE, m DATETIME, b BOOLEAN, t TEXT, x);")
    assert {"n": "number", "p": "number", "d": "date", "m": "datetime", "b": "checkbox", "t": "text", "x": "text"} == sheets["a"].types
    assert {"decimals": 3} == sheets["a"].fields["p"]["options"]


def test_only_tables_that_a_module_keeps_are_left_out(sqlite_server: Flask, tmp_path: Path) -> None:
    """A person's table is imported although its name begins like a virtual table's."""
    told, sheets = imported(tmp_path, """CREATE TABLE doc_notes (x); INSERT INTO doc_notes VALUES (1);
        CREATE VIRTUAL TABLE doc USING fts5(body); CREATE TABLE doc_history (y); INSERT INTO doc_history VALUES (2);""")
    assert ["doc_notes", "doc_history"] == list(sheets)
    assert "table doc_idx: it belongs to a virtual table" in told


@pytest.mark.parametrize("value", ["hex(zeroblob(60000000))", "zeroblob(500000000)"])
def test_a_generated_column_cannot_fill_the_memory(sqlite_server: Flask, tmp_path: Path, value: str) -> None:
    """What a file calculates cannot be much longer than the file itself."""
    path = made(tmp_path, f"CREATE TABLE a (x INT, y TEXT GENERATED ALWAYS AS ({value}) VIRTUAL); INSERT INTO a (x) VALUES (1), (2);")
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="too big"):
        import_file(path, organization, "system")


def test_many_small_generated_values_are_bounded_together(sqlite_server: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that calculates far more than the file holds is refused with the way out."""
    monkeypatch.setattr("plugins.tabular.database.FREE_BYTES", 100_000)
    path = made(tmp_path, "CREATE TABLE a (x INT, y TEXT GENERATED ALWAYS AS (printf('%.*c', 90000, 'x')) VIRTUAL);"
                          "INSERT INTO a (x) VALUES (1), (2), (3), (4), (5), (6);")
    with made_organization("Example") as organization, pytest.raises(ImportFailed, match="Delete its generated columns"):
        import_file(path, organization, "system")


def test_a_table_can_be_left_out_and_what_points_to_it_keeps_its_values(organization: str, tmp_path: Path) -> None:
    """Links between those that come stay links."""
    path = made(tmp_path, """
        CREATE TABLE "log" (id INTEGER PRIMARY KEY, text TEXT);
        CREATE TABLE "maker" (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE "thing" (id INTEGER PRIMARY KEY, maker INTEGER REFERENCES maker (id), entry INTEGER REFERENCES log (id));
        INSERT INTO log VALUES (7, 'x'); INSERT INTO maker VALUES (3, 'Ada'); INSERT INTO thing VALUES (1, 3, 7);
    """)
    result, sheets = bring_in(path, organization, corrections=Corrections(skip_tables=("log",)))
    assert {"maker", "thing"} == set(sheets)
    assert ("relationship", "number") == (sheets["thing"].types["maker"], sheets["thing"].types["entry"])
    assert [7] == sheets["thing"].column("entry")
    assert "table log: it is left out, as was asked for" in reasons(result)
    for left, told in ((("log", "maker", "thing"), "Every table is left out"), (("nope",), "Unknown table “nope”")):
        with pytest.raises(ImportFailed, match=told):
            bring_in(path, organization, corrections=Corrections(skip_tables=left))
