"""What a table may be: one whose rows a backup cannot hold is refused where it is declared, so that its plugin is left out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, Enum, LargeBinary, MetaData, Numeric, String, Table, Uuid

from core.api import TableComponent, TableData


def table(name: str, *columns: Column[Any], section: str = "n", own: bool = True) -> TableData:
    """Return a table of rows with these columns."""
    rows = [Column("app_id", String(16), primary_key=True), Column("number", BigInteger, primary_key=True), Column("deleted_at", BigInteger)]
    made: Any = type(name, (), {"__table__": Table(name, MetaData(), *(rows if own else rows[:1]), *columns)})
    return TableData(made, section=section, noun="Notes")


@pytest.mark.parametrize("kind", [DateTime(), Date(), LargeBinary(), Numeric(), Uuid(), JSON(), Enum("a", "b")])
def test_columns_of_other_types_are_refused(kind: Any) -> None:
    """A row with one failed each backup of its app; the reason names the column, and what columns may be."""
    with pytest.raises(ValueError, match=r"the column due of the type .* Columns are whole numbers .*Json of core\.api"):
        table("note", Column("due", kind))


def test_a_table_of_something_else_is_refused() -> None:
    """One without what each row has."""
    with pytest.raises(ValueError, match="no column deleted_at: mix in Row"):
        table("note", own=False)


def test_two_tables_do_not_share_a_section() -> None:
    """Their lines would lie in one place of a backup, which could not be restored."""
    with pytest.raises(ValueError, match="Notes has two tables with the section “n”"):
        type("Notes", (TableComponent,), {"tables": (table("note"), table("other"))})
    assert type("Notes", (TableComponent,), {"tables": (table("note"), table("other", section="o"))})
