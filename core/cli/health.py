"""The verb on how well an organization's apps are backed up: health."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from core.backups.health import AppHealth, counts, health_of_all
from core.backups.models import Backup
from core.base.time import iso
from core.cli.verbs import organization, verb
from core.tenancy.wall import as_tenant

commands = click.Group()


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield from result["summary"]
    for one in result["apps"]:
        good = f"last good backup {one['good']['created_at']}" if one["good"] else "no good backup"
        proven = f"{one['proven']['words'].lower()} {one['proven']['at']}" if one["proven"] else "not proven"
        yield f"{one['app']}  “{one['name']}”  {good}; schedule {one['schedule']}; {proven}"
        yield from (f"  {problem['sentence']}" for problem in one["problems"])
    if not result["apps"]:
        yield "The organization has no apps."


@verb(commands, "health", bare=True, show=_lines)
@click.option("--org", required=True, metavar="ORG", help="Id or name of the organization.")
def health(org: str) -> dict[str, Any]:
    """Show how well the apps of an organization are backed up, the worst first."""
    with as_tenant(organization(org)):
        apps = health_of_all()
        return {"summary": [one.sentence for one in counts(apps)], "apps": [_value(one) for one in apps]}


def _value(one: AppHealth) -> dict[str, Any]:
    proof = one.proof
    told = None if proof is None or one.proven is None else {
        **_named(one.proven), "level": proof.level, "words": proof.words, "at": iso(proof.at)}
    return {"app": one.app_id, "name": one.app_name, "backups": one.count, "damaged": one.damaged, "schedule": one.schedule,
            "good": _named(one.good) if one.good is not None else None, "proven": told,
            "failed_at": iso(one.failed_at) if one.failed_at else None,
            "problems": [{"code": problem.code, "sentence": problem.sentence, "bad": problem.bad} for problem in one.problems]}


def _named(backup: Backup) -> dict[str, Any]:
    return {"backup": backup.id, "name": backup.name, "created_at": iso(backup.created_at)}
