"""Derived values of records, computed over a small app held in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from core.api import FieldType, RecordView
from plugins.worksheets.compute import MAX_LAYERS, compute_records
from plugins.worksheets.formula import derived

NOW = 1_709_209_815_000_000  # 2024-02-29T12:30:15Z
TASKS, PEOPLE = "worksheet/w_tasks", "worksheet/w_people"


class Kind(FieldType):
    """A field type as plain as can be: stored, or computed by a function."""

    def __init__(self, compute: Callable[..., Any] | None = None) -> None:
        self.computes = compute

    def derived_for(self, definition):
        return self.computes is not None or "mirrors" in definition["options"]

    def compute(self, definition, record, address, source):
        if self.computes is not None:
            return self.computes(definition, record, address, source)
        mirrored = definition["options"]["mirrors"]["ref"]
        worksheet, _, field = mirrored.rpartition("/field/")
        return source.referring(worksheet, field, [record.seq]).get(record.seq)


DERIVED = {"formula": Kind(derived.compute_formula), "text_combination": Kind(derived.compute_combination),
           "lookup": Kind(derived.compute_lookup), "rollup": Kind(derived.compute_rollup),
           "count": Kind(derived.compute_count)}
STORED = Kind()


def types(name: str) -> FieldType:
    """Return the derived types by name and one stored type for all others."""
    return DERIVED.get(name, STORED)


class Memory:
    """Worksheets and records in dicts; counts how often it is asked."""

    def __init__(self, **worksheets: Any) -> None:
        self.bodies = {f"worksheet/w_{name}": {"fields": fields} for name, fields in worksheets.items()}
        self.rows: dict[str, dict[int, RecordView]] = {address: {} for address in self.bodies}
        self.asked: list[tuple[str, ...]] = []

    def add(self, address: str, **vals: Any) -> RecordView:
        seq = len(self.rows[address]) + 1
        record = RecordView(seq=seq, vals={f"f_{k}": v for k, v in vals.items()}, created_at=0, created_by="system",
                            updated_at=0, updated_by="system")
        self.rows[address][seq] = record
        return record

    def worksheet(self, address):
        return self.bodies.get(address)

    def records_of(self, wanted):
        return {address: self.records(address, seqs) for address, seqs in wanted.items()}

    def records(self, address, seqs):
        self.asked.append(("records", address))
        return {seq: self.rows[address][seq] for seq in seqs if seq in self.rows.get(address, {})}

    def referring(self, address, field, seqs):
        self.asked.append(("referring", address))
        rows = self.rows[address].values()
        return {seq: [row.seq for row in rows if seq in row.vals.get(field, ())] for seq in seqs}

    def choices(self, definition):
        return {choice["key"]: choice["name"] for choice in definition["options"]["choices"]}


def field(key: str, kind: str = "text", **options: Any) -> dict[str, Any]:
    """Return a field's definition."""
    return {"key": f"f_{key}", "type": kind, "name": key, "options": options}


def formula(key: str, expression: str, **more: Any) -> dict[str, Any]:
    """Return a formula's definition."""
    return field(key, "formula", expression=expression, **more)


