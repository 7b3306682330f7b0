"""All verbs of the command line: the module below `core.cli` that has each, "" for a plugin's, and the first paragraph of its help.

Written by .venv/bin/python -m core.cli.reference; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping

LISTED: Mapping[str, tuple[str, str]] = {
    "app": ("apps", "List, create and delete apps."),
    "apply": ("content", "Apply the edits in FILE (JSON Lines; - for standard input) to APP, all or none."),
    "backup": ("backups", "Back up APP as one consistent moment, even while people work in it."),
    "backup-delete": ("backups", "Delete BACKUP. Data shared with other backups stays; gc removes the rest."),
    "backup-pin": ("backups", "Pin BACKUP: nobody and no retention deletes it until it is unpinned."),
    "backup-rename": ("backups", "Rename BACKUP to NAME (1 to 120 characters)."),
    "backups": ("backups", "List the backups of APP, newest first."),
    "cancel": ("runs", "Cancel RUN: at once if it is queued or its worker is gone, otherwise at its next step."),
    "check": ("backups", "Verify BACKUP: every object is present and matches its digest."),
    "clock": ("servers", "Start scheduled work and recover runs whose worker died."),
    "demo": ("", "Back up a sample app, damage it, restore it and prove it identical, in a temporary folder."),
    "documents": ("content", "List the documents of APP."),
    "download": ("backups", "Write BACKUP to FILE, or into the folder FILE; it opens in any unzip tool."),
    "gc": ("gc", "Mark stored data that no backup or app needs, and remove what was marked before. The clock does this daily."),
    "health": ("health", "Show how well the apps of an organization are backed up, the worst first."),
    "import": ("content", "Create an app from FILE and list what was changed or left out."),
    "inspect": ("backups", "Verify a backup FILE and show what it contains; nothing is stored."),
    "keys": ("keys", "Keys that encrypt secrets in the database."),
    "org": ("", "Organizations."),
    "plan": ("backups", "Show what a restore of BACKUP would change; change nothing. Without --config or --data: everything in it."),
    "plugins": ("plugins", "List installed components, field types, importers and plugins, and those that are left out, or gone."),
    "prune": ("retention", "Remove the backups of APP that its retention does not keep. The clock does this daily."),
    "records": ("", "Write the records of a WORKSHEET of APP as JSON Lines."),
    "restore": ("backups", "Restore BACKUP in place, all or nothing. Without --config or --data: everything in it."),
    "restore-as-new": ("backups", "Create an app from the configuration of BACKUP, without its data."),
    "runs": ("runs", "List the backups, restores and checks of APP, newest first."),
    "sample": ("", "Set up a sample organization and app, unless they exist."),
    "settings": ("servers", "List the settings, each an environment variable."),
    "state": ("content", "Show the content_id of APP now: the digests that a backup made now would have."),
    "undo": ("backups", "Undo the restore RUN. What people changed since stays."),
    "up": ("servers", "Run everything in this terminal: queue, web, worker and clock."),
    "upload": ("backups", "Upload a backup FILE as a backup of APP, after verifying all of it."),
    "user": ("", "People."),
    "web": ("servers", "Serve pages and the API."),
    "worker": ("servers", "Run queued backups, restores, checks and imports."),
}
