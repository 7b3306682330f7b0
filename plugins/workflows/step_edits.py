"""Changes of a workflow's steps: each takes a body and returns a new one. Pure.

A list of steps is named by *where*: "" for the workflow's own, "t_…" for those of a loop, "t_….2" for those of the third
branch of a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from core.api import InvalidInput, NotFound, new_key

Body = Mapping[str, Any]
Step = dict[str, Any]
MAX_BRANCHES = 20
STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "create_record": ("Create a record", ("worksheet", "values")),
    "update_record": ("Change a record", ("worksheet", "record", "values")),
    "delete_record": ("Delete a record", ("worksheet", "record")),
    "find_records": ("Find records", ("worksheet", "filter", "sorts", "limit")),
    "send_email": ("Send an email", ("to", "subject", "message")),
    "notify": ("Notify people", ("to", "subject", "message")),
    "webhook": ("Send a web request", ("url", "method", "headers", "body")),
    "condition": ("Choose a branch", ()),
    "loop": ("Repeat for each", ("over",)),
    "delay": ("Wait", ("minutes", "until")),
    "approval": ("Request approval", ("approvers", "needed", "message", "if_rejected", "remind_after_hours", "limit_hours")),
    "run_workflow": ("Start another workflow", ("workflow", "body")),
    "set_variable": ("Set a variable", ("variable", "value")),
    "end": ("End", ()),
}
"""Type of step -> its name for people, and the properties that make sense for it."""
TRIGGERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "record_created": ("A record is created", ("worksheet", "when")),
    "record_updated": ("A record changes", ("worksheet", "fields", "when")),
    "record_deleted": ("A record is deleted", ("worksheet", "when")),
    "date_reached": ("A date is reached", ("worksheet", "date_field", "days_before", "hour", "minute", "when")),
    "schedule": ("On a schedule", ("schedule",)),
    "button": ("A button is clicked", ("button",)),
    "webhook": ("A webhook is received", ()),
    "form_submitted": ("A form is submitted", ("worksheet", "view", "when")),
    "manual": ("Started manually", ("worksheet",)),
}
"""The same for triggers."""
STRUCTURE = frozenset({"key", "type", "steps", "branches"})
"""Properties of a step that no form of a step shows: they are changed by moving, adding and removing."""


def sheet_of(trigger: Body) -> str:
    """Return the address of the worksheet whose record a run is about: that of the trigger, or of its button or form; "" for none."""
    ref = (trigger.get("worksheet") or trigger.get("button") or trigger.get("view") or {}).get("ref", "")
    return "/".join(str(ref).split("/")[:2])


def find(body: Body, key: str) -> Step:
    """Return a step, wherever it stands.

    Raises:
        NotFound: the workflow has no such step.
    """
    steps, place = _standing(body, key)
    return steps[place]


def add(body: Body, where: str, after: str, kind: str, brought: Body | None = None) -> tuple[dict[str, Any], str]:
    """Return the body with a new step of a type after another of the same list, at its start for "", and its key.

    For a type that another plugin brings, *brought* is what a step of it starts with.
    """
    if kind not in STEPS and brought is None:
        raise InvalidInput("Choose a step type.")
    changed = deepcopy(dict(body))
    steps = _list(changed, where)
    place = next((n for n, step in enumerate(steps, 1) if step["key"] == after), None) if after else 0
    if place is None:
        raise NotFound("The step before this one was deleted. Reload the page and try again.")
    step: Step = {"key": new_key("t"), "type": kind, **deepcopy(dict(brought or {}))}
    if kind == "condition":
        step["branches"] = [{"name": "If", "steps": []}, {"name": "Otherwise", "steps": []}]
    if kind == "loop":
        step["steps"] = []
    steps.insert(place, step)
    return changed, step["key"]


def replace(body: Body, key: str, given: Body, shown: frozenset[str]) -> dict[str, Any]:
    """Return the body with a step changed: of the properties *shown*, it has those that are given; the others stay."""
    changed = deepcopy(dict(body))
    steps, place = _standing(changed, key)
    kept = {name: value for name, value in steps[place].items() if name not in shown or name in STRUCTURE}
    steps[place] = {**kept, **{name: value for name, value in given.items() if name not in STRUCTURE}}
    return changed


def remove(body: Body, key: str) -> dict[str, Any]:
    """Return the body without a step and all that is in it."""
    changed = deepcopy(dict(body))
    steps, place = _standing(changed, key)
    del steps[place]
    return changed


def move(body: Body, key: str, by: int) -> dict[str, Any]:
    """Return the body with a step one place up (-1) or down (1) in its list; at the end of it, as it was."""
    changed = deepcopy(dict(body))
    steps, place = _standing(changed, key)
    to = place + (1 if by > 0 else -1)
    if 0 <= to < len(steps):
        steps[place], steps[to] = steps[to], steps[place]
    return changed


def branch(body: Body, key: str, n: int) -> Step:
    """Return a branch of a step.

    Raises:
        NotFound: the step has no such branch.
    """
    branches: list[Step] = find(body, key).get("branches", [])
    if not 0 <= n < len(branches):
        raise NotFound("This branch no longer exists.")
    return branches[n]


def add_branch(body: Body, key: str) -> dict[str, Any]:
    """Return the body with one more branch of a condition, before the last where that one is for all else."""
    changed = deepcopy(dict(body))
    step = find(changed, key)
    branches: list[Step] = step.setdefault("branches", [])
    if step["type"] != "condition" or len(branches) >= MAX_BRANCHES:
        raise InvalidInput(f"A condition can have {MAX_BRANCHES} branches at most.")
    otherwise = bool(branches) and not branches[-1].get("when")
    branches.insert(len(branches) - otherwise, {"name": f"Branch {len(branches) + 1}", "steps": []})
    return changed


def replace_branch(body: Body, key: str, n: int, given: Body) -> dict[str, Any]:
    """Return the body with a branch's name and condition changed."""
    changed = deepcopy(dict(body))
    found = branch(changed, key, n)
    steps = found["steps"]
    found.clear()
    found.update({**given, "steps": steps})
    return changed


def remove_branch(body: Body, key: str, n: int) -> dict[str, Any]:
    """Return the body without a branch and its steps."""
    changed = deepcopy(dict(body))
    branch(changed, key, n)
    del find(changed, key)["branches"][n]
    return changed


def lists_of(steps: list[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Yield every list of steps with its name; "" is the workflow's own."""
    yield from _lists(steps, "")


def _lists(steps: list[Step], where: str) -> Iterator[tuple[str, list[Step]]]:
    """Yield every list of steps with its name."""
    yield where, steps
    for step in steps:
        if step["type"] == "loop" or "steps" in step:
            yield from _lists(step.setdefault("steps", []), step["key"])
        for n, one in enumerate(step.get("branches", ())):
            yield from _lists(one["steps"], f"{step['key']}.{n}")


def _list(body: Body, where: str) -> list[Step]:
    for name, steps in _lists(body["steps"], ""):
        if name == where:
            return steps
    raise NotFound("The place for this step was deleted. Reload the page and try again.")


def _standing(body: Body, key: str) -> tuple[list[Step], int]:
    for _, steps in _lists(body["steps"], ""):
        for place, step in enumerate(steps):
            if step["key"] == key:
                return steps, place
    raise NotFound("This step no longer exists.")
