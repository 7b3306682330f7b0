"""What derived fields compute. All raise CalculationFailed when there is no value; `compute` makes it None."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from core.api import Definition, InvalidDocument, RecordView, Source
from plugins.worksheets.formula import functions_lists as lists
from plugins.worksheets.formula.evaluator import evaluate
from plugins.worksheets.formula.function import Failure, Surroundings
from plugins.worksheets.formula.parser import Field, parse
from plugins.worksheets.formula.reading import field_of, linked, read_path, target_of, title_field
from plugins.worksheets.formula.shown import shown
from plugins.worksheets.formula.template import pieces
from plugins.worksheets.formula.values import MAX_TEXT, CalculationFailed, bounded, leaves, text, truth

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ROLLUPS: Mapping[str, Callable[[tuple[Any, ...]], Any]] = MappingProxyType({
    "sum": lists.total,
    "avg": lists.mean,
    "min": lists.least,
    "max": lists.greatest,
    "count": lists.count,
    "count_filled": lambda values: sum(1 for _ in leaves(values)),
    "count_unique": lambda values: len(lists.unique(tuple(leaves(values)))),
    "every": lambda values: all(map(truth, values)),
    "any": lambda values: any(map(truth, values)),
    "array_join": lambda values: lists.join(tuple(leaves(values))),
    "array_unique": lambda values: lists.unique(tuple(leaves(values))),
})
"""What a rollup can make of the linked values, by the name in its options."""


def compute_formula(definition: Definition, record: RecordView, address: str, source: Source) -> Any:
    """Return a formula's value for one record of worksheet *address*, as JSON."""
    options = definition["options"]
    around = Surroundings(now=_EPOCH + timedelta(microseconds=source.now()), seq=record.seq)
    try:
        steps = parse(options["expression"])
    except InvalidDocument as error:
        raise CalculationFailed(error.message) from error
    value = evaluate(steps, lambda path: read_path(path, address, record, source), around)
    if isinstance(value, Failure):
        raise CalculationFailed(value.reason)
    return shown(value, options.get("format"))


def compute_combination(definition: Definition, record: RecordView, address: str, source: Source) -> Any:
    """Return the text that a template makes of one record; None when it is empty."""
    found, size = [], 0
    for piece in pieces(definition["options"]["template"]):
        found.append(piece if isinstance(piece, str) else text(read_path(piece, address, record, source)))
        size += len(found[-1])
        if size > MAX_TEXT:
            raise CalculationFailed("the text becomes too long")
    return bounded("".join(found)) or None


def compute_lookup(definition: Definition, record: RecordView, address: str, source: Source) -> Any:
    """Return the values of a field of the linked records as one list, blank ones left out; None without any."""
    value = read_path(_path(definition), address, record, source)
    return shown(tuple(leaves(value)))


def compute_rollup(definition: Definition, record: RecordView, address: str, source: Source) -> Any:
    """Return what a function makes of the values of a field of the linked records."""
    call = ROLLUPS.get(definition["options"]["function"])
    if call is None:
        raise CalculationFailed("unknown rollup function")
    try:
        value = call(read_path(_path(definition), address, record, source))
    except (ArithmeticError, ValueError) as error:
        raise CalculationFailed("out of range") from error
    return shown(value, definition["options"].get("format"))


def compute_count(definition: Definition, record: RecordView, address: str, source: Source) -> Any:
    """Return how many live records a field points to."""
    return len(linked(address, _key(definition, "through"), record, source)[1])


def builds_on(definition: Definition, address: str, source: Source) -> Iterator[tuple[str, str]]:
    """Yield (worksheet address, field key) of every field that a derived field reads, as far as they live."""
    for path in paths(definition):
        yield address, path[0]
        try:
            target = target_of(field_of(address, path[0], source), address)
        except CalculationFailed:
            continue
        if target is None:
            continue
        if len(path) == 2:
            yield target, path[1]
            yield from _title_of(target, path[1], source)
        elif definition["type"] != "count":
            yield from _title_of(address, path[0], source)


def _title_of(address: str, key: str, source: Source) -> Iterator[tuple[str, str]]:
    """Yield the field by which the records are called that a link field shows."""
    try:
        target = target_of(field_of(address, key, source), address)
    except CalculationFailed:
        return
    title = None if target is None else title_field(target, source)
    if target is not None and title is not None:
        yield target, str(title["key"])


def paths(definition: Definition) -> list[tuple[str, ...]]:
    """Return the path of every field that a derived field names; nothing for a text that cannot be read."""
    options = definition.get("options", {})
    try:
        if definition["type"] == "formula":
            return [step.path for step in parse(options["expression"], strict=False) if isinstance(step, Field)]
        if definition["type"] == "text_combination":
            return [piece for piece in pieces(options["template"]) if isinstance(piece, tuple)]
    except InvalidDocument:
        return []
    if definition["type"] in ("lookup", "rollup"):
        return [_path(definition)]
    return [(_key(definition, "through"),)] if definition["type"] == "count" else []


def _path(definition: Definition) -> tuple[str, ...]:
    return _key(definition, "through"), _key(definition, "target")


def _key(definition: Definition, option: str) -> str:
    return str(definition["options"][option]["ref"]).rpartition("/")[2]
