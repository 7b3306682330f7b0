"""Command line of the sample: `sample` sets an organization up, `demo` shows the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.api import NotFound, apps, as_server, as_tenant, db, import_file, transaction, verb
from plugins.sample import account
from plugins.sample.account import OWNER
from plugins.sample.around import NAME
from plugins.sample.demo import run_demo
from plugins.sample.telling import demo_lines
from tenants import service as tenants

ORGANIZATION = "Sample organization"


def register(cli: click.Group) -> None:
    """Add the verbs."""

    @verb(cli, "sample", show=_lines)
    def sample() -> dict[str, Any]:
        """Set up a sample organization and app, unless they exist."""
        return set_up()

    @cli.command("demo")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
    def demo(as_json: bool) -> None:
        """Back up a sample app, damage it, restore it and prove it identical, in a temporary folder."""
        result = run_demo(say=(lambda line: None) if as_json else click.echo)
        for line in demo_lines(result, as_json=as_json):
            click.echo(line)
        if not result["equal"]:
            raise SystemExit(1)


def set_up() -> dict[str, Any]:
    """Return the sample organization, its app and who owns it; made at the first call."""
    made: dict[str, Any] = {"owner": OWNER, "password": None}
    with as_server(), transaction():
        try:
            organization = tenants.find_organization(ORGANIZATION).id
        except NotFound:
            organization = tenants.create_organization(ORGANIZATION, OWNER).id
            person = tenants.user_by_email(OWNER)
            if person.password_hash is None:
                tenants.set_password(person, account.make_password())
        made["password"] = account.kept_password()
        owner = tenants.user_by_email(OWNER).id
    with as_tenant(organization):
        found = next((app.id for app in apps.all_apps() if app.name == NAME), None)
        db.session.rollback()
        app = found or import_file(Path("sample"), organization, owner, name=NAME, importer="sample")["app"]
    return {"organization": organization, "app": app, **made}


def _lines(result: dict[str, Any]) -> list[str]:
    told = [f"organization “{ORGANIZATION}” ({result['organization']}) with the app “{NAME}” ({result['app']})"]
    if result["password"]:
        told.append(account.way_in(result["password"]))
    else:
        told.append(f"its owner is {result['owner']}")
    return told
