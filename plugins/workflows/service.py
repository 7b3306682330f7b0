"""Verbs on workflows, and the schemas of the forms that edit a part of one. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from core.api import SYSTEM, App, Document, DocumentRow, checked_line, db, documents, locks, new_key, server
from core.api import schemas as s
from plugins.workflows import history, secrets, step_edits
from plugins.workflows.names import Names
from plugins.workflows.schema import STEP, TRIGGER
from plugins.workflows.sentences import Speaker

Body = Mapping[str, Any]
BROUGHT = "plugin"
"""The type, in documents, of all steps of types that other plugins bring; `plugin_type` says which."""
BRANCH = STEP["properties"]["branches"]["items"]["properties"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A workflow as the list shows it; `edited_at` in microseconds UTC, `counts` are of its last runs by state."""

    document: Document
    trigger: str
    edited_at: int
    edited_by: str
    missing: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def listed(app: App) -> list[Listed]:
    """Return an app's workflows, each with its trigger as a sentence."""
    query = select(DocumentRow).where(DocumentRow.app_id == app.id, DocumentRow.kind == "workflow", DocumentRow.hidden_at.is_(None))
    edits = {row.key: (row.updated_at, row.updated_by) for row in db.session.scalars(query)}
    names, counts = Names(app), history.counts(app)
    return [Listed(one, Speaker(names, one.body).trigger(), *edits[one.key], secrets.missing(app, one.body), counts.get(one.key, {}))
            for one in documents.live(app, "workflow")]


def create(app: App, name: str, person: str) -> Document:
    """Make a workflow that is off, starts by hand and does nothing yet, and return it.

    Raises:
        InvalidInput: the name is empty, too long or has control characters.
    """
    locks.take(app)
    position = max((one.position for one in documents.live(app, "workflow")), default=-1) + 1
    body = {"name": checked_name(name), "enabled": False, "trigger": {"type": "manual"}, "steps": []}
    return documents.put(app, Document(kind="workflow", key=new_key("f"), body=body, position=position), person)


def change(app: App, key: str, person: str, **given: Any) -> None:
    """Give a workflow other properties; None takes one away."""
    locks.take(app)
    found = documents.get(app, f"workflow/{key}")
    body = {name: value for name, value in {**found.body, **given}.items() if value is not None}
    documents.put(app, Document(kind="workflow", key=key, body=body, position=found.position), person)


def stop(app: App, key: str) -> bool:
    """Turn a workflow off because it fails; say whether it was on."""
    locks.take(app)
    found = documents.get(app, f"workflow/{key}")
    if found.body["enabled"]:
        change(app, key, SYSTEM, enabled=False)
    return bool(found.body["enabled"])


def checked_name(name: str) -> str:
    """Return a workflow's name without space around it.

    Raises:
        InvalidInput: it is empty, too long or has control characters.
    """
    return checked_line(name.strip(), 100, "a workflow name")


def trigger_schema(kind: str) -> s.Schema:
    """Return the schema of what a trigger of a type says."""
    return _part(TRIGGER["properties"], step_edits.TRIGGERS[kind][1])


def step_schema(step: Body) -> s.Schema:
    """Return the schema of what a step says: what makes sense for its type, and whatever else it has already."""
    extra = [name for name in step if name not in step_edits.STRUCTURE]
    if step["type"] == BROUGHT:
        known = server().registry.step_types.get(step.get("plugin_type", ""))
        return s.closed({"name": STEP["properties"]["name"], **({"settings": {**known.schema, "title": "Settings"}} if known else {})},
                        ["settings"] if known else [])
    return _part(STEP["properties"], dict.fromkeys(["name", *step_edits.STEPS[step["type"]][1], *extra]))


def offered_steps() -> list[tuple[str, str]]:
    """Return (type, name for people) of the steps that can be added, those of other plugins last ("plugin:name")."""
    brought = sorted(server().registry.step_types.values(), key=lambda one: one.title)
    return [*((kind, title) for kind, (title, _) in step_edits.STEPS.items()), *((f"{BROUGHT}:{one.name}", one.title) for one in brought)]


def step_title(step: Body) -> str:
    """Return what the type of a step is called."""
    if step["type"] != BROUGHT:
        return step_edits.STEPS[step["type"]][0]
    known = server().registry.step_types.get(step.get("plugin_type", ""))
    return known.title if known is not None else f"{step.get('plugin_type', 'step')} (plugin not installed)"


def add_step(body: Body, where: str, after: str, kind: str) -> tuple[dict[str, Any], str]:
    """See `step_edits.add`; a type that another plugin brings is "plugin:name"."""
    word, _, name = kind.partition(":")
    known = server().registry.step_types.get(name) if word == BROUGHT else None
    return step_edits.add(body, where, after, word if known else kind,
                          {"plugin_type": name, "settings": dict(known.starts)} if known is not None else None)


def branch_schema() -> s.Schema:
    """Return the schema of a branch's name and condition."""
    return _part(BRANCH, ("name", "when"))


def _part(properties: Body, names: Iterable[str]) -> s.Schema:
    return s.closed({name: properties[name] for name in names})
