"""The kinds of runs, each with the function that does it: (RunContext) -> report, or None when it said so itself."""

from __future__ import annotations

HANDLERS: dict[str, str] = {
    "backup": "core.backups.jobs:backup",
    "restore": "core.backups.jobs:restore",
    "restore_as_new": "core.backups.jobs:restore_as_new",
    "check": "core.backups.jobs:check",
    "import": "core.import_runs:bring_in",
    "import_preview": "core.import_runs:preview",
}
