"""Pages on API tokens: a person's own, and all of an organization for its owners and admins.

The one danger: a token's text. It is in the answer to the form that made it and nowhere else, neither in a cookie nor on a later page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, url_for

from core.api import API_SCOPES, ORGANIZATION, Needs, NotFound, Pages, again, as_tenant, limiter, now_us, transaction
from tenants import accounts, api_tokens, service, verification
from tenants.models import ApiToken
from tenants.service import Place
from tenants.web.account import me
from tenants.web.forms import number, refused, refused_change, to, typed

pages = Pages("api_tokens", __name__)
HERE = "/account/api-tokens"
MANAGED = f"{ORGANIZATION}/api-tokens"
OFTEN = "20 per minute"
PAGE_TOKENS = 50
MAX_ANSWER_CHARS = 1024
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """A token as pages show it. `purposes` say what it is for; `belongs` is False where its person left the organization."""

    id: str
    person: str
    name: str
    purposes: tuple[str, ...]
    made_at: int
    expires_at: int
    used_at: int | None
    used_address: str
    expired: bool
    belongs: bool = True


@pages.page(HERE, Needs.SIGNED_IN, ("GET", "POST"))
@limiter.limit(OFTEN, methods=["POST"])
def show() -> str | Response:
    """List one's tokens by organization; make one and show it, this once."""
    return _make() if request.method == "POST" else _page()


@pages.page(f"{HERE}/<token_id>/remove", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def remove(token_id: str) -> Response:
    """Remove one of one's own tokens."""
    user_id, place = me().id, _place(typed("organization"))
    with as_tenant(place.id):
        return _removed(user_id, token_id, url_for("api_tokens.show"))


@pages.page(MANAGED, Needs.ORG_ADMIN)
def managed(organization_id: str) -> str:
    """List the tokens of everybody in the organization, a page at a time."""
    after = request.args.get("after")
    found = api_tokens.tokens(after=after, most=PAGE_TOKENS + 1)
    listed, belonging = found[:PAGE_TOKENS], api_tokens.belonging({row.user_id for row in found})
    return render_template("tenants/managed_api_tokens.html", tokens=_shown(listed, belonging), first=after is None,
                           older=listed[-1].id if len(found) > len(listed) else None)


@pages.page(f"{MANAGED}/<token_id>/remove", Needs.ORG_ADMIN, ("POST",))
@limiter.limit(OFTEN)
def remove_managed(organization_id: str, token_id: str) -> Response:
    """Remove anybody's token."""
    return _removed(None, token_id, url_for("api_tokens.managed", organization_id=organization_id))


def _removed(user_id: str | None, token_id: str, onward_url: str) -> Response:
    with transaction():
        name = api_tokens.remove(user_id, token_id).name
    return to(onward_url, f"“{name}” was removed. Programs that use it are refused from now on.")


def _make() -> str | Response:
    user_id, chosen = me().id, typed("organization")
    if not chosen:
        return again(_page(organization="Choose an organization."))
    place = _place(chosen)
    scopes, days = request.form.getlist("scope"), number(request.form.get("days")) or 0
    made: list[tuple[ApiToken, str]] = []
    if errors := _wrong(user_id, place, scopes, days) or _unproven(user_id, scopes):
        return again(_page(**errors))
    with as_tenant(place.id):
        error = refused_change(lambda: made.append(api_tokens.make(user_id, typed("name"), scopes, days)))
    if error:
        return again(_page(form=error))
    row, text = made[0]
    (shown,) = _shown([row])
    return render_template("tenants/api_token.html", token=text, shown=shown, place=place, zone=service.time_zone(place.id))


def _wrong(user_id: str, place: Place, scopes: list[str], days: int) -> dict[str, str]:
    """Return what is wrong with the form, by field; asked before anything is proven, for which a code would be used up."""
    with as_tenant(place.id):
        found = {
            "name": refused(lambda: api_tokens.checked_label(typed("name"))),
            "scope": refused(lambda: api_tokens.checked_scopes(scopes)),
            "days": refused(lambda: api_tokens.check_days(days, scopes)),
            "form": refused(lambda: api_tokens.check_room(user_id)),
        }
    return {field: error for field, error in found.items() if error}


def _unproven(user_id: str, scopes: list[str]) -> dict[str, str]:
    """Return why it is not clear who asks for a token that can restore; for any other nobody is asked."""
    if api_tokens.NEEDS_PROOF not in scopes:
        return {}
    answer = request.form.get("answer", "")[:MAX_ANSWER_CHARS]
    if not answer:
        return {"answer": "Confirm your identity to create a token that can restore."}
    error = refused(lambda: verification.prove(accounts.found(user_id), answer))
    return {"answer": error} if error else {}


def _place(organization_id: str) -> Place:
    """Return an organization that the visitor belongs to.

    Raises:
        NotFound: they do not, or there is none of that id.
    """
    for place in service.places_of(me().id):
        if place.id == organization_id:
            return place
    raise NotFound("Organization not found.")


def _shown(rows: Iterable[ApiToken], belonging: set[str] | None = None) -> list[Shown]:
    now = now_us()
    return [Shown(
        id=row.id, person=row.user_id, name=row.name, made_at=row.made_at, expires_at=row.expires_at, used_at=row.used_at,
        purposes=tuple(words for scope, words in API_SCOPES.items() if scope in api_tokens.scopes_of(row)),
        used_address=row.used_address, expired=row.expires_at <= now, belongs=belonging is None or row.user_id in belonging)
        for row in rows]


def _mine(user_id: str, place: Place) -> list[Shown]:
    with as_tenant(place.id):
        return _shown(api_tokens.tokens(user_id))


def _page(**errors: str) -> str:
    user_id = me().id
    places = service.places_of(user_id)
    mine = [(place, service.time_zone(place.id), shown) for place in places if (shown := _mine(user_id, place))]
    return render_template("tenants/api_tokens.html", places=places, mine=mine, errors=errors, method=verification.method_of(user_id),
                           scopes=API_SCOPES, days=api_tokens.DAYS, needs_proof=api_tokens.NEEDS_PROOF,
                           restore_days=api_tokens.RESTORE_DAYS, typed=_typed(bool(errors)))


def _typed(refused_once: bool) -> dict[str, Any]:
    """Return what the form begins with: what was typed where it was refused."""
    if not refused_once:
        return {"organization": "", "name": "", "scopes": ["read"], "days": USUAL_DAYS}
    return {"organization": typed("organization"), "name": typed("name"), "scopes": request.form.getlist("scope"),
            "days": number(request.form.get("days"))}
