"""What backups bring to the server, as a plugin would: their kinds of runs."""

from __future__ import annotations

from collections.abc import Iterable

from core.extension.hookspecs import hookimpl
from core.extension.run_kind import MIB, RunKind

ENDED = "core.backups.log:note_end"


@hookimpl
def register_run_kind() -> Iterable[RunKind]:
    """Bring what can be done with an app's backups. What writes to an app takes longer than what reads it, and a file is compressed."""
    return (
        RunKind(name="backup", title="Backup", plural="backups", work="core.backups.requests:backup", ended=ENDED, exclusive=True,
                in_app=True, short_up_to_bytes=8 * MIB),
        RunKind(name="restore", title="Restore", plural="restores", work="core.backups.requests:restore", ended=ENDED, exclusive=True,
                in_app=True, short_up_to_bytes=2 * MIB),
        RunKind(name="restore_as_new", title="Restore as new app", plural="new apps from backups",
                work="core.backups.requests:restore_as_new", ended=ENDED, in_app=True, short_up_to_bytes=8 * MIB, most_open=10),
        RunKind(name="check", title="Backup check", plural="backup checks", work="core.backups.requests:check", ended=ENDED, in_app=True,
                short_up_to_bytes=16 * MIB, most_open=10),
        RunKind(name="look", title="Quick check of all backups", plural="quick checks", work="core.backups.look:look"),
        RunKind(name="upload", title="Upload", plural="uploads", work="core.backups.uploads:bring_in", ended=ENDED, in_app=True,
                short_up_to_bytes=2 * MIB),
    )
