"""Command line of tenants: org create, user create, user password."""

from __future__ import annotations

from typing import Any

import click

from core.api import as_server, as_tenant, transaction, verb
from tenants import service
from tenants.plans import DEFAULT_PLAN, PLANS


def register(cli: click.Group) -> None:
    """Add the verbs."""
    org = click.Group("org", help="Organizations.")
    user = click.Group("user", help="People.")
    cli.add_command(org)
    cli.add_command(user)

    @verb(org, "create")
    @click.argument("name")
    @click.option("--owner", required=True, metavar="EMAIL", help="Its first owner; made where there is none.")
    @click.option("--plan", default=DEFAULT_PLAN, type=click.Choice(tuple(PLANS)), show_default=True)
    def org_create(name: str, owner: str, plan: str) -> dict[str, Any]:
        """Make an organization called NAME."""
        with as_server(), transaction():
            made = service.create_organization(name, owner, plan)
            return {"organization": made.id, "name": made.name, "plan": made.plan}

    @verb(org, "add-member")
    @click.argument("organization")
    @click.argument("email")
    @click.option("--role", default="member", type=click.Choice(("owner", "admin", "member")), show_default=True)
    def org_add_member(organization: str, email: str, role: str) -> dict[str, Any]:
        """Make the person of EMAIL a member of ORGANIZATION."""
        found = service.find_organization(organization).id
        with as_tenant(found), transaction():
            member = service.user_by_email(email)
            service.add_member(member, role)
            return {"organization": found, "user": member.id, "role": role}

    @verb(user, "create")
    @click.argument("email")
    @click.option("--name", default="", help="What to call them; without it, the e-mail's first part.")
    @click.option("--password", help="Asked for when left out and a terminal is there.")
    def user_create(email: str, name: str, password: str | None) -> dict[str, Any]:
        """Make a person who can sign in."""
        secret = password or _asked_password()
        with as_server(), transaction():
            return {"user": service.create_user(email, name, secret).id}

    @verb(user, "password")
    @click.argument("email")
    @click.option("--password", help="Asked for when left out.")
    def user_password(email: str, password: str | None) -> dict[str, Any]:
        """Give the person of EMAIL a new password."""
        secret = password or _asked_password()
        with as_server(), transaction():
            person = service.user_by_email(email)
            service.set_password(person, secret)
            return {"user": person.id, "changed": True}


def _asked_password() -> str:
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer
