"""Tenants: who the organizations and people are, and who may do what. Plugin zero.

What else tenants bring is in `tenants.plugin_pages`: many a command needs no more than a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.api import App, as_tenant, hookimpl
from tenants import audit, service
from tenants.plans import PLANS, plan


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
def role_in_organization(organization_id: str, person: str) -> str | None:
    return service.role_of(organization_id, person)


@hookimpl
def manages_app(app: App, person: str) -> bool:
    return service.is_admin(app, person)


@hookimpl
def person_name(organization_id: str, person: str) -> str | None:
    return service.name_of(organization_id, person)


@hookimpl
def person_email(organization_id: str, person: str) -> str | None:
    with as_tenant(organization_id):
        return next(iter(service.emails_of([person])), None)


@hookimpl
def addresses_of(organization_id: str, person: str) -> Iterable[str]:
    return service.addresses_of(organization_id, person)


@hookimpl
def colleagues_of(organization_id: str, person: str) -> Iterable[str]:
    return service.colleagues_of(organization_id, person)


@hookimpl
def people_of(app: App, address: str) -> Iterable[str]:
    return service.people_of(app.organization_id, address)


@hookimpl
def may_schedule(organization_id: str) -> bool:
    return plan(service.find_organization(organization_id).plan).scheduled_backups


@hookimpl
def schedules_need(organization_id: str) -> str:
    return f"the {next(one.title for one in PLANS.values() if one.scheduled_backups)} plan"
