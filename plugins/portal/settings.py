"""What an app's portal is set to, with what holds where its document says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.api import App, NotFound, documents

PASSWORD, CODE = "password", "email_code"
HOURS = 14 * 24
"""How long somebody stays signed in where the portal does not say."""


@dataclass(frozen=True, slots=True)
class Settings:
    """An open portal's settings. `registration` is "closed", "invite", "approval" or "open"; no `domains` are all of them.

    `home` is the address of the document that people see first, `default_role` the key of the role that new accounts get.
    """

    title: str
    methods: tuple[str, ...]
    registration: str
    domains: tuple[str, ...]
    terms: str
    terms_url: str
    hours: int
    look: Mapping[str, Any]
    home: str | None

    @property
    def registers(self) -> bool:
        """Whether people can make an account by themselves."""
        return self.registration in ("approval", "open")

    @property
    def has_terms(self) -> bool:
        """Whether people must agree to something."""
        return bool(self.terms or self.terms_url)

    def takes(self, email: str) -> bool:
        """Say whether somebody of that address can register."""
        return self.registers and (not self.domains or email.rpartition("@")[2].casefold() in self.domains)


def settings_of(app: App) -> Settings | None:
    """Return the settings of an app's portal, None where it is closed."""
    try:
        body = documents.get(app, "portal/main").body
    except NotFound:
        return None
    return of_body(app, body) if body["enabled"] else None


def of_body(app: App, body: Mapping[str, Any]) -> Settings:
    """Return the settings that a portal's document says."""
    sign_in = body.get("sign_in", {})
    url = str(sign_in.get("terms_url", ""))
    return Settings(
        title=str(body.get("title") or app.name), methods=tuple(sign_in.get("methods") or (CODE,)),
        registration=sign_in.get("registration", "invite"),
        domains=tuple(str(one).strip().casefold().removeprefix("@") for one in sign_in.get("domains", ())),
        terms=str(sign_in.get("terms", "")), terms_url=url if url.lower().startswith(("https://", "http://")) else "",
        hours=int(sign_in.get("session_hours") or HOURS), look=body.get("look", {}),
        home=str(body["home"]["ref"]) if body.get("home") else None)
