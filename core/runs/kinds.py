"""The kinds of runs, each with the function that does it: (RunContext) -> report, or None when it said so itself.

Named by text, so that runs know nothing of backups.
"""

from __future__ import annotations

HANDLERS: dict[str, str] = {
    "backup": "core.backups.jobs:backup",
    "restore": "core.backups.jobs:restore",
    "restore_as_new": "core.backups.jobs:restore_as_new",
    "check": "core.backups.jobs:check",
    "collect": "core.backups.collecting:collect",
    "upload": "core.backups.uploads:bring_in",
    "import": "core.import_runs:bring_in",
    "import_preview": "core.import_runs:preview",
}

LOG = "core.backups.log:note_end"
"""The function that is told once, in a transaction, that a run has ended: (Run) -> None."""
