"""Tenants: their pages, commands, signing in, quota, and what people are told of. The other half of plugin zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint, url_for

from core.api import App, Run, Visitor, as_tenant, hookimpl, in_transaction, transaction
from tenants import audit, commands, organizations, quota, secrets_at_rest, service, signing_in, verification
from tenants.notifications import deliveries, events, inbox, monthly

if TYPE_CHECKING:
    from core.api import Bearer


@hookimpl
def register_commands(cli: click.Group) -> None:
    commands.register(cli)


@hookimpl
def greet() -> Iterable[str]:
    return () if organizations.is_set_up() else ("it is empty: the page there sets the first organization up",)


@hookimpl
def register_blueprint() -> Iterable[Blueprint]:
    from tenants.web import BLUEPRINTS

    return BLUEPRINTS


@hookimpl
def visitor() -> Visitor | None:
    return signing_in.visitor()


@hookimpl
def bearer(token: str) -> Bearer | None:
    from tenants import api_tokens

    return api_tokens.bearer(token)


@hookimpl
def sign_in_url(next_url: str) -> str:
    if not organizations.is_set_up():
        return url_for("first_start.set_up")
    return url_for("entrance.sign_in", next=next_url)


@hookimpl
def sign_in_page(next_url: str, kept: str) -> str | None:
    from tenants.web import entrance

    return entrance.page(kept=kept, next_url=next_url) if organizations.is_set_up() else None


@hookimpl
def home_url(person: str) -> str:
    mine = service.organizations_of(person)
    return url_for("apps.organization_home", organization_id=mine[0][0].id) if mine else url_for("entrance.nowhere")


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
    monthly.tell_of_health()


@hookimpl
def runs_referred(run_ids: Sequence[str], ended: tuple[int, int]) -> Iterable[str]:
    return inbox.runs_told_of(run_ids, ended)
