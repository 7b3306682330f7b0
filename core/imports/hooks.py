"""What imports bring to the server, as a plugin would: their kinds of runs. A file's size says little of what is in it: they are long."""

from __future__ import annotations

from collections.abc import Iterable

from core.extension.hookspecs import hookimpl
from core.extension.run_kind import RunKind


@hookimpl
def register_run_kind() -> Iterable[RunKind]:
    """Bring reading a file, and making an app of it."""
    return (RunKind(name="import", title="Import", plural="imports", work="core.imports.previews:bring_in", most_open=10),
            RunKind(name="import_preview", title="Reading a file", plural="import previews", work="core.imports.previews:preview",
                    most_open=10))
