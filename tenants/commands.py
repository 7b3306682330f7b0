"""Command line of tenants: organizations and people, made, listed, changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from core.api import as_server, as_tenant, count_text, transaction, verb
from tenants import accounts, organizations, second_factor, service, sessions
from tenants.plans import DEFAULT_PLAN, PLANS

org = click.Group("org", help="Organizations.")
user = click.Group("user", help="People.")


def register(cli: click.Group) -> None:
    """Add the verbs."""
    cli.add_command(org)
    cli.add_command(user)


def _organization_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["organizations"]:
        closed = ", closed" if one["closed"] else ""
        yield f"{one['organization']}  {one['name']} ({one['plan']}, {count_text(one['members'], 'member')}{closed})"


def _people_lines(result: Mapping[str, Any]) -> Iterator[str]:
    for one in result["users"]:
        yield f"{one['user']}  {one['email']}  {one['name']}" + ("" if one["password"] else "  (cannot sign in yet)")


def _asked_password() -> str:
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


@verb(org, "create")
@click.argument("name")
@click.option("--owner", required=True, metavar="EMAIL", help="Email of the first owner; the account is created if there is none.")
@click.option("--plan", default=DEFAULT_PLAN, type=click.Choice(tuple(PLANS)), show_default=True)
def org_create(name: str, owner: str, plan: str) -> dict[str, Any]:
    """Create an organization called NAME."""
    with as_server(), transaction():
        made = service.create_organization(name, owner, plan)
        return {"organization": made.id, "name": made.name, "plan": made.plan}


@verb(org, "list", show=_organization_lines)
def org_list() -> dict[str, Any]:
    """List all organizations, closed ones too."""
    return {"organizations": [
        {"organization": row.id, "name": row.name, "plan": row.plan, "members": people, "closed": row.closed_at is not None}
        for row, people in organizations.all_organizations()]}


@verb(org, "reopen")
@click.argument("organization")
def org_reopen(organization: str) -> dict[str, Any]:
    """Reopen ORGANIZATION after its owner closed it."""
    found = service.find_organization(organization).id
    with transaction():
        organizations.open_again(found)
    return {"organization": found, "closed": False}


@verb(org, "add-member")
@click.argument("organization")
@click.argument("email")
@click.option("--role", default="member", type=click.Choice(("owner", "admin", "member")), show_default=True)
def org_add_member(organization: str, email: str, role: str) -> dict[str, Any]:
    """Add the person with EMAIL to ORGANIZATION."""
    found = service.find_organization(organization).id
    with as_tenant(found), transaction():
        member = service.user_by_email(email)
        service.add_member(member, role)
        return {"organization": found, "user": member.id, "role": role}


@verb(user, "create")
@click.argument("email")
@click.option("--name", default="", help="Display name; by default the part of the email before the @.")
@click.option("--password", help="Prompted for when left out on a terminal.")
def user_create(email: str, name: str, password: str | None) -> dict[str, Any]:
    """Create an account for EMAIL."""
    secret = password or _asked_password()
    with as_server(), transaction():
        made = service.create_user(email, name, secret).id
        accounts.prove_email(made)  # the operator says whose it is
        return {"user": made}


@verb(user, "list", show=_people_lines)
def user_list() -> dict[str, Any]:
    """List all people who have an account."""
    return {"users": [{"user": row.id, "email": row.email, "name": row.name, "password": row.password_hash is not None,
                       "second_factor": row.totp_secret is not None} for row in accounts.all_people()]}


@verb(user, "password")
@click.argument("email")
@click.option("--password", help="Prompted for when left out.")
def user_password(email: str, password: str | None) -> dict[str, Any]:
    """Set a new password for EMAIL and sign them out everywhere."""
    secret = password or _asked_password()
    with as_server(), transaction():
        person = service.user_by_email(email)
        service.set_password(person, secret)
        sessions.close_sessions(person.id)
        return {"user": person.id, "changed": True}


@verb(user, "second-factor-off")
@click.argument("email")
def user_second_factor_off(email: str) -> dict[str, Any]:
    """Remove the second factor of EMAIL, who lost both device and recovery codes."""
    with as_server(), transaction():
        found = service.user_by_email(email).id
        second_factor.take_away(found)
        sessions.close_sessions(found)
        return {"user": found, "second_factor": False}
