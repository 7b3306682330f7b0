"""Workflows as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask

from plugins.workflows import service, step_edits
from plugins.workflows.schema import WORKFLOW
from plugins.workflows.sentences import Speaker
from tests.covering import full_documents

DEALS, STAGE, CLOSE = ({"ref": f"worksheet/w_1{path}"} for path in ("", "/field/f_1", "/field/f_2"))


class Known:
    """Names of a few things."""

    def of(self, pointer: Mapping[str, str] | None) -> str:
        """Return what a pointer's target is called."""
        known = {"worksheet/w_1": "Deals", "worksheet/w_1/field/f_1": "Stage", "worksheet/w_1/field/f_2": "Close", "role/r_1": "Sales"}
        return known.get((pointer or {}).get("ref", ""), "a worksheet that was deleted")

    def choice(self, field: Mapping[str, str], key: str) -> str | None:
        """Return what a choice is called."""
        return {"o_1": "Won"}.get(key)


def trigger(**said: Any) -> str:
    """Return the sentence of a trigger."""
    return Speaker(Known(), {"trigger": said, "steps": []}).trigger()


def step(**said: Any) -> str:
    """Return the sentence of a step."""
    return Speaker(Known(), {"steps": [{"key": "t_1", **said}]}).steps()[0].sentence


def test_a_trigger_with_a_condition() -> None:
    """The example of the brief: a record, created, and a condition with a choice by its name."""
    when = {"all": [{"field": STAGE, "operator": "is", "value": "o_1"}]}
    assert "When a record of Deals is created and Stage is Won." == trigger(type="record_created", worksheet=DEALS, when=when)


@pytest.mark.parametrize(("said", "sentence"), [
    ({"type": "record_updated", "worksheet": DEALS, "fields": [STAGE, CLOSE]}, "When Stage or Close of a record of Deals changes."),
    ({"type": "record_deleted", "worksheet": {"ref": "worksheet/w_9"}},
     "When a record of a worksheet that was deleted is deleted."),
    ({"type": "date_reached", "worksheet": DEALS, "date_field": CLOSE, "days_before": 1}, "1 day before Close of a record of Deals."),
    ({"type": "date_reached", "worksheet": DEALS, "date_field": CLOSE, "days_before": -3}, "3 days after Close of a record of Deals."),
    ({"type": "schedule", "schedule": {"every": "week", "weekdays": [4, 0], "hour": 7, "minute": 5}},
     "Every week on Monday and Friday at 07:05."),
    ({"type": "schedule", "schedule": {"every": "month", "interval": 3, "day": 31}}, "Every 3 months on day 31."),
    ({"type": "webhook"}, "When a webhook is received."),
    ({"type": "manual"}, "When started manually."),
])
def test_triggers(said: dict[str, Any], sentence: str) -> None:
    """Each type of trigger has a sentence of its own."""
    assert sentence == trigger(**said)


@pytest.mark.parametrize(("said", "sentence"), [
    ({"type": "create_record", "worksheet": DEALS, "values": [{"field": STAGE, "value": "o_1"}]},
     "Create a record of Deals: Stage = Won."),
    ({"type": "notify", "to": [{"ref": "role/r_1"}], "message": "Won!"}, "Notify Sales: “Won!”."),
    ({"type": "send_email", "to": []}, "Send an email to nobody yet."),
    ({"type": "delay", "minutes": 120}, "Wait 2 hours."),
    ({"type": "delay", "minutes": 90}, "Wait 90 minutes."),
    ({"type": "find_records", "worksheet": DEALS, "limit": 5, "sorts": [{"field": CLOSE, "descending": True}],
      "filter": {"any": [{"field": STAGE, "operator": "is_empty"}, {"left": 1, "operator": "less", "right": "2.5"}]}},
     "Find up to 5 records of Deals where Stage is empty or 1 is less than 2.5, sorted by Close (descending)."),
    ({"type": "set_variable", "variable": "total", "value": {"template": "Sum of {0}, {7}", "uses": [{"field": STAGE}]}},
     "Set total to “Sum of [Stage], {7}”."),
    ({"type": "webhook"}, "Send a POST request to an address (not set)."),
])
def test_steps(said: dict[str, Any], sentence: str) -> None:
    """Each type of step has a sentence, whole or not."""
    assert sentence == step(**said)


def test_steps_are_numbered_through_branches_and_loops() -> None:
    """A use of an earlier step says its number; one of a step that is gone says so."""
    body = {"steps": [
        {"key": "t_1", "type": "condition", "branches": [{"name": "A", "steps": [{"key": "t_2", "type": "end"}]}, {"steps": []}]},
        {"key": "t_3", "type": "loop", "over": {"template": "{0}", "uses": [{"step": "t_1", "path": "records"}]}, "steps": [
            {"key": "t_4", "type": "set_variable", "value": {"template": "{0}", "uses": [{"step": "t_9", "path": "x"}]}}]}]}
    first, second = Speaker(Known(), body).steps()
    assert ("1", "1a.1", "Branch 2") == (first.number, first.branches[0].steps[0].number, first.branches[1].name)
    assert "Repeat for each of records of step 1." == second.sentence
    assert second.inside is not None
    assert ("2.1", "Set a variable without a name to x of a deleted step.") == (
        second.inside[0].number, second.inside[0].sentence)


def test_every_type_of_the_schema_has_a_sentence_and_a_form(sqlite_server: Flask) -> None:
    """No type of trigger or step is forgotten, whatever is in it."""
    steps, triggers = (WORKFLOW.schema["properties"]["trigger"]["properties"]["type"]["enum"],
                       WORKFLOW.schema["$defs"]["step"]["properties"]["type"]["enum"])
    assert set(steps) == set(step_edits.TRIGGERS)
    assert set(triggers) == {*step_edits.STEPS, service.BROUGHT}
    for kind in step_edits.TRIGGERS:
        assert trigger(type=kind).endswith(".")
    for kind in step_edits.STEPS:
        assert step(type=kind).endswith(".")
    for document in full_documents("workflows"):
        speaker = Speaker(Known(), document.body)
        assert speaker.trigger() and speaker.steps() is not None