def through(key: str, kind: str, link: str, target: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the definition of a lookup, rollup or count over a link of the tasks to people."""
    options = {"through": {"ref": f"{TASKS}/field/f_{link}"}} | more
    return field(key, kind, **options, **({"target": {"ref": f"{PEOPLE}/field/f_{target}"}} if target else {}))


LINK = field("people", "relationship", target={"ref": PEOPLE})
STAGES = [{"key": "o_1", "name": "Won"}, {"key": "o_2", "name": "Lost"}]
PERSON = [field("name"), field("age", "number", decimals=0), field("pay", "number", decimals=2), field("born", "date"),
          field("stage", "single_select", choices=STAGES), field("tags", "multiple_select", choices=STAGES),
          formula("half", "{f_age} / 2"), formula("next", "{f_born} + date_interval('1 day')"),
          formula("bad", "tonumber('x')"), field("done", "checkbox"),
          field("tasks", "relationship", target={"ref": TASKS}, mirrors={"ref": f"{TASKS}/field/f_people"}),
          formula("busy", "count({f_tasks})")]


def computed(*fields: dict[str, Any], **vals: Any) -> dict[str, Any]:
    """Return the derived values of a task, without their prefix; people 1 and 2 exist, 3 does not."""
    memory = Memory(tasks=[field("title"), LINK, *fields], people=PERSON)
    memory.add(PEOPLE, name="Ann", age=31, pay="10.50", born="2024-02-28", stage="o_1", tags=["o_1", "o_2"], done=True)
    memory.add(PEOPLE, name="Bob", age=40, pay="0.25", stage="o_2")
    record = memory.add(TASKS, **vals)
    [found] = compute_records(memory, TASKS, [record], now=NOW, types=types)
    return {key.removeprefix("f_"): value for key, value in found.items()}


BOTH = {"people": [2, 1]}


@pytest.mark.parametrize(("expression", "value"), [
    ("{f_people.f_name}", ["Bob", "Ann"]),
    ("join({f_people}, '+')", "Bob+Ann"),
    ("sum({f_people.f_pay})", "10.75"),
    ("sum(filter({f_people.f_age}, {f_people.f_stage} = 'Won'))", 31),
    ("join(totext({f_people.f_tags}), ';')", ";Won, Lost"),
    ("first({f_people.f_half}) + 1", 21),
    ("last({f_people.f_half}) + 1", "16.5"),
    ("last({f_people.f_next}) + date_interval('1 day')", "2024-03-01"),
    ("count({f_people})", 2),
    ("max({f_people.f_busy})", 1),
    ("any({f_people.f_done}) && !every({f_people.f_done})", True),
    ("last({f_people.f_tags})", ["Won", "Lost"]),
    ("now()", "2024-02-29T12:30:15Z"),
    ("today()", "2024-02-29"),
    ("0.5 + 0.5", 1),
    ("1 / 3", "0.3333333333"),
    ("9007199254740992", "9007199254740992"),
    ("link('https://a.b', 'A')", {"url": "https://a.b", "label": "A"}),
    ("date_interval('90 s')", 90),
])
def test_a_formula_reads_its_record_and_the_records_linked(expression, value):
    """Values come out as JSON without floats, in the order of the links; links to what is gone are passed over."""
    assert computed(formula("x", expression), people=[2, 3, 1]) == {"x": value}


@pytest.mark.parametrize(("expression", "form", "value"), [
    ("1 / 3", {"type": "number", "decimals": 2}, "0.33"),
    ("2.5", {"type": "number", "decimals": 0}, 3),
    ("'2024-01-01'", {"type": "date"}, "2024-01-01"),
    ("'2024-01-01T05:00:00+02:00'", {"type": "datetime"}, "2024-01-01T03:00:00Z"),
    ("1", {"type": "checkbox"}, True),
    ("1.5", {"type": "text"}, "1.5"),
    ("'90'", {"type": "duration"}, 90),
])
def test_a_format_says_what_a_formula_gives(expression, form, value):
    """The format turns the result into its type and its decimals."""
    assert computed(formula("x", expression, format=form)) == {"x": value}


@pytest.mark.parametrize("expression", ["1 / 0", "tonumber('x')", "{f_nowhere}", "{f_title.f_name}", "{f_people.f_none}",
                                        "{f_people.f_bad}", "''", "broken("])
def test_a_formula_without_a_value_is_left_out(expression):
    """An error is no value, neither of the formula nor of what builds on it."""
    assert computed(formula("x", expression), formula("y", "{f_x} & ''"), people=[1]) == {}


def test_a_failure_can_be_told_from_a_blank_value_by_what_builds_on_it():
    """Failures pass from field to field."""
    assert computed(formula("x", "1 / 0"), formula("y", "if_error({f_x}, 'none')")) == {"y": "none"}


def test_a_lookup_gives_the_values_of_the_linked_records():
    """Blank values are left out; choices go by their names."""
    assert computed(through("x", "lookup", "people", "stage"), through("y", "lookup", "people", "born"),
                    formula("z", "first({f_y}) + date_interval('1 day')"), **BOTH) == {
        "x": ["Lost", "Won"], "y": ["2024-02-28"], "z": "2024-02-29"}


@pytest.mark.parametrize(("function", "target", "value"), [
    ("sum", "pay", "10.75"), ("avg", "age", "35.5"), ("min", "name", "Ann"), ("max", "age", 40), ("count", "born", 2),
    ("count_filled", "born", 1), ("count_unique", "stage", 2), ("every", "done", False), ("any", "done", True),
    ("array_join", "name", "Bob, Ann"), ("array_unique", "name", ["Bob", "Ann"]), ("sum", "half", "35.5"),
])
def test_a_rollup_gathers_the_linked_values(function, target, value):
    """Each function of rollups is pinned by an example."""
    assert computed(through("x", "rollup", "people", target, function=function), **BOTH) == {"x": value}


def test_every_function_of_rollups_is_an_example_above():
    """A new one comes with an example."""
    assert set(derived.ROLLUPS) == {mark.args[1][i][0] for mark in
                                    test_a_rollup_gathers_the_linked_values.pytestmark for i in range(12)}


def test_a_count_counts_the_live_records():
    """A link to a record that is gone does not count; none is 0."""
    assert computed(through("x", "count", "people"), people=[1, 2, 3]) == {"x": 2}
    assert computed(through("x", "count", "people")) == {"x": 0}


def test_a_text_combination_fills_its_template():
    """Fields are shown as people read them."""
    assert computed(field("x", "text_combination", template="{f_title}: {f_people.f_name} {{ok}}"),
                    title="Job", **BOTH) == {"x": "Job: Bob, Ann {ok}"}


@pytest.mark.parametrize("fields", [
    [formula("a", "{f_a} & 'x'")],
    [formula("a", "{f_b} & 'x'"), formula("b", "{f_a} & 'y'")],
    [formula("a", "{f_b} & 'x'"), formula("b", "{f_c} & 'y'"), formula("c", "{f_b} & 'y'")],
])
def test_a_circle_of_fields_has_no_value(fields):
    """What builds on itself has none, nor has what builds on that, whichever is asked first."""
    assert computed(*fields) == computed(*reversed(fields)) == {}


def test_a_circle_over_links_has_no_value_whatever_the_records_hold():
    """Whether fields form a circle is seen from their definitions, so no record's data changes it."""
    memory = Memory(tasks=[LINK, formula("x", "'t' & join({f_people.f_y}, '')")],
                    people=[field("name"), field("tasks", "relationship", target={"ref": TASKS}),
                            formula("y", "'p' & join({f_tasks.f_x}, '')")])
    memory.add(PEOPLE, name="Ann", tasks=[1])
    records = [memory.add(TASKS, people=[1]), memory.add(TASKS)]
    assert compute_records(memory, TASKS, records, now=NOW, types=types) == [{}, {}]


def test_as_many_layers_as_allowed_are_computed_and_one_more_is_not():
    """A pile of formulas cannot bring the program down."""
    pile = [formula("x0", "1"), *(formula(f"x{n}", f"{{f_x{n - 1}}} + 1") for n in range(1, MAX_LAYERS + 5))]
    found = computed(*reversed(pile))
    assert found == {f"x{n}": n + 1 for n in range(MAX_LAYERS)}


def test_a_page_reads_linked_records_at_once():
    """The number of questions does not grow with the page."""
    memory = Memory(tasks=[LINK, through("x", "lookup", "people", "busy")], people=PERSON)
    for n in range(20):
        memory.add(PEOPLE, name=f"P{n}")
    records = [memory.add(TASKS, people=[n + 1]) for n in range(20)]
    found = compute_records(memory, TASKS, records, now=NOW, types=types)
    assert found == [{"f_x": [1]}] * 20
    assert memory.asked == [("records", PEOPLE), ("referring", TASKS)]


def test_only_the_fields_asked_for_are_computed():
    """A page that shows few fields pays for few."""
    memory = Memory(tasks=[formula("x", "1"), formula("y", "2")])
    record = memory.add(TASKS)
    assert compute_records(memory, TASKS, [record], ["f_y"], now=NOW, types=types) == [{"f_y": 2}]


def test_what_comes_out_is_plain_json():
    """Whatever values carry while computing goes on, they leave as plain strings and numbers."""
    found = computed(formula("x", "1.5"), formula("y", "date_interval('1 h')"), formula("z", "{f_people.f_born}"), **BOTH)
    assert [type(found["x"]), type(found["y"]), type(found["z"][0])] == [str, int, str]


def test_a_link_shows_the_title_field_of_its_worksheet():
    """A worksheet may name another field than its first as title."""
    memory = Memory(tasks=[LINK, formula("x", "join({f_people}, '')")], people=PERSON)
    memory.bodies[PEOPLE]["title_field"] = {"ref": f"{PEOPLE}/field/f_age"}
    memory.add(PEOPLE, name="Ann", age=31)
    record = memory.add(TASKS, people=[1])
    assert compute_records(memory, TASKS, [record], now=NOW, types=types) == [{"f_x": "31"}]


def test_a_worksheet_of_another_app_points_within_its_own_app():
    """What the other app's fields call a worksheet is one of theirs, though ours may have the same key."""
    memory = Memory(tasks=[field("away", "relationship", target={"org": "app/a_x/worksheet/w_people"}),
                           formula("x", "{f_away.f_up}"), field("name")], people=[field("name")])
    away = "app/a_x/worksheet/w_people"
    memory.bodies[away] = {"fields": [field("name"), field("boss", "relationship", target={"ref": PEOPLE}),
                                      formula("up", "join({f_boss.f_name}, '')")]}
    memory.rows[away] = {}
    memory.add(PEOPLE, name="ours")
    memory.add(away, name="theirs", boss=[1])
    record = memory.add(TASKS, away=[1])
    [found] = compute_records(memory, TASKS, [record], now=NOW, types=types)
    assert found == {"f_x": ["theirs"]}


@pytest.mark.parametrize(("kind", "value"), [("time", "soon"), ("number", "many"), ("duration", "x"), ("file", "x"),
                                             ("rating", []), ("single_select", {"a": 1})])
def test_a_value_of_another_type_than_its_field_is_a_failure_and_no_crash(kind, value):
    """Leftovers of an earlier type of the field do not bring a page down."""
    assert computed(field("odd", kind, choices=[]), field("x", "text_combination", template="a{f_odd}"),
                    formula("y", "if_error({f_odd}, 'odd')"), odd=value) in ({"y": "odd"}, {"x": "a", "y": "odd"})


@pytest.mark.parametrize(("kind", "value", "expression", "result"), [
    ("time", "05:06:07", "{f_odd} & ''", "05:06:07"),
    ("duration", 5400, "{f_odd} & ''", "1:30:00"),
    ("datetime", "2024-02-29T23:00:00Z", "{f_odd} + date_interval('1 h')", "2024-03-01T00:00:00Z"),
    ("created_time", 1_709_209_815_000_000, "{f_odd}", "2024-02-29T12:30:15Z"),
    ("member", [{"org": "user/u_1"}, {"org": "user/u_2"}], "has_option({f_odd}, 'u_2')", True),
    ("region", ["France", "Paris"], "last({f_odd})", "Paris"),
    ("location", {"lat": "1.5", "lon": "2"}, "{f_odd} & ''", "1.5, 2"),
    ("file", [{"file": "0" * 64, "name": "a.png", "size": 5, "type": "image/png"}], "is_image({f_odd})", True),
    ("rating", 3, "{f_odd} * 2", 6),
    ("email", "a@b.c", "split_part({f_odd}, '@', 2)", "b.c"),
])
def test_stored_values_are_read_by_their_type(kind, value, expression, result):
    """Each type's canonical value becomes what formulas calculate with."""
    assert computed(field("odd", kind), formula("x", expression), odd=value) == {"x": result}
