"""What is said of components that this server does not have (any more): their parts of a backup are kept word for word, and left alone.

A component is absent where its plugin was taken out, was left out because it is broken, or is older than what wrote the backup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.apps.snapshot import Snapshot
from core.backups.reader import BackupReader
from core.server import server
from core.tenancy.models import App

MISSING = "plugin_missing"
"""The key under which a report says so of a component."""


def said_of_absent(app: App, saved: BackupReader, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Return component -> what a plan or report says of it: {"title", "version", "in_backup", "in_app"}, the last two as counts."""
    registry = server().registry
    here = {one.component: one for one in snapshot.unread()}
    rows = {name: count for name, one in registry.absent_data.items() if (count := one.record_count(app, snapshot))}
    found = {}
    for name in sorted({*saved.absent, *here, *rows}):
        entry = saved.content.components.get(name)
        held = sum(part.documents + part.records for _, part in entry.present()) if entry is not None else 0
        version = saved.absent.get(name) or (here[name].version if name in here else registry.absent[name].version)
        found[name] = {MISSING: {"title": title_of(name), "version": version, "in_backup": held,
                                 "in_app": rows.get(name, 0) + (len(here[name].documents) if name in here else 0)}}
    return found


def title_of(component: str) -> str:
    """Return what people call a component, here or not."""
    registry = server().registry
    known = registry.components.get(component) or registry.absent.get(component)
    return known.title if known is not None else component


def sentence(said: Mapping[str, Any]) -> str:
    """Return what a plan or report says of an absent component."""
    return f"{not_installed(said['title'], said['version'])} What the app has of it stays as it is, and nothing of it is restored."


def not_installed(title: str, version: int) -> str:
    """Return the sentence that says what is missing."""
    return f"No plugin on this server reads “{title}” in version {version}."
