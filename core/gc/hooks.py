"""What the removal of garbage brings to the server, as a plugin would: its kind of run."""

from __future__ import annotations

from core.extension.hookspecs import hookimpl
from core.extension.run_kind import RunKind


@hookimpl
def register_run_kind() -> RunKind:
    """Bring the search for what nothing needs any more."""
    return RunKind(name="collect", title="Storage cleanup", plural="storage cleanups", work="core.gc.sweep:collect")
