"""Verbs on apps: list, create, delete."""

from __future__ import annotations

from typing import Any

import click

from core.apps import service
from core.base.db import transaction
from core.base.time import iso
from core.cli.verbs import as_option, organization, person_of, verb
from core.tenancy.wall import as_tenant

commands = click.Group()
apps = click.Group("app", help="List, create and delete apps.")
commands.add_command(apps)


@verb(apps, "list", bare=True, show=lambda result: (f"{a['app']}  {a['created_at']}  {a['name']}" for a in result["apps"]))
@click.option("--org", required=True, metavar="ORG", help="Id or name of the organization.")
def list_(org: str) -> dict[str, Any]:
    """List the apps of an organization."""
    with as_tenant(organization(org)):
        return {"apps": [{"app": a.id, "name": a.name, "created_at": iso(a.created_at)} for a in service.all_apps()]}


@verb(apps, "create")
@click.argument("name")
@click.option("--org", required=True, metavar="ORG", help="Id or name of the organization.")
@as_option
def create(name: str, org: str, email: str | None) -> dict[str, Any]:
    """Create an app called NAME."""
    with as_tenant(organization(org)), transaction():
        return {"app": service.create(name, person_of(email)).id}


@verb(apps, "delete")
@click.argument("app_id", metavar="APP")
def delete(app_id: str) -> dict[str, Any]:
    """Delete APP; its backups stay."""
    with service.opened(app_id) as app, transaction():
        service.delete(service.find(app.id))
        return {"app": app_id, "deleted": True}
