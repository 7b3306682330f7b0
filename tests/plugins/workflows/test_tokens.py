"""Tokens: what forms show of values is read back as the same values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.api import InvalidInput
from plugins.workflows.schema import STEP, WORKFLOW
from plugins.workflows.tokens import Tokens, each, tokens_of

NAME, SUM = ({"field": {"ref": f"worksheet/w_1111111111/field/f_{n}111111111"}} for n in "12")
ANSWER = {"step": "t_1111111111", "path": "body"}


def tokens() -> Tokens:
    """Return a few."""
    found = Tokens()
    for token, use in (("Name", NAME), ("Sum", SUM), ("step 1.answer", ANSWER), ("call", {"trigger": "body"}), ("today", {"about": "today"})):
        found.add("All", token, use)
    return found


@pytest.mark.parametrize(("text", "value"), [
    ("plain", "plain"), ("", ""), ("{Name}", {"template": "{0}", "uses": [NAME]}),
    ("{Name} and {Sum} and {Name}", {"template": "{0} and {1} and {0}", "uses": [NAME, SUM]}),
    ('{"a": {"b": {Sum}}}', {"template": '{"a": {"b": {0}}}', "uses": [SUM]}), ('{"a": 1}', '{"a": 1}'), ("{}", "{}"), ("{ 1 }", "{ 1 }"),
    ("{step 1.answer.items.0.id}", {"template": "{0}", "uses": [{**ANSWER, "path": "body.items.0.id"}]}),
    ("{call.x}", {"template": "{0}", "uses": [{"trigger": "body.x"}]}), ("= {Sum} * 2", {"formula": "{f_0} * 2", "uses": [SUM]}),
])
def test_what_is_typed_means_a_value_and_is_shown_again(text: str, value: Any) -> None:
    """Both ways."""
    assert tokens().read(text) == value
    assert tokens().written(tokens().read(text)) == text


@pytest.mark.parametrize("text", ["{Nobody}", "{step 2.count}", "{Name.first}", "{#1}"])
def test_what_is_like_a_token_and_is_none_is_refused(text: str) -> None:
    """With its name."""
    with pytest.raises(InvalidInput, match="Unknown value"):
        tokens().read(text)


def test_values_without_a_token_are_kept_by_their_number() -> None:
    """Those of a step that was removed since, say."""
    old = {"template": "{0} of {1}", "uses": [{"variable": "gone"}, NAME]}
    assert tokens().written(old) == "{#1} of {Name}" and tokens().read("{#1} of {Name}", old) == old
    assert tokens().read("12", 12) == 12 and tokens().read("true", True) is True and tokens().read("13", 12) == "13"


@given(some.lists(some.one_of(some.sampled_from(["{Name}", "{Sum}", "{today}", "{", "}", '"', "= "]), some.text(max_size=5)), max_size=8))
def test_whatever_is_typed_is_read_or_refused_and_shown_as_it_was(parts: list[str]) -> None:
    """Nothing changes by being saved twice."""
    try:
        value = tokens().read("".join(parts))
    except InvalidInput:
        return
    shown = tokens().written(value)
    assert tokens().read(shown, value) == value


def test_what_can_be_used_is_what_is_there_at_that_point() -> None:
    """Steps before it and those it stands in, with what they give; no later ones, and none of another branch."""
    sheet = "worksheet/w_1111111111"
    steps = [
        {"key": "t_1111111111", "type": "find_records", "worksheet": {"ref": sheet}},
        {"key": "t_2222222222", "type": "condition", "branches": [
            {"steps": [{"key": "t_3333333333", "type": "notify"}]}, {"steps": [{"key": "t_4444444444", "type": "approval"}]}]},
        {"key": "t_5555555555", "type": "loop", "over": {"template": "{0}", "uses": [{"step": "t_1111111111", "path": "records"}]}, "steps": [
            {"key": "t_6666666666", "type": "set_variable", "variable": "x"}, {"key": "t_7777777777", "type": "end"}]}]
    body = {"trigger": {"type": "record_updated", "worksheet": {"ref": sheet}}, "steps": steps}
    numbers = {f"t_{n * 10}": n for n in "1234567"}

    def named(step: str | None) -> set[str]:
        return set(tokens_of(body, step, lambda of: [("f_1111111111", "Name")] if of else [], numbers).uses)

    assert "before.Name" in named(None) and not any(one.startswith("step") for one in named(None))
    assert "step 1.count" in named("t_4444444444") and "step 3.count" not in named("t_4444444444") and "step 4.by" not in named("t_4444444444")
    assert {"step 5.item", "step 5.Name", "variable.x", "step 1.Name"} <= named("t_7777777777")
    assert "variable.x" not in named("t_6666666666") and "step 4.by" not in named("t_7777777777")


def test_every_value_of_a_step_is_changed_and_nothing_else() -> None:
    """Wherever it stands: in assignments, conditions, recipients, headers."""
    value = {"template": "{0}", "uses": [NAME]}
    step = {"name": "kept", "limit": 5, "values": [{"field": SUM["field"], "value": value}], "to": [value, {"org": "user/u_1"}],
            "filter": {"all": [{"field": SUM["field"], "operator": "is", "value": value}, {"left": value, "operator": "is", "right": 1}]},
            "headers": [{"name": "A", "value": value}, {"name": "B", "value": {"secret": "s"}}]}
    seen: list[Any] = []

    def change(given: Any, old: Any) -> Any:
        seen.append(given)
        return "x"

    found = each(step, STEP, WORKFLOW.schema, change)
    assert seen == [value, value, value, value, 1, value]
    assert found == {"name": "kept", "limit": 5, "values": [{"field": SUM["field"], "value": "x"}], "to": ["x", {"org": "user/u_1"}],
                     "filter": {"all": [{"field": SUM["field"], "operator": "is", "value": "x"}, {"left": "x", "operator": "is", "right": "x"}]},
                     "headers": [{"name": "A", "value": "x"}, {"name": "B", "value": {"secret": "s"}}]}
