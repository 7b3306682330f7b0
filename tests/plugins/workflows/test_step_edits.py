"""Steps of a workflow: added, moved, changed and removed, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import InvalidInput, NotFound
from plugins.workflows import step_edits


def step(key: str, kind: str = "end", **more: Any) -> dict[str, Any]:
    """Return a step."""
    return {"key": key, "type": kind, **more}


BODY = {"name": "W", "steps": [
    step("t_1"), step("t_2", "loop", steps=[step("t_3"), step("t_4")]),
    step("t_5", "condition", branches=[{"name": "If", "when": {"all": []}, "steps": [step("t_6")]}, {"name": "Else", "steps": []}])]}


def keys(body: Any) -> Any:
    """Return the keys of steps as they stand in one another."""
    return [(one["key"], keys(one) if one.get("steps") else None, [keys(inner) for inner in one.get("branches", ())])
            for one in body["steps"]]


@pytest.mark.parametrize(("where", "after"), [("", ""), ("", "t_1"), ("t_2", "t_3"), ("t_5.0", "t_6"), ("t_5.1", "")])
def test_a_step_is_added_after_another(where: str, after: str) -> None:
    """It stands right behind the one named, or first, in the list that is named; nothing else moves."""
    changed, made = step_edits.add(BODY, where, after, "delay")
    assert {"key": made, "type": "delay"} == step_edits.find(changed, made)
    assert keys(BODY) == keys(step_edits.remove(changed, made))
    places = [made] if after == "" else [after, made]
    flat = str(keys(changed))
    assert flat.index(places[-1]) >= flat.index(places[0])


def test_new_conditions_and_loops_have_room() -> None:
    """A condition starts with two branches, a loop with a list."""
    changed, made = step_edits.add(BODY, "", "", "condition")
    assert ["If", "Otherwise"] == [one["name"] for one in step_edits.find(changed, made)["branches"]]
    changed, made = step_edits.add(BODY, "", "", "loop")
    changed, inner = step_edits.add(changed, made, "", "end")
    assert [inner] == [one["key"] for one in step_edits.find(changed, made)["steps"]]


@pytest.mark.parametrize(("where", "after", "kind"), [("", "t_9", "end"), ("t_9", "", "end"), ("t_1", "", "end"), ("t_5.7", "", "end")])
def test_a_place_that_is_gone_is_refused(where: str, after: str, kind: str) -> None:
    """Nothing is added where nothing can stand."""
    with pytest.raises(NotFound):
        step_edits.add(BODY, where, after, kind)
    with pytest.raises(InvalidInput):
        step_edits.add(BODY, "", "", "explode")


def test_moving_stops_at_the_ends() -> None:
    """Up and down within the own list."""
    assert ["t_2", "t_1", "t_5"] == [one["key"] for one in step_edits.move(BODY, "t_1", 1)["steps"]]
    assert keys(BODY) == keys(step_edits.move(BODY, "t_1", -1))
    assert ["t_4", "t_3"] == [one["key"] for one in step_edits.find(step_edits.move(BODY, "t_4", -1), "t_2")["steps"]]


def test_a_changed_step_keeps_what_its_form_does_not_show() -> None:
    """Steps inside, the key, the type and properties without a control stay; shown ones that are empty go."""
    body = {"steps": [step("t_1", "loop", over="x", name="N", strange=1, steps=[step("t_2")])]}
    changed = step_edits.replace(body, "t_1", {"name": "M", "key": "t_9", "steps": []}, frozenset({"name", "over"}))
    assert step("t_1", "loop", name="M", strange=1, steps=[step("t_2")]) == changed["steps"][0]


def test_branches_come_change_and_go() -> None:
    """A new one stands before the one for all else; a changed one keeps its steps; the original is untouched."""
    before = str(BODY)
    changed = step_edits.add_branch(BODY, "t_5")
    assert ["If", "Branch 3", "Else"] == [one["name"] for one in step_edits.find(changed, "t_5")["branches"]]
    changed = step_edits.replace_branch(BODY, "t_5", 0, {"name": "Large"})
    assert {"name": "Large", "steps": [step("t_6")]} == step_edits.branch(changed, "t_5", 0)
    assert ["Else"] == [one["name"] for one in step_edits.find(step_edits.remove_branch(BODY, "t_5", 0), "t_5")["branches"]]
    for n in (-1, 2):
        with pytest.raises(NotFound):
            step_edits.branch(BODY, "t_5", n)
    with pytest.raises(InvalidInput):
        step_edits.add_branch(BODY, "t_1")
    assert before == str(BODY)
