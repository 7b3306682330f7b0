"""What a workflow writes is told in the history of the record: which workflow it was, and on whose behalf."""

from __future__ import annotations

from core.api import App, apps
from plugins.worksheets.history_versions import entries
from tests.plugins.workflows.building import NAME, POINTS, TASKS, WORKSHEET, put, ref, sheet, work, workflow
from tests.web import make_member

SET = {"type": "update_record", **WORKSHEET, "values": [{"field": ref(POINTS), "value": 1}]}
MAKE = {"type": "create_record", **WORKSHEET, "values": [{"field": ref(NAME), "value": "Made"}]}


def test_a_workflow_is_named_with_whom_it_acts_for(app: App) -> None:
    """Of what it changes and of what it makes; what the person did by hand stays theirs."""
    sheet(app)
    workflow(app, {"type": "record_updated"}, [SET, MAKE], name="Count up")
    person = make_member(app.organization_id, "mia@example.org")
    put(app, name="One")
    put(app, 1, person, name="Two")
    work(app)
    live = apps.find(app.id)
    told = [(one.act, one.by, one.how, one.source.get("name")) for one in entries(live, TASKS, 1)]
    assert told == [("changed", person, "workflow", "Count up"), ("changed", person, "", None), ("created", "system", "", None)]
    assert [(one.act, one.by, one.how) for one in entries(live, TASKS, 2)] == [("created", person, "workflow")]
