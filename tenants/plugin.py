"""Tenants: organizations, people, and who may do what. Plugin zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, url_for

from core.api import App, Run, Visitor, as_tenant, hookimpl, in_transaction, transaction
from tenants import audit, commands, organizations, quota, secrets_at_rest, service, signing_in, verification
from tenants.notifications import deliveries, events, inbox
from tenants.plans import PLANS, plan
from tenants.web import BLUEPRINTS, entrance


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def greet() -> Iterable[str]:
    return () if organizations.is_set_up() else ("it is empty: the page there sets the first organization up",)


@hookimpl
def org_reference_exists(organization_id: str, address: str) -> bool | None:
    return service.reference_exists(organization_id, address)


@hookimpl
def org_choices(organization_id: str, kind: str) -> Iterable[tuple[str, str]]:
    return service.choices(organization_id, kind)


@hookimpl
def find_organization(name_or_id: str) -> str:
    return service.find_organization(name_or_id).id


@hookimpl
def find_person(email: str) -> str:
    return service.user_by_email(email).id


@hookimpl
def organization_time_zone(organization_id: str) -> str | None:
    return service.time_zone(organization_id)


@hookimpl
def app_created(app: App, person: str) -> None:
    """Who makes an app manages it."""
    audit.audit("app_made", f"app/{app.id}", by=person, name=app.name)
    if person.startswith("u_"):
        service.name_admin(app, person)


@hookimpl
def app_deleted(app: App) -> None:
    audit.audit("app_deleted", f"app/{app.id}", name=app.name)


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Iterable[Blueprint]:
    return BLUEPRINTS


@hookimpl
def visitor() -> Visitor | None:
    return signing_in.visitor()


@hookimpl
def sign_in_url(next_url: str) -> str:
    if not organizations.is_set_up():
        return url_for("first_start.set_up")
    return url_for("entrance.sign_in", next=next_url)


@hookimpl
def sign_in_page(next_url: str, kept: str) -> str | None:
    return entrance.page(kept=kept, next_url=next_url) if organizations.is_set_up() else None


@hookimpl
def home_url(person: str) -> str:
    mine = service.organizations_of(person)
    return url_for("apps.organization_home", organization_id=mine[0][0].id) if mine else url_for("entrance.nowhere")


@hookimpl
def role_in_organization(organization_id: str, person: str) -> str | None:
    return service.role_of(organization_id, person)


@hookimpl
def manages_app(app: App, person: str) -> bool:
    return service.is_admin(app, person)


@hookimpl
def person_name(organization_id: str, person: str) -> str | None:
    return service.name_of(organization_id, person)


@hookimpl
def addresses_of(organization_id: str, person: str) -> Iterable[str]:
    return service.addresses_of(organization_id, person)


@hookimpl
def colleagues_of(organization_id: str, person: str) -> Iterable[str]:
    return service.colleagues_of(organization_id, person)


@hookimpl
def objects_reserved(organization_id: str, size: int, reference: str) -> None:
    try:
        quota.reserve(organization_id, size, reference)
    except quota.QuotaExceeded:
        if not in_transaction():  # which would take back what is told with what it refused
            with as_tenant(organization_id), transaction():
                events.quota_looked_at(refused=True)
        raise


@hookimpl
def objects_recorded(organization_id: str, size: int, reference: str, purpose: str, app_id: str | None) -> None:
    quota.settle(organization_id, size, reference, purpose, app_id)
    with as_tenant(organization_id):
        events.quota_looked_at()


@hookimpl
def objects_released(organization_id: str, reference: str) -> None:
    quota.release(organization_id, reference)


@hookimpl
def secrets_resealed() -> tuple[int, int]:
    return secrets_at_rest.reseal_all()


@hookimpl
def may_schedule(organization_id: str) -> bool:
    return plan(service.find_organization(organization_id).plan).scheduled_backups


@hookimpl
def schedules_need(organization_id: str) -> str:
    return f"the {next(one.title for one in PLANS.values() if one.scheduled_backups)} plan"


@hookimpl
def identity_method(person: str) -> str:
    return verification.method_of(person)


@hookimpl
def prove_identity(person: str, answer: str) -> None:
    verification.prove_person(person, answer)


@hookimpl
def run_finished(run: Run) -> None:
    events.run_finished(run)


@hookimpl
def backup_acted(app_id: str, act: str, result: str, person: str, detail: Mapping[str, Any]) -> None:
    audit.audit_backup(app_id, act, result, person, detail)


@hookimpl
def schedule_paused(app: App) -> None:
    events.schedule_paused(app)


@hookimpl
def clock_ticked() -> None:
    quota.release_forgotten()
    deliveries.deliver_due()
    deliveries.forget_old()


@hookimpl
def runs_referred(run_ids: Sequence[str], ended: tuple[int, int]) -> Iterable[str]:
    return inbox.runs_told_of(run_ids, ended)
