"""What the phases of runs are called, for people, and what is counted in them. Pure."""

from __future__ import annotations

PHASES = {"reading": "Reading the app", "verifying": "Checking the content", "reading the lines": "Checking the records",
          "restoring on trial": "Running a trial restore", "backup.reading": "Reading the app",
          "backup.read": "Storing the backup", "backup.objects_stored": "Storing the backup",
          "upload.begun": "Assembling the file", "upload.verifying": "Checking the file", "restore.app_closed": "Restoring",
          "restore.safety_backup_taken": "Restoring", "import.reading": "Reading the file",
          "import.making": "Creating the app", "import.before_commit": "Creating the app", "restore.planned": "Comparing with the app",
          "restore.verified": "Backing up the current version", "restore.merged": "Restoring",
          "restore.before_commit": "Restoring", "merging": "Restoring", "copy.put": "Creating the app", "index.building": "Indexing",
          "edit.begun": "Changing the app",
          "collecting": "Finding unused content", "looking": "Looking at the backups"}
COUNTS_PARTS = ("verifying", "upload.verifying", "reading the lines")
"""Phases whose progress counts parts of a backup, not records."""
UNCOUNTED = ("restore.", "backup.", "copy.", "check.", "look.", "collect", "edit.", "upload.begun", "upload.before_commit")
"""What the names of phases begin with in which nothing is counted: the numbers in the row are of the phase before."""


def phase_named(kind: str, phase: str) -> str:
    """Return what a run of a kind does right now."""
    if kind == "restore" and phase.startswith(("reading", "backup.")):
        return "Backing up the current version"
    return PHASES.get(phase, "Working")


def is_counted(phase: str) -> bool:
    """Say whether the numbers of a run are of the phase that it is in."""
    return not phase.startswith(UNCOUNTED)


def unit_of(phase: str) -> str:
    """Return what is counted in a phase."""
    return "parts" if phase in COUNTS_PARTS else "backups" if phase == "looking" else "records"
