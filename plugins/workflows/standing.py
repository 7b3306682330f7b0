"""What a workflow is to an app: it may do everything in its own, and nothing anywhere else."""

from __future__ import annotations

from core.api import App, NotFound, Standing, documents


def of(app: App, actor: str) -> Standing | None:
    """Return what "workflow/f_…" is to an app; None for an actor of another kind."""
    if not actor.startswith("workflow/"):
        return None
    try:
        documents.get(app, actor)
    except NotFound:
        return Standing(person=actor, role=None, admin=False, sees=False)
    return Standing(person=actor, role=None, admin=True, sees=True)
