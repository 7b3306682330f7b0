"""Refusals of tenants, beside those of the core."""

from __future__ import annotations

from core.api import AppkeepError


class ProofRefused(AppkeepError):
    """A password or one-time code that was asked for is not the right one."""

    code, status, title = "proof_refused", 403, "Identity not confirmed"


class Locked(AppkeepError):
    """It was tried too often with a wrong password or code; the message says for how long it is refused."""

    code, status, title = "locked", 429, "Too many attempts"


class LinkSpent(AppkeepError):
    """A link was used already, withdrawn, is too old, or never was one: the answer is the same."""

    code, status, title = "link_spent", 410, "Link expired"
