"""Portal: the plugin's table of contents."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Blueprint

from core.api import App, Component, Guest, Rights, Standing, hookimpl
from plugins.portal import guest as guests
from plugins.portal import rights
from plugins.portal.component import Portal


@hookimpl
def register_component() -> Component:
    return Portal()


@hookimpl
def register_migrations() -> str:
    return str(Path(__file__).parent / "migrations")


@hookimpl
def register_blueprint() -> Iterable[Blueprint]:
    from plugins.portal import web

    return web.BLUEPRINTS


@hookimpl
def guest(app: App) -> Guest | None:
    return guests.guest_of(app)


@hookimpl
def actor_standing(app: App, actor: str) -> Standing | None:
    return rights.standing_of(app, actor)


@hookimpl
def rights_on(app: App, person: str, address: str) -> Rights | None:
    return rights.rights_on(app, person, address)


@hookimpl
def app_roles(app: App, person: str) -> Iterable[str]:
    return rights.app_roles(app, person)


@hookimpl(trylast=True)
def person_email(organization_id: str, person: str) -> str | None:
    return rights.email_of(organization_id, person)


@hookimpl(trylast=True)  # who is of the organization is asked for first: that is nearly everybody
def person_name(organization_id: str, person: str) -> str | None:
    return rights.name_of(organization_id, person)
