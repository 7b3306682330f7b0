"""The schema of workflows."""

from __future__ import annotations

from core.api import Kind
from core.api import schemas as s


def _titled(title: str, properties: dict[str, s.Schema], required: list[str]) -> s.Schema:
    """Return the schema of a closed object with what it is called where one chooses between several."""
    return {"title": title, **s.closed(properties, required)}


ABOUT = ("today", "now", "person", "person_email", "record_number", "record_title", "record_address", "run_number", "run_address")
"""What a run knows of itself: days, people, its record."""
FIELD = s.part_ref("worksheet", "field")
WORKSHEET = s.ref("worksheet")
USE = {"anyOf": [
    _titled("A field", {"field": FIELD, "step": s.key("t"), "before": {"title": "As it was before the change", **s.FLAG}}, ["field"]),
    _titled("A result of a step", {"step": s.key("t"), "path": s.text(500)}, ["step", "path"]),
    _titled("A variable", {"variable": s.NAME}, ["variable"]),
    _titled("About the run", {"about": s.one_of(*ABOUT)}, ["about"]),
    _titled("From the call that started it", {"trigger": s.text(500)}, ["trigger"]),
]}
VALUE = {"anyOf": [
    s.SCALAR,
    _titled("A formula", {
        "formula": {"title": "Formula; {f_0} stands for the first value", **s.text(5000)},
        "uses": {"title": "Values", **s.listed(USE, 100)}}, ["formula"]),
    _titled("Text with values", {
        "template": {"title": "Text; {0} stands for the first value", **s.text(20_000)},
        "uses": {"title": "Values", **s.listed(USE, 100)}}, ["template"]),
]}
CONDITION = {"anyOf": [
    _titled("All of these", {"all": {"title": "Conditions", **s.listed({"$ref": "#/$defs/condition"}, 50)}}, ["all"]),
    _titled("Any of these", {"any": {"title": "Conditions", **s.listed({"$ref": "#/$defs/condition"}, 50)}}, ["any"]),
    _titled("A field", {"field": FIELD, "before": {"title": "As it was before the change", **s.FLAG}, "operator": s.text(40),
                        "value": VALUE}, ["field", "operator"]),
    _titled("Two values", {"left": {"title": "First value", **VALUE}, "operator": s.text(40),
                           "right": {"title": "Second value", **VALUE}}, ["left", "operator"]),
]}
CONDITION_REF = {"$ref": "#/$defs/condition"}
ASSIGNMENTS = s.listed(s.closed({"field": FIELD, "value": VALUE}, ["field", "value"]), 200)
TRIGGER = s.closed({
    "type": s.one_of("record_created", "record_updated", "record_deleted", "date_reached", "schedule", "button", "webhook",
                     "form_submitted", "manual"),
    "worksheet": WORKSHEET,
    "fields": s.listed(FIELD, 100),
    "button": s.part_ref("worksheet", "button"),
    "view": s.part_ref("worksheet", "view"),
    "when": CONDITION_REF,
    "date_field": FIELD,
    "days_before": {"title": "Days before (negative: after)", **s.whole(-3650, 3650)},
    "hour": {"title": "Hour of the day, 0 to 23, for dates without a time", **s.whole(0, 23)},
    "minute": s.whole(0, 59),
    "schedule": s.closed({
        "every": s.one_of("minute", "hour", "day", "week", "month"), "interval": s.whole(1, 1000), "minute": s.whole(0, 59),
        "hour": s.whole(0, 23), "weekdays": s.listed(s.whole(0, 6), 7), "day": s.whole(1, 31)}, ["every"]),
}, ["type"])
STEP = s.closed({
    "key": s.key("t"),
    "type": s.one_of("create_record", "update_record", "delete_record", "find_records", "send_email", "notify", "webhook",
                     "condition", "loop", "delay", "approval", "run_workflow", "set_variable", "end", "plugin"),
    "plugin_type": s.text(40),
    "settings": s.SETTINGS,
    "name": s.text(200),
    "worksheet": WORKSHEET,
    "record": VALUE,
    "values": ASSIGNMENTS,
    "filter": CONDITION_REF,
    "sorts": s.listed(s.closed({"field": FIELD, "descending": s.FLAG}, ["field"]), 20),
    "limit": {"title": "Maximum", **s.whole(1, 10_000)},
    "to": {"title": "Recipients", **s.listed({"anyOf": [VALUE, s.org("user", "department", "org_role"), s.ref("role")]}, 100)},
    "subject": VALUE,
    "message": VALUE,
    "url": {"title": "Address", **VALUE},
    "method": s.one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
    "headers": s.listed(s.closed({
        "name": s.NAME, "value": {"anyOf": [VALUE, s.closed({"secret": s.NAME}, ["secret"])]}}, ["name", "value"]), 50),
    "body": VALUE,
    "branches": s.listed(s.closed({
        "name": s.text(200), "when": CONDITION_REF, "steps": s.listed({"$ref": "#/$defs/step"}, 200)}, ["steps"]), 20),
    "over": {"title": "List", **VALUE},
    "steps": s.listed({"$ref": "#/$defs/step"}, 200),
    "minutes": s.whole(1, 10**6),
    "until": VALUE,
    "approvers": s.listed({"anyOf": [s.org("user", "department", "org_role"), s.ref("role")]}, 100),
    "needed": {"title": "Approval needed from", **s.one_of("one", "all")},
    "if_rejected": {"title": "If they reject", **s.one_of("end", "go_on")},
    "remind_after_hours": {"title": "Remind after so many hours", **s.whole(1, 8760)},
    "limit_hours": {"title": "Ends as rejected after so many hours", **s.whole(1, 8760)},
    "workflow": {"anyOf": [{"title": "A workflow of this app", **s.ref("workflow")}, _titled("A workflow of another app", {
        "org": {"type": "string", "pattern": "^app/a_[1-9A-HJ-NP-Za-km-z]{10}/workflow/f_[1-9A-HJ-NP-Za-km-z]{10}" + s.END}}, ["org"])]},
    "variable": s.NAME,
    "value": VALUE,
}, ["key", "type"])

WORKFLOW = Kind(name="workflow", title="Workflow", letter="f", schema={
    **s.closed({
        "name": s.NAME,
        "description": s.text(5000),
        "enabled": s.FLAG,
        "trigger": TRIGGER,
        "steps": s.listed({"$ref": "#/$defs/step"}, 200),
    }, ["name", "enabled", "trigger", "steps"]),
    "$defs": {"condition": CONDITION, "step": STEP},
})
