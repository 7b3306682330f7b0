"""Plan: the fields that a surveyed table gets, and how each takes its value from a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from core.api import Corrections, ImportFailed, new_key
from plugins.tabular.cells import shown, text_of
from plugins.tabular.foreign_keys import Linked
from plugins.tabular.row_keys import Keys
from plugins.tabular.safe_names import MAX_CHARS, Names, labels, tidy
from plugins.tabular.survey import Survey
from plugins.tabular.table import MAX_COLUMNS, Column, Tell
from plugins.tabular.type_inference import MARKS, Misfit, Verdict

UNIQUE_TYPES = ("text", "long_text", "number", "email", "url", "phone")
CACHED = 5000


@dataclass(frozen=True)
class Turn:
    """How cells become values: each by `one`; of texts, those that are not kept as they are by `read`, once bare, where it is given."""

    one: Callable[[Any], Any]
    read: Callable[[str], Any] | None = None
    keeps_texts: bool = False

    def texts(self, cells: Sequence[str]) -> list[Any] | None:
        """Return what texts become, none of them empty; None where each has to be looked at."""
        if self.keeps_texts or self.read is None:
            return list(cells) if self.keeps_texts else None
        bare = list(map(str.strip, cells))
        if not MARKS.isdisjoint(bare):
            return None
        values = list(map(self.read, bare))
        return None if None in values else values


@dataclass
class Plan:
    """One worksheet to be: fields in order, and the places of the row's cells that fill them."""

    survey: Survey
    place: int
    name: str
    tell: Tell
    key: str = field(default_factory=lambda: new_key("w"))
    names: Names = field(default_factory=Names)
    fields: list[dict[str, Any]] = field(default_factory=list)
    plain: list[tuple[int, str, Turn]] = field(default_factory=list)
    files: list[tuple[int, str, str]] = field(default_factory=list)
    links: list[tuple[Linked, str]] = field(default_factory=list)
    taken: dict[int, str] = field(default_factory=dict)
    """The key of the field that each place's column became."""
    readings: dict[int, str] = field(default_factory=dict)
    """As what each place's column is read."""

    @property
    def address(self) -> str:
        """The worksheet's address."""
        return f"worksheet/{self.key}"

    def add(self, name: str, kind: str, options: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Add a field and return its definition.

        Raises:
            ImportFailed: there are too many already.
        """
        if len(self.fields) >= MAX_COLUMNS:
            raise ImportFailed(f"“{self.name}” would get more than {MAX_COLUMNS} fields; leave columns out.")
        definition = {"key": new_key("f"), "type": kind, "name": self.names.take(name), "options": options, **more}
        self.fields.append(definition)
        return definition

    def note(self, name: str, reason: str) -> None:
        """Say that something of a column came in other than it was."""
        self.tell("field", f"{self.name}: {name}", reason)


def plan_columns(plan: Plan, linked: list[Linked], plans: list[Plan], keys: Keys, wanted: Corrections) -> None:
    """Add a field for every column, relationships for its links, and note what is otherwise than in the file."""
    single = {one.link.columns[0]: one for one in linked if len(one.link.columns) == 1}
    table = plan.survey.table
    for place, (column, label) in enumerate(zip(table.columns, labels(table), strict=True)):
        if wanted.skips(table.name, label):
            plan.note(label, "it is left out, as was asked for")
            continue
        column = replace(column, name=wanted.name_of(table.name, label) if wanted.name_of(table.name, label) != label else column.name)
        if place in single and not wanted.type_of(table.name, label):
            _linked_column(plan, place, column, single[place], plans)
        else:
            _plain_column(plan, place, column, keys)
        if len(tidy(column.name)) > MAX_CHARS:
            plan.note(column.name[:MAX_CHARS], f"its name was longer than {MAX_CHARS} characters and is cut")
    for one in linked:
        if single.get(one.link.columns[0]) is not one:
            _relationship(plan, one, plans[one.link.target].name, plans)
    if plan.survey.wider:
        plan.tell("table", plan.name, "some of its rows are longer than the first; they made columns without a name")


def _plain_column(plan: Plan, place: int, column: Column, keys: Keys) -> None:
    survey, guess = plan.survey, plan.survey.guesses[place]
    if not guess.filled and not column.named and not survey.blobs[place] and not survey.spilled[place]:
        plan.note(column.name, "it has neither a name nor values and is left out")
        return
    if guess.filled or not (survey.blobs[place] or survey.spilled[place]):
        verdict = _verdict(plan, place, column)
        if column.unique and verdict.type == "single_select":
            verdict = Verdict("text")
        definition = plan.add(column.name, verdict.type, verdict.options)
        plan.taken[place], plan.readings[place] = definition["key"], guess.asked or verdict.type
        definition.update(_constraints(plan, place, column, verdict.type, keys))
        plan.plain.append((place, definition["key"], _turn(verdict, definition)))
        for reason in verdict.notes:
            plan.note(definition["name"], reason)
    if survey.blobs[place] or survey.spilled[place]:
        _file_column(plan, place, column)


def _verdict(plan: Plan, place: int, column: Column) -> Verdict:
    """Return what a column becomes: by its cells, else by what the file declares.

    Raises:
        ImportFailed: it cannot be what somebody asked for.
    """
    survey, guess = plan.survey, plan.survey.guesses[place]
    try:
        verdict = guess.verdict(survey.rows)
    except Misfit as misfit:
        raise ImportFailed(f"“{plan.name}: {column.name[:100]}” cannot become “{guess.asked}”: {misfit}. "
                           "Choose another type, or fix the file.") from misfit
    if guess.asked or not column.type:
        return verdict
    if not guess.filled:
        return replace(verdict, type=column.type, options=column.options)
    return verdict


def _file_column(plan: Plan, place: int, column: Column) -> None:
    survey = plan.survey
    mixed = bool(survey.guesses[place].filled)
    definition = plan.add(f"{column.name} (file)" if mixed else column.name, "file", {})
    plan.files.append((place, definition["key"], column.name))
    if not mixed:
        plan.taken[place], plan.readings[place] = definition["key"], "file"
    if mixed and survey.blobs[place]:
        plan.note(definition["name"], f"{survey.blobs[place]} of its cells hold bytes; they became files beside the others")
    if survey.spilled[place]:
        plan.note(definition["name"], f"{survey.spilled[place]} of its texts are too long for a record; they became files")


def _constraints(plan: Plan, place: int, column: Column, kind: str, keys: Keys) -> dict[str, bool]:
    """Return what the file declares of the column, as far as all values keep to it."""
    survey, guess, found = plan.survey, plan.survey.guesses[place], {}
    empty = survey.rows - guess.filled + (guess.marks if kind not in ("text", "long_text", "single_select") else 0)
    if column.required and kind != "checkbox":
        found["required"] = not empty
    if column.unique and kind in UNIQUE_TYPES:
        found["unique"] = not survey.blobs[place] and keys.is_unique(keys.index(plan.place, (place,)))
    for name, kept in found.items():
        if not kept:
            plan.note(column.name, f"it is declared {name}, but its values are not")
    return {name: True for name, kept in found.items() if kept}


def _linked_column(plan: Plan, place: int, column: Column, one: Linked, plans: list[Plan]) -> None:
    definition = _relationship(plan, one, column.name, plans)
    plan.taken[place], plan.readings[place] = definition["key"], "relationship"
    complete = plan.survey.guesses[place].filled + plan.survey.blobs[place] == plan.survey.rows
    if column.required and complete and not one.dangling:
        definition["required"] = True
    if one.dangling:
        kept = plan.add(f"{column.name} (value)", "text", {})
        plan.plain.append((place, kept["key"], Turn(_text, keeps_texts=True)))
        plan.note(definition["name"], f"{one.dangling} of its values point to no row of “{plans[one.link.target].name}”; "
                                      f"all its values are kept in “{kept['name']}”")


def _relationship(plan: Plan, one: Linked, name: str, plans: list[Plan]) -> dict[str, Any]:
    target = plans[one.link.target]
    definition = plan.add(name, "relationship", {"target": {"ref": target.address}, "multiple": False})
    plan.links.append((one, definition["key"]))
    if one.dangling and len(one.link.columns) > 1:
        plan.note(definition["name"], f"{one.dangling} of its rows point to no row of “{target.name}”; "
                                      "the columns that say where are kept")
    return definition


def add_mirrors(plans: list[Plan]) -> None:
    """Give each worksheet a computed field for each relationship that points to it, called like the other worksheet."""
    for plan in plans:
        targets = [one.link.target for one, _ in plan.links]
        for one, key in plan.links:
            target = plans[one.link.target]
            stored = next(f for f in plan.fields if f["key"] == key)
            name = plan.name if targets.count(one.link.target) == 1 else f"{plan.name[:60]} ({stored['name'][:35]})"
            if len(target.fields) >= MAX_COLUMNS:
                target.note(name, "there is no room for the field that would show the other side of a relationship")
                continue
            target.add(name, "relationship", {
                "target": {"ref": plan.address}, "mirrors": {"ref": f"{plan.address}/field/{key}"}})


def _turn(verdict: Verdict, definition: dict[str, Any]) -> Turn:
    """Return what makes a cell a value; for a select, the choices are put into the definition."""
    if verdict.type == "single_select":
        keys = {name: new_key("o") for name in verdict.choices}
        definition["options"] = {"choices": [{"key": key, "name": name} for name, key in keys.items()]}
        return Turn(lambda cell: keys[text_of(cell)])
    read = verdict.value
    if read is None:
        return Turn(_text, keeps_texts=True)

    @lru_cache(CACHED)
    def value(text: str) -> Any:
        bare = text.strip()
        return None if bare in MARKS else read(bare)

    whole = definition["type"] in ("number", "currency") and not definition["options"]["decimals"]
    return Turn(lambda cell: cell if whole and type(cell) is int else value(cell if type(cell) is str else text_of(cell)), read)


def _text(cell: Any) -> Any:
    return cell.hex() if isinstance(cell, bytes) else shown(cell)
