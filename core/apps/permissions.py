"""What a person may do with an app and with each thing in it. Plugins answer by hooks; the core adds the answers up.

Whoever manages an app may do everything in it but what needs an active membership too (backups). Everybody else may
do what the app's roles give them, and nothing where no role says anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from core.base.content import elsewhere
from core.base.ids import SYSTEM, is_person
from core.server import server
from core.tenancy.models import App

SCOPES = ("none", "own", "department", "all")
"""How far a right to records reaches, from the least to the most."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do with one document.

    `actions` maps an action ("read", "update", "see", …) to one of `SCOPES`; one that is missing is "none".
    `denied` maps a part ("field/f_…") to the actions that are not allowed on it although the document allows them.
    `owned` maps a part to a value: a record that holds it there is their own, as one is that they made. `everything` allows all of it.
    """

    actions: Mapping[str, str] = field(default_factory=dict)
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everything: bool = False
    owned: Mapping[str, str] = field(default_factory=dict)

    def scope(self, action: str) -> str:
        """Return how far an action reaches."""
        return "all" if self.everything else self.actions.get(action, "none")

    def may(self, action: str, part: str | None = None) -> bool:
        """Say whether an action is allowed at all, on the document or on one of its parts."""
        if self.everything:
            return True
        return self.scope(action) != "none" and (part is None or action not in self.denied.get(part, ()))

    def __or__(self, other: Rights) -> Rights:
        """Return what two roles give together: each action as far as the more generous one, a part if either allows it.

        A role that does not allow an action at all opens no part for it either, although it denies none.
        """
        if self.everything or other.everything:
            return EVERYTHING
        if not self.actions or not other.actions:
            return self if self.actions else other
        actions = {a: max(self.scope(a), other.scope(a), key=SCOPES.index) for a in self.actions.keys() | other.actions.keys()}
        denied = {part: shut for part in self.denied.keys() | other.denied.keys()
                  if (shut := frozenset(a for a in self.denied.get(part, frozenset()) | other.denied.get(part, frozenset())
                                        if not self.may(a, part) and not other.may(a, part)))}
        return Rights(actions, denied, owned={**self.owned, **other.owned})


EVERYTHING = Rights(everything=True)
NOTHING = Rights()
READING = Rights({"see": "all", "read": "all"})
"""What whoever browses a backup may do with what is in it: an app admin reads everything there, and nobody writes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is to an app: `role` in its organization ("owner", "admin", "member" or None), and in the app.

    `browses` where they look at a backup of it: then they are no admin, whatever they are in the app.
    """

    person: str
    role: str | None
    admin: bool
    sees: bool
    browses: bool = False

    @property
    def member(self) -> bool:
        """Whether they are an active member of the organization."""
        return self.role is not None

    @property
    def may_back_up(self) -> bool:
        """Whether they may make, see and restore backups: docs/rules.md asks for both."""
        return self.admin and self.member


def standing(app: App, person: str) -> Standing:
    """Return what a person is to an app of the current organization, or who else acts in it: "workflow/a_…/f_…"."""
    hook, place = server().registry.hook, elsewhere()
    if place is not None and place.app_id == app.id:  # who may browse a backup was asked before it was opened
        role = hook.role_in_organization(organization_id=app.organization_id, person=person)
        return Standing(person=person, role=role, admin=False, sees=True, browses=True)
    if "/" in person:
        return hook.actor_standing(app=app, actor=person) or Standing(person=person, role=None, admin=False, sees=False)
    role = hook.role_in_organization(organization_id=app.organization_id, person=person)
    admin = any(hook.manages_app(app=app, person=person))
    sees = admin or (role is not None and any(hook.sees_app(app=app, person=person)))
    return Standing(person=person, role=role, admin=admin, sees=sees)


def author(actor: str) -> str:
    """Return whom records name as their author: a person, or a guest ("portal/u_…"); the system for whoever else acts."""
    who = actor.rpartition("/")[2]
    return who if is_person(who) else SYSTEM


def rights(app: App, who: Standing, address: str) -> Rights:
    """Return what somebody may do with a document of an app."""
    if who.admin:
        return EVERYTHING
    if who.browses:
        return READING
    if not who.sees:
        return NOTHING
    if any(server().registry.hook.shuts(app=app, person=who.person, address=address)):
        return NOTHING
    given: Iterable[Rights | None] = server().registry.hook.rights_on(app=app, person=who.person, address=address)
    return reduce(Rights.__or__, (one for one in given if one is not None), NOTHING)
