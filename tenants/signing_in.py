"""Who is behind a request: Flask-Login over the sessions of the database, and what the core asks about people."""

from __future__ import annotations

import ipaddress
import secrets

from flask import Flask, Response, after_this_request, current_app, has_request_context, request, session, url_for
from flask_login import LoginManager
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from core.api import Visitor, db
from tenants import second_factor
from tenants.current_person import SignedIn, signed_in
from tenants.models import UserSession
from tenants.sessions import find_session, seen
from tenants.throttle import Origin

DEVICE = "appkeep_device"
"""The cookie of a browser in which somebody has signed in before."""
DEVICE_S = 365 * 86400
MOST_ON_DEVICE = 5


def start(app: Flask) -> None:
    """Make Flask-Login ask the database who is behind a request."""
    manager = LoginManager()
    manager.session_protection = None  # sessions are ended by their rows, not by guessing at addresses
    manager.user_loader(_load)
    manager.init_app(app, add_context_processor=False)


def _load(token: str) -> SignedIn | None:
    found = find_session(token)
    if found is None or (second_factor.enrolled(found[1]) and found[0].second_factor_at is None):
        return None  # the session is over, or older than the second factor that it was not proven by
    person = SignedIn(token, *found)
    seen(found[0])
    return person


def visitor() -> Visitor | None:
    """Return who has signed in, for the gate; whoever still needs a second factor is led to where to set it up."""
    person = signed_in()
    if person is None:
        session.pop("_user_id", None)
        return None
    led = not person.enrolled and second_factor.required_by(person.id)
    return Visitor(person=person.id, name=person.name, email=person.email, detour=url_for("second_factor.show") if led else None)


def origin_of(user_id: str | None) -> Origin:
    """Return where the current request comes from: a browser or an address from which the person signed in before, or any address."""
    if not has_request_context():
        return Origin("server", known=True)
    device, people = _device()
    if user_id is not None and user_id in people:
        return Origin(f"device/{device}", known=True)
    address = network_of(request.remote_addr or "")
    return Origin(f"address/{address}", known=user_id is not None and address in _addresses_of(user_id))


def origin_of_session() -> Origin:
    """Return the session in which somebody is signed in, as where a guess comes from."""
    person = signed_in() if has_request_context() else None
    return Origin("server" if person is None else f"session/{person.session_id}", known=True)


def network_of(address: str) -> str:
    """Return what stands for the machine behind an address: itself, or the network of 64 bits that one household has of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def remember_device(user_id: str) -> None:
    """Have the browser of the current request tell, from now on, that this person has signed in there."""
    device, people = _device()
    kept = [device or secrets.token_urlsafe(12), [user_id, *(one for one in people if one != user_id)][:MOST_ON_DEVICE]]
    value, secure = str(_signer().dumps(kept)), bool(current_app.config["SESSION_COOKIE_SECURE"])

    @after_this_request
    def _keep(response: Response) -> Response:
        response.set_cookie(DEVICE, value, max_age=DEVICE_S, httponly=True, samesite="Lax", secure=secure)
        return response


def _device() -> tuple[str, list[str]]:
    try:
        device, people = _signer().loads(request.cookies.get(DEVICE, "")[:1000])
    except (BadSignature, TypeError, ValueError):
        return "", []
    return str(device), [str(one) for one in people]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="appkeep/device")


def _addresses_of(user_id: str) -> set[str]:
    return {network_of(one) for one in db.session.scalars(select(UserSession.address).where(UserSession.user_id == user_id))}
