"""Refusals of tenants, beside those of the core."""

from __future__ import annotations

from core.api import AppkeepError


class ProofRefused(AppkeepError):
    """A password or one-time code that was asked for is not the right one."""

    code, status, title = "proof_refused", 403, "Not the right one"


class Locked(AppkeepError):
    """It was tried too often with a wrong password or code; the message says for how long it is refused."""

    code, status, title = "locked", 429, "Locked for a while"


class LinkSpent(AppkeepError):
    """A link was used already, withdrawn, is too old, or never was one: the answer is the same."""

    code, status, title = "link_spent", 410, "This link is no longer good"
