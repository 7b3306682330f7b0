"""What apps bring to the server, as a plugin would: their documents follow the versions of components, and edits that take long."""

from __future__ import annotations

from core.apps.live_versions import bring_up
from core.extension.hookspecs import hookimpl
from core.extension.run_kind import RunKind


@hookimpl
def register_run_kind() -> RunKind:
    """Bring edits that take long."""
    return RunKind(name="edit", title="Change", plural="changes", work="core.apps.long_edits:work", most_open=20)


@hookimpl
def database_ready() -> None:
    """Lift what an older version of a component wrote."""
    bring_up()
