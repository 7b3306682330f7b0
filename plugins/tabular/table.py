"""Tables: what every format is turned into before anything is guessed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.api import ImportFailed

MAX_COLUMNS = 500
MAX_TABLES = 500
Row = Sequence[Any]
"""Cells: text, numbers, booleans, dates, times, durations, bytes; None or "" where there is nothing."""
Tell = Callable[[str, str, str], None]
"""Notes something without a counterpart: a kind of thing, its name, one sentence."""


@dataclass
class Column:
    """A column: what it is called and what the file declares of it.

    `named` is False where the file gives no name. `hint` is "text" where numbers are meant as text, "checkbox"
    where 0 and 1 mean no and yes. `type` is what the file declares: for a column without values, or by how it shows
    numbers ("percent", "currency"). `options` belong to it.
    """

    name: str
    named: bool = True
    hint: str = ""
    required: bool = False
    unique: bool = False
    type: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """A foreign key: places of its columns, the place of the table it points to, and of the columns there."""

    columns: tuple[int, ...]
    target: int
    target_columns: tuple[int, ...]


@dataclass
class Table:
    """A table of any length. `rows` reads it anew, always in the same order; row n becomes record n."""

    name: str
    columns: list[Column]
    rows: Callable[[], Iterator[Row]]
    links: list[Link] = field(default_factory=list)
    commas: bool = False
    """Whether commas divide its cells, so that one within a cell is rarely a decimal point."""
    header: int | None = None
    """The number of the row that names the columns, 0 for none; None where the file itself names them."""
    written: dict[str, str] = field(default_factory=dict)
    """How the file is written, as far as it can be corrected: encoding, delimiter."""

    def __post_init__(self) -> None:
        check_width(self.name, len(self.columns))


def check_width(table: str, width: int) -> None:
    """Refuse a table that is too wide for a worksheet.

    Raises:
        ImportFailed: with the table's name.
    """
    if width > MAX_COLUMNS:
        raise ImportFailed(f"“{table[:100]}” has {width} columns; a worksheet has at most {MAX_COLUMNS} fields. "
                           "Divide it or leave columns out.")


def is_empty(cell: Any) -> bool:
    """Say whether a cell holds nothing."""
    return cell is None or cell == ""
