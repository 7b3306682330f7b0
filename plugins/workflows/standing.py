"""What a workflow is to an app: it may do everything in its own, and nothing anywhere else."""

from __future__ import annotations

from core.api import App, AppkeepError, Standing, documents


def of(app: App, actor: str) -> Standing | None:
    """Return what "workflow/a_…/f_…" is to an app; None for an actor of another kind."""
    kind, _, rest = actor.partition("/")
    if kind != "workflow":
        return None
    home, _, key = rest.partition("/")
    try:
        documents.get(app, f"workflow/{key}")
        here = home == app.id
    except AppkeepError:
        here = False
    return Standing(person=actor, role=None, admin=here, sees=here)
