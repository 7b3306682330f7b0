"""Workflows: a trigger and steps. Secrets and what happened in runs are never in documents."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete

from core.api import App, Component, Document, check_settings, db, server
from plugins.workflows import listening
from plugins.workflows.models import WorkflowAddress, WorkflowCaller, WorkflowHealth, WorkflowListener
from plugins.workflows.schema import WORKFLOW


class Workflows(Component):
    """Documents as usual; a copy comes switched off, so that a restored twin sends nothing by itself."""

    name, title, version, kinds = "workflows", "Workflows", 1, (WORKFLOW,)
    about, rank = "What happens automatically, and when.", 30
    copy_note = "Its workflows are turned off."

    def check_edit(self, before: Document | None, after: Document) -> None:
        check_settings(server().registry.step_types, "step", before and before.body, after.body)

    def copied(self, document: Document, app_name: str) -> Document:
        return Document(kind=document.kind, key=document.key, body={**document.body, "enabled": False},
                        position=document.position)

    def documents_changed(self, app: App, before: Mapping[str, Document], after: Mapping[str, Document]) -> Mapping[str, int]:
        listening.follow(app, before, after)
        return {}

    def purged(self, app: App, address: str) -> None:
        for table in (WorkflowListener, WorkflowHealth, WorkflowAddress, WorkflowCaller):
            db.session.execute(delete(table).where(table.app_id == app.id, table.workflow == address.partition("/")[2])
                               .execution_options(synchronize_session=False))
