"""The matrix of permissions: what a form shows, and what becomes of what it does not show."""

from __future__ import annotations

from core.api import matrix as m
from core.web.matrix import Thing

SCOPES = (("none", "None"), ("own", "Own"), ("all", "All"))
MATRIX = m.Matrix("worksheets", "worksheet", (m.Action("create", "Create"), m.Action("read", "Read", SCOPES)), (
    m.Flags("fields", "field", "Fields", (m.Flag("read", "Read"), m.Flag("write", "Change", follows="read"))),))
A = Thing("worksheet/w_A", "A", {"fields": [Thing("worksheet/w_A/field/f_1", "One"), Thing("worksheet/w_A/field/f_2", "Two")]})
B = Thing("worksheet/w_B", "B")
GONE = {"worksheet": {"ref": "worksheet/w_gone"}, "read": "own"}
OF_A = {"worksheet": {"ref": "worksheet/w_A"}, "read": "own", "fields": [
    {"field": {"ref": "worksheet/w_A/field/f_gone"}, "read": False}, {"field": {"ref": "worksheet/w_A/field/f_1"}, "read": False}]}


def sent(rows: list[m.Row]) -> dict[str, str]:
    """Return what a browser sends of a form in which nothing was touched."""
    found = {}
    for row in rows:
        found[row.prefix] = "1"
        found |= {f"{row.prefix}.{name}": value if isinstance(value, str) else "1"
                  for name, value in row.values.items() if value is not False}
        for _, inner in row.parts:
            found |= sent(list(inner))
    return found


def test_a_form_that_was_not_touched_changes_nothing() -> None:
    """Saving what was shown gives the very same entries, with and without rights on everything."""
    for everything in (False, True):
        rows = m.rows(MATRIX, [GONE, OF_A], [A, B], everything=everything)
        assert [GONE, OF_A] == m.read(MATRIX, sent(rows), [GONE, OF_A], rows)


def test_what_is_not_shown_stays() -> None:
    """Entries of worksheets and fields that the form does not show outlive a change of those that it shows."""
    rows = m.rows(MATRIX, [GONE, OF_A], [A, B], everything=False)
    form = sent(rows) | {"worksheets.worksheet/w_A.read": "all"}
    found = m.read(MATRIX, form, [GONE, OF_A], rows)
    assert GONE == found[0]
    assert {**OF_A, "read": "all"} == found[1]


def test_a_worksheet_made_while_the_form_was_open_gets_nothing() -> None:
    """A row that the form did not bring is left alone."""
    rows = m.rows(MATRIX, [], [A, B], everything=True)
    form = {name: value for name, value in sent(rows).items() if "w_B" not in name}
    assert [] == m.read(MATRIX, form, [], rows)


def test_unticking_one_of_everything_writes_the_whole_entry() -> None:
    """Where a role has everything, restricting one worksheet says all that is left on it."""
    rows = m.rows(MATRIX, [], [A, B], everything=True)
    form = sent(rows) | {"worksheets.worksheet/w_B.read": "own"}
    assert [{"worksheet": {"ref": "worksheet/w_B"}, "create": True, "read": "own"}] == m.read(MATRIX, form, [], rows)


def test_a_field_that_may_not_be_read_is_not_written_unless_it_says_so() -> None:
    """The flag for writing follows the one for reading where nothing is said."""
    rows = m.rows(MATRIX, [OF_A], [A], everything=False)
    one, two = rows[0].parts[0][1]
    assert {"read": False, "write": False} == one.values
    assert {"read": True, "write": True} == two.values
    assert 1 == rows[0].shut
    form = sent(rows) | {f"{one.prefix}.write": "1"}
    fields = m.read(MATRIX, form, [OF_A], rows)[0]["fields"]
    assert {"field": {"ref": "worksheet/w_A/field/f_1"}, "read": False, "write": True} == fields[1]
