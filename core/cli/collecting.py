"""The verb on what nothing needs any more: gc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from core.app import server
from core.backups import collecting
from core.cli.showing import size_text
from core.cli.verbs import verb
from core.scope import as_tenant


def register(main: click.Group) -> None:
    """Add the verb."""

    @verb(main, "gc", show=_lines)
    @click.option("--org", "organization", metavar="ORG", help="Only this organization; without it, all.")
    @click.option("--grace-hours", type=click.IntRange(min=1), metavar="N", required=True,
                  help="Remove what was found needless by a pass at least so many hours ago. 24 is what the clock takes.")
    @click.option("--dry-run", is_flag=True, help="Say what a pass would do, and change nothing.")
    def gc(organization: str | None, grace_hours: int, dry_run: bool) -> dict[str, Any]:
        """Look for what no backup and no app needs any more, and remove what was found so before; the clock does so by itself."""
        found = server().registry.hook.find_organization(name_or_id=organization) if organization else None
        passes = []
        for one in [found] if found else collecting.organizations():
            with as_tenant(one):
                done = collecting.one_pass(grace_hours * collecting.HOUR_S, dry_run=dry_run)
            passes.append({"organization": one, **asdict(done)})
        return {"dry_run": dry_run, "organizations": passes}


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    going = "would go" if result["dry_run"] else "removed"
    condemned = "would be marked" if result["dry_run"] else "marked"
    for one in result["organizations"]:
        yield (f"{one['organization']}  {one['needed']} needed; {one['condemned']} not needed any more, {condemned} "
               f"({size_text(one['condemned_bytes'])}); {one['removed']} {going} ({size_text(one['removed_bytes'])})")
        if one["waits_for"]:
            yield f"  Nothing was removed: the run {one['waits_for']} is older than the grace. Try again when it has ended."
        if one["leftovers_removed"] or one["packs_written_anew"] or one["packs_removed"]:
            yield (f"  {one['packs_removed']} packs removed, {one['packs_written_anew']} written anew, "
                   f"{one['leftovers_removed']} leftovers of runs that died removed")
    if not result["organizations"]:
        yield "There is nothing in the store."
