"""Who is here, in which organization and app: what every page knows of its request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from flask import g

from core.apps import documents
from core.apps.permissions import Rights, Standing, rights
from core.backups.browse import BrowsedBackup
from core.tenancy.models import App
from core.web.bearer import Bearer
from core.web.menu import MenuItem


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has signed in. `detour` is a page that they must go to before any other, if there is one."""

    person: str
    name: str
    email: str = ""
    detour: str | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """How an app receives people from outside its organization, and who of them has signed in with the current request.

    `visitor` is None for nobody. `logo_url` and `colour` are "" for none; `first_url` is the page that they come to first, None for the
    list of what they see. `menu` are links of the account's menu. Whoever only looks (`looking` says as what) changes nothing, and
    stops looking at `sign_out_url`.
    """

    title: str
    sign_in_url: str
    sign_out_url: str
    visitor: Visitor | None = None
    logo_url: str = ""
    colour: str = ""
    first_url: str | None = None
    menu: Sequence[MenuItem] = ()
    looking: str = ""


@dataclass
class Visit:
    """One request: the visitor, and what its address names. `role` is the visitor's in the organization.

    `guest` is set at the addresses of an app for people from outside, `browsed` at those where a backup of it is shown,
    `bearer` where a program comes with a token.
    """

    visitor: Visitor | None = None
    organization_id: str | None = None
    role: str | None = None
    app: App | None = None
    standing: Standing | None = None
    guest: Guest | None = None
    browsed: BrowsedBackup | None = None
    bearer: Bearer | None = None
    scopes: ExitStack = field(default_factory=ExitStack)

    @property
    def person(self) -> str:
        """The id of who is here."""
        if self.visitor is None:
            raise RuntimeError("This page is for nobody in particular.")
        return self.visitor.person

    @property
    def manages_organization(self) -> bool:
        """Whether the visitor is an owner or admin of the organization."""
        return self.role in ("owner", "admin")


def visit() -> Visit:
    """Return the current request's visit."""
    found: Visit = g.visit
    return found


def current_app_row() -> App:
    """Return the app that the address names."""
    app = visit().app
    if app is None:
        raise RuntimeError("This page belongs to no app.")
    return app


def current_standing() -> Standing:
    """Return what the visitor is to the app that the address names."""
    found = visit().standing
    if found is None:
        raise RuntimeError("This page belongs to no app.")
    return found


def rights_here(address: str) -> Rights:
    """Return what the visitor may do with a document of the app that the address names."""
    return rights(current_app_row(), current_standing(), address)


def require(address: str, action: str) -> Rights:
    """Return the visitor's rights on a document.

    Raises:
        NotFound: they may not do *action* with it: what one may not see does not exist.
    """
    found = rights_here(address)
    if not found.may(action):
        raise documents.absent(address.partition("/")[0])
    return found
