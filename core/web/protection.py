"""What guards every page: forgery tokens, limits on how often, and headers that forbid what no page needs."""

from __future__ import annotations

import base64
import binascii
import logging
import secrets
from collections.abc import Mapping
from typing import ClassVar

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from core.base.config import Config
from core.base.errors import AppkeepError

POLICY = ("default-src 'self'; script-src 'self'; style-src-elem 'self'; style-src-attr 'unsafe-inline'; "
          "img-src 'self' data: blob:{images}; "
          "font-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; frame-src {frames}")
"""No script and no style sheet inside a page; single style attributes carry colours and widths, checked before."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class MaskedCSRF(CSRFProtect):  # type: ignore[misc]  # Flask-WTF comes without types
    """Forgery protection whose tokens look different in each answer, so that compressed pages do not give them away."""

    def init_app(self, app: Flask) -> None:
        """Guard an application; its templates get masked tokens."""
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        sent: str | None = super()._get_csrf_token()
        return unmasked(sent) if sent else sent


def masked_token() -> str:
    """Return the visitor's forgery token, masked by bytes that are drawn once an answer."""
    if "masked_csrf_token" not in g:
        token = generate_csrf().encode()
        mask = secrets.token_bytes(len(token))
        g.masked_csrf_token = base64.urlsafe_b64encode(mask + _mixed(mask, token)).decode()
    found: str = g.masked_csrf_token
    return found


def unmasked(sent: str) -> str:
    """Return the token that was masked; what is no masked token is none."""
    try:
        both = base64.urlsafe_b64decode(sent.encode())
    except (binascii.Error, ValueError):
        return ""
    half = len(both) // 2
    return _mixed(both[:half], both[half:]).decode("ascii", "replace") if len(both) == 2 * half else ""


def _mixed(mask: bytes, token: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(mask, token, strict=True))


class TooMany(AppkeepError):
    """Somebody asked for more in a while than they may."""

    code, status, title = "too_many", 429, "Too many requests"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "60"}


limiter = Limiter(get_remote_address, default_limits=[], headers_enabled=True)
csrf = MaskedCSRF()
_alone = FixedWindowRateLimiter(MemoryStorage())
log = logging.getLogger(__name__)


def protect(app: Flask) -> None:
    """Guard an application."""
    config: Config = app.extensions["appkeep"].config
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage(config), RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True, RATELIMIT_KEY_PREFIX="appkeep",
        RATELIMIT_ENABLED=config.rate_limits, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=True,
        MAX_FORM_MEMORY_SIZE=16 * 1024 * 1024, MAX_FORM_PARTS=20_000)
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(_harden)


def spend(limit: str, whose: str, cost: int = 1) -> None:
    """Count something that somebody may do so often in a while, such as "120/minute", or so much of.

    Raises:
        TooMany: it is more than that; nothing says how much was left.
    """
    if not limiter.enabled:
        return
    item = parse(limit)
    try:
        allowed = limiter.limiter.hit(item, "appkeep", whose, cost=cost)
    except Exception:  # whatever the queue's server, or its client, fails with: then this process counts by itself
        log.warning("The limit of %s is counted by this process alone", whose.partition("/")[0], exc_info=True)
        allowed = _alone.hit(item, "appkeep", whose, cost=cost)
    if not allowed:
        raise TooMany("You sent too much in a short time. Wait a while and try again.")


def _storage(config: Config) -> str:
    """Return where limits are counted: the queue's server, so that all web processes count together."""
    url: str = config.queue_url
    return f"redis+{url}" if url.startswith("unix://") else url


def _harden(response: Response) -> Response:
    frames = getattr(response, "frames", "'self'")
    images = "".join(f" {origin}" for origin in getattr(response, "images", ()))
    policy, embeddable = POLICY.format(frames=frames, images=images), getattr(response, "embeddable", False)
    if embeddable:
        policy = policy.replace("frame-ancestors 'none'", "frame-ancestors *")
    response.headers.setdefault("Content-Security-Policy", policy)
    for name, value in HEADERS.items():
        if not embeddable or name not in ("X-Frame-Options", "Cross-Origin-Resource-Policy"):
            response.headers.setdefault(name, value)
    if request.is_secure or current_app.extensions["appkeep"].config.address.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
