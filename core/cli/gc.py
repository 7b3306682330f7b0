"""The verb on what nothing needs any more: gc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from core.base.text import size_text
from core.cli.verbs import verb
from core.gc import sweep
from core.server import server
from core.tenancy.wall import as_tenant

commands = click.Group()


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    going = "would be removed" if result["dry_run"] else "removed"
    condemned = "would be marked" if result["dry_run"] else "marked"
    for one in result["organizations"]:
        yield (f"{one['organization']}  {one['needed']} needed; {one['condemned']} no longer needed, {condemned} "
               f"({size_text(one['condemned_bytes'])}); {one['removed']} {going} ({size_text(one['removed_bytes'])})")
        if one["waits_for"]:
            yield f"  Nothing was removed: run {one['waits_for']} started before the grace period. Try again when it has ended."
        if one["leftovers_removed"] or one["packs_written_anew"] or one["packs_removed"]:
            yield (f"  {one['packs_removed']} packs removed, {one['packs_written_anew']} rewritten,  "
                   f"{one['leftovers_removed']} leftovers of dead runs removed")
    if not result["organizations"]:
        yield "The store is empty."


@verb(commands, "gc", show=_lines)
@click.option("--org", "organization", metavar="ORG", help="Only this organization (default: all).")
@click.option("--grace-hours", type=click.IntRange(min=1), metavar="N", required=True,
              help="Remove what an earlier pass marked at least N hours ago. The clock uses 24.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
def gc(organization: str | None, grace_hours: int, dry_run: bool) -> dict[str, Any]:
    """Mark stored data that no backup or app needs, and remove what was marked before. The clock does this daily."""
    found = server().registry.hook.find_organization(name_or_id=organization) if organization else None
    passes = []
    for one in [found] if found else sweep.organizations():
        with as_tenant(one):
            done = sweep.one_pass(grace_hours * sweep.HOUR_S, dry_run=dry_run)
        passes.append({"organization": one, **asdict(done)})
    return {"dry_run": dry_run, "organizations": passes}
