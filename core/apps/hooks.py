"""What apps bring to the server, as a plugin would: their documents follow the versions of components."""

from __future__ import annotations

from core.apps.live_versions import bring_up
from core.extension.hookspecs import hookimpl


@hookimpl
def database_ready() -> None:
    """Lift what an older version of a component wrote."""
    bring_up()
