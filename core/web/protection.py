"""What guards every page: forgery tokens, limits on how often, and headers that forbid what no page needs."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

from core.config import Config

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
limiter = Limiter(get_remote_address, default_limits=[], headers_enabled=True)
csrf = CSRFProtect()


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


def _storage(config: Config) -> str:
    """Return where limits are counted: the queue's server, so that all web processes count together."""
    url: str = config.queue_url
    return f"redis+{url}" if url.startswith("unix://") else url


def _harden(response: Response) -> Response:
    frames = getattr(response, "frames", "'self'")
    images = "".join(f" {origin}" for origin in getattr(response, "images", ()))
    response.headers.setdefault("Content-Security-Policy", POLICY.format(frames=frames, images=images))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
