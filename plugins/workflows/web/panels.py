"""What a record's page shows of workflows: those that one can start for it, and what they did with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import render_template, url_for
from markupsafe import Markup

from core.api import App, RecordPanel, documents, server, standing
from plugins.workflows import history, starting


def of_record(app: App, person: str, worksheet: str, seq: int) -> Iterable[RecordPanel]:
    """Return the panel of a record; none where there is nothing to show."""
    here = standing(app, person)
    if not here.member and not here.admin:
        return ()
    start = [document for document in documents.live(app, "workflow") if _is_for(app, document.body, document.key, worksheet)]
    done = history.of_record(app, worksheet, seq)
    if not start and not done:
        return ()
    names = {one.key: str(one.body["name"]) for one in documents.live(app, "workflow")}
    where: dict[str, Any] = {"organization_id": app.organization_id, "app_id": app.id}
    lines = [{"name": names.get(workflow, "A deleted workflow"), "at": at, "person": _name(app, by),
              "url": url_for("workflows.one_run", key=workflow, number=number, **where) if here.admin and workflow in names else None}
             for number, workflow, by, at in done]
    html = Markup(render_template("workflows/panel.html", start=start, done=lines, where=where, worksheet=worksheet, seq=seq))
    return (RecordPanel(title="Workflows", html=html, rank=60),)


def _is_for(app: App, body: Mapping[str, Any], key: str, worksheet: str) -> bool:
    trigger = body["trigger"]
    mine = trigger["type"] == "manual" and trigger.get("worksheet", {}).get("ref") == f"worksheet/{worksheet}"
    return bool(mine) and starting.is_on(app, key)


def _name(app: App, person: str) -> str:
    if not person.startswith("u_"):
        return ""
    return server().registry.hook.person_name(organization_id=app.organization_id, person=person) or "a former user"
