"""Links: which foreign keys can become relationships, judged by where their values point."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.tabular.row_keys import Keys, key_of
from plugins.tabular.survey import Survey
from plugins.tabular.table import Link, Tell


@dataclass
class Linked:
    """A foreign key: the index in which its target is found, how many values point to a row and how many to none."""

    link: Link
    index: int
    found: int = 0
    dangling: int = 0


def linked(surveys: list[Survey], place: int, keys: Keys, tell: Tell) -> list[Linked]:
    """Return the foreign keys of a table that become relationships; the others are noted and stay values."""
    table = surveys[place].table
    given = []
    for link in table.links:
        one = Linked(link, keys.index(link.target, link.target_columns))
        target = surveys[link.target].table
        if keys.is_unique(one.index):
            given.append(one)
        else:
            tell("foreign key", _name(surveys, place, link), f"several rows of “{target.name}” have the same key; it is kept as values")
    if given:
        _count(surveys[place], given, keys)
    for one in given:
        if one.dangling and not one.found:
            tell("foreign key", _name(surveys, place, one.link), "none of its values points to a row; it is kept as values")
    return [one for one in given if one.found or not one.dangling]


def _count(survey: Survey, given: list[Linked], keys: Keys) -> None:
    for row in survey.table.rows():
        for one in given:
            key = key_of(row, one.link.columns)
            if key is None:
                continue
            if keys.find(one.index, key) is None:
                one.dangling += 1
            else:
                one.found += 1


def _name(surveys: list[Survey], place: int, link: Link) -> str:
    table = surveys[place].table
    return f"{table.name}: {', '.join(table.columns[column].name for column in link.columns)}"
