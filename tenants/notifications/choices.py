"""What people chose to be told of, and by what. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from core.api import db, server
from tenants.models import User
from tenants.notifications.kinds import KINDS
from tenants.notifications.models import ChannelChoice, NotificationChoice


@dataclass(frozen=True, slots=True)
class Choice:
    """By what a person is told of a kind."""

    inbox: bool
    mail: bool
    channels: frozenset[str] = frozenset()
    """The names of channels that plugins bring."""


def choices_of(people: Collection[str], kind: str) -> dict[str, Choice]:
    """Return what each of these people chose for a kind, or what holds until they choose."""
    usual = KINDS[kind]
    found = db.session.scalars(select(NotificationChoice).where(
        NotificationChoice.user_id.in_(people), NotificationChoice.kind == kind))
    chosen = {row.user_id: (row.inbox, row.mail) for row in found}
    by: dict[str, set[str]] = {}
    if server().registry.channels:
        for row in db.session.scalars(select(ChannelChoice).where(ChannelChoice.user_id.in_(people), ChannelChoice.kind == kind)):
            by.setdefault(row.user_id, set()).add(row.channel)
    return {person: Choice(*chosen.get(person, (usual.inbox, usual.mail)), frozenset(by.get(person, ()))) for person in people}


def all_choices(person: str) -> dict[str, Choice]:
    """Return what holds for a person, kind by kind."""
    return {kind: choices_of([person], kind)[person] for kind in KINDS}


def choose(person: str, chosen: Mapping[str, Choice]) -> None:
    """Save what a person wants to be told of; a missing kind is left to the default, and a channel that is not here as it was."""
    db.session.execute(select(User.id).where(User.id == person).with_for_update())  # two windows are saved one after the other
    db.session.execute(delete(NotificationChoice).where(NotificationChoice.user_id == person))
    here = list(server().registry.channels)
    db.session.execute(delete(ChannelChoice).where(ChannelChoice.user_id == person, ChannelChoice.channel.in_(here)))
    db.session.add_all(ChannelChoice(user_id=person, kind=kind, channel=channel)
                       for kind in KINDS if kind in chosen for channel in chosen[kind].channels if channel in here)
    db.session.add_all(NotificationChoice(user_id=person, kind=kind, inbox=chosen[kind].inbox, mail=chosen[kind].mail)
                       for kind in KINDS if kind in chosen)
    db.session.flush()
