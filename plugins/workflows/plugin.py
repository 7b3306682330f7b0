"""Workflows: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from flask import Blueprint, url_for

from core.api import Acting, App, Component, MenuItem, RecordChange, RecordPanel, Standing, hookimpl
from plugins.workflows import clock, listening, running, secrets, standing, starting
from plugins.workflows.component import Workflows


@hookimpl
def register_component() -> Component:
    return Workflows()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Iterable[Blueprint]:
    from plugins.workflows.web import api, pages

    return pages, api


@hookimpl
def record_changed(app: App, worksheet: str, changes: Sequence[RecordChange], person: str) -> None:
    listening.changed(app, worksheet, changes, person)


@hookimpl
def acting_now() -> Acting | None:
    return listening.acting_now()


@hookimpl
def form_submitted(app: App, worksheet: str, view: str, seq: int, person: str) -> None:
    listening.form_sent(app, worksheet, view, seq, person)


@hookimpl
def button_pressed(app: App, worksheet: str, button: str, seq: int, person: str, target: str) -> Iterable[str]:
    return starting.pressed(app, worksheet, button, seq, person, target)


@hookimpl
def start_document(app: App, address: str, person: str, worksheet: str | None, seq: int | None) -> str | None:
    return starting.started(app, address, person, worksheet, seq)


@hookimpl
def work_off(app: App, name: str) -> None:
    if name == listening.NAME:
        running.work_off(app)


@hookimpl
def clock_ticked() -> None:
    clock.tick()


@hookimpl
def actor_standing(app: App, actor: str) -> Standing | None:
    return standing.of(app, actor)


@hookimpl
def organization_menu(organization_id: str) -> Iterable[MenuItem]:
    return (MenuItem("Approvals", url_for("workflows.all_approvals", organization_id=organization_id)),)


@hookimpl
def record_panels(app: App, person: str, worksheet: str, seq: int) -> Iterable[RecordPanel]:
    from plugins.workflows.web import panels

    return panels.of_record(app, person, worksheet, seq)


@hookimpl
def secrets_resealed() -> tuple[int, int]:
    return secrets.reseal_all()
