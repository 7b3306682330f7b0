"""The schema of a SQLite file: its tables, their columns and keys."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from plugins.tabular.table import Column, Link, Tell, check_width

GENERATED = (2, 3)
_USING = re.compile(r"\bUSING\s+[\"\[`]?(\w+)", re.IGNORECASE)
_TEXTS = ("content", "segments", "segdir", "docsize", "stat")
SHADOWS = {"fts3": _TEXTS, "fts4": _TEXTS, "fts5": ("data", "idx", "content", "docsize", "config"), "rtree": ("node", "rowid", "parent"),
           "rtree_i32": ("node", "rowid", "parent"), "geopoly": ("node", "rowid", "parent")}
"""The ends of the names of tables that the modules of SQLite keep, as their documentation says."""
DECLARED = (("BOOL", "checkbox"), ("DATETIME", "datetime"), ("TIMESTAMP", "datetime"), ("DATE", "date"), ("TIME", "time"),
            ("INT", "number"),
            ("DEC", "number"), ("NUMERIC", "number"), ("REAL", "number"), ("FLOA", "number"), ("DOUB", "number"), ("MONEY", "number"))
_SCALE = re.compile(r"\(\s*[0-9]+\s*,\s*([0-9]+)\s*\)")
MAX_DECIMALS = 20


@dataclass
class Relation:
    """A table of the file: its columns as they are called there, and which of them are its primary key."""

    name: str
    names: list[str]
    columns: list[Column]
    primary: tuple[int, ...]

    def place(self, name: str) -> int | None:
        """Return the place of a column, whose name SQLite takes in any case."""
        return next((place for place, one in enumerate(self.names) if one.lower() == name.lower()), None)


def relations(connection: sqlite3.Connection, tell: Tell) -> list[Relation]:
    """Return the tables in the order in which they were made; views and virtual tables are noted.

    Raises:
        ImportFailed: one is too wide.
    """
    listed = connection.execute("SELECT type, name, rootpage FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    for kind, name, page in listed:
        if kind == "view":
            tell("view", name, "not imported; views and formulas can show the same")
        elif not page:
            tell("virtual table", name, "its content is made by a module of the program that wrote it")
    plain = [name for kind, name, page in listed if kind == "table" and page and not name.lower().startswith("sqlite_")]
    shadows = _shadows(connection)
    for name in shadows:
        tell("table", name, "it belongs to a virtual table")
    return [_relation(connection, name, tell) for name in plain if name not in shadows]


def _shadows(connection: sqlite3.Connection) -> set[str]:
    """Return the tables in which modules that made virtual tables keep what is theirs."""
    modules = {name.lower(): _module(sql) for name, sql in connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND rootpage = 0").fetchall()}
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage <> 0")]
    return {name for name in names for virtual, module in modules.items()
            if name.lower().startswith(f"{virtual}_") and name.lower().removeprefix(f"{virtual}_") in SHADOWS.get(module, ())}


def _module(sql: str | None) -> str:
    found = _USING.search(sql or "")
    return found[1].lower() if found else ""


def _relation(connection: sqlite3.Connection, name: str, tell: Tell) -> Relation:
    found = connection.execute(f"PRAGMA main.table_xinfo({quoted(name)})").fetchall()
    check_width(name, len(found))
    primary = sorted((pk, place) for place, (_, _, _, _, _, pk, _) in enumerate(found) if pk)
    relation = Relation(name, [column[1] for column in found], [
        Column(column, named=True, hint=_hint(declared), required=bool(required), **_declared(declared))
        for _, column, declared, required, _, _, _ in found], tuple(place for _, place in primary))
    for place in _unique(connection, relation):
        relation.columns[place].unique = True
    for _, column, _, _, _, _, hidden in found:
        if hidden in GENERATED:
            tell("field", f"{name}: {column}", "it is calculated in the file; its values came, to be edited from now on")
    return relation


def _hint(declared: str) -> str:
    """Return what a declared type means for guessing: numbers in a column of texts are texts."""
    declared = declared.upper()
    if "BOOL" in declared:
        return "checkbox"
    return "text" if any(word in declared for word in ("CHAR", "CLOB", "TEXT")) and "INT" not in declared else ""


def _declared(declared: str) -> dict[str, Any]:
    """Return the type of field that a declared type means where there are no values, with its options."""
    declared = declared.upper()
    kind = next((kind for word, kind in DECLARED if word in declared), "")
    scale = _SCALE.search(declared)
    decimals = int(scale[1]) if scale else 2 if any(word in declared for word in ("REAL", "FLOA", "DOUB", "MONEY")) else 0
    return {"type": kind, "options": {"decimals": min(decimals, MAX_DECIMALS)} if kind == "number" else {}}


def _unique(connection: sqlite3.Connection, relation: Relation) -> list[int]:
    """Return the places of columns that are unique by themselves."""
    names = [relation.names[relation.primary[0]]] if len(relation.primary) == 1 else []
    for _, index, unique, _, partial in connection.execute(f"PRAGMA main.index_list({quoted(relation.name)})").fetchall():
        columns = connection.execute(f"PRAGMA main.index_info({quoted(index)})").fetchall() if unique and not partial else []
        if len(columns) == 1 and columns[0][2] is not None:
            names.append(columns[0][2])
    return [place for name in names if (place := relation.place(name)) is not None]


def links_of(connection: sqlite3.Connection, relation: Relation, all_of_them: list[Relation], tell: Tell) -> list[Link]:
    """Return the foreign keys of a table; those that point to nothing known are noted."""
    parts: dict[int, list[tuple[int, str, str, str | None]]] = defaultdict(list)
    listed = connection.execute(f"PRAGMA main.foreign_key_list({quoted(relation.name)})").fetchall()
    for number, place, target, column, target_column, *_ in listed:
        parts[number].append((place, target, column, target_column))
    links: list[Link] = []
    for number in sorted(parts, reverse=True):  # SQLite lists the last one first
        found = _link(relation, sorted(parts[number], key=lambda part: part[0]), all_of_them)
        if found is None:
            columns = ", ".join(part[2] for part in parts[number])
            tell("foreign key", f"{relation.name}: {columns}", f"no such key in “{parts[number][0][1][:60]}”; kept as values")
        elif all(found.columns != one.columns for one in links):
            links.append(found)
        else:
            tell("foreign key", f"{relation.name}: {', '.join(part[2] for part in parts[number])}",
                 f"its columns point to another table already; the one to “{parts[number][0][1][:60]}” is left out")
    return links


def _link(relation: Relation, parts: list[tuple[int, str, str, str | None]], all_of_them: list[Relation]) -> Link | None:
    named = parts[0][1].lower()
    target = next((place for place, one in enumerate(all_of_them) if one.name.lower() == named), None)
    if target is None:
        return None
    columns = [relation.place(part[2]) for part in parts]
    there = [all_of_them[target].place(part[3]) for part in parts if part[3] is not None] or list(all_of_them[target].primary)
    if len(there) != len(columns) or None in there or None in columns:
        return None
    return Link(tuple(c for c in columns if c is not None), target, tuple(c for c in there if c is not None))


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
