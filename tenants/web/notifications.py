"""Pages on what one is told: the inbox, and by what one wants to be told."""

from __future__ import annotations

from functools import partial

from flask import Response, jsonify, redirect, render_template, request, url_for

from core.api import Channel, Needs, Pages, limiter, server, transaction, visit
from tenants import mail, service
from tenants.notifications import choices, inbox
from tenants.notifications.choices import Choice
from tenants.notifications.kinds import KINDS
from tenants.web.forms import number, to

pages = Pages("notifications", __name__)
ONE = "/notifications/<int:notification_id>"
OFTEN = "60 per minute"


@pages.page("/notifications", Needs.SIGNED_IN)
def show() -> str:
    """List what one has been told, newest first, a page at a time."""
    unread, before = "unread" in request.args, number(request.args.get("before"))
    found = inbox.items(visit().person, unread=unread, before=before)
    shown = found[:inbox.PAGE_NOTIFICATIONS]
    places = service.places_of(visit().person)
    return render_template(
        "tenants/inbox.html", items=shown, unread_only=unread, older=shown[-1].id if len(found) > len(shown) else None,
        first=before is None, many=len(places) > 1, zone=service.time_zone(places[0].id) if places else None)


@pages.page("/notifications/unread", Needs.SIGNED_IN)
def unread() -> Response:
    """Answer how many are not read yet."""
    return jsonify(unread=inbox.unread_count(visit().person))


@pages.page(ONE, Needs.SIGNED_IN)
def open_one(notification_id: int) -> Response:
    """Lead to what a notification tells of; it counts as read from then on."""
    with transaction():
        item = inbox.read(visit().person, notification_id)
    return redirect(item.path)  # type: ignore[return-value]


@pages.page(f"{ONE}/read", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def read(notification_id: int) -> Response:
    """Mark one as read."""
    with transaction():
        inbox.read(visit().person, notification_id)
    return to(url_for("notifications.show"))


@pages.page("/notifications/read", Needs.SIGNED_IN, ("POST",))
@limiter.limit(OFTEN)
def read_all() -> Response:
    """Mark all as read."""
    with transaction():
        inbox.read_all(visit().person)
    return to(url_for("notifications.show"), "All notifications are marked as read.")


@pages.page("/notifications/choices", Needs.SIGNED_IN, ("GET", "POST"))
@limiter.limit(OFTEN, methods=["POST"])
def choose() -> str | Response:
    """Show and change by what one is told of each kind."""
    if request.method == "GET":
        return render_template("tenants/choices.html", kinds=KINDS.values(), chosen=choices.all_choices(visit().person),
                               mailed=mail.has_server(), channels=_channels())
    here = server().registry.channels
    wanted = {kind: Choice(f"inbox.{kind}" in request.form, f"mail.{kind}" in request.form,
                           frozenset(name for name in here if f"channel.{name}.{kind}" in request.form)) for kind in KINDS}
    with transaction():
        choices.choose(visit().person, wanted)
    return to(url_for("notifications.choose"), "Saved.")


def _channels() -> list[tuple[Channel, bool]]:
    """Return the channels that plugins bring, each with whether the visitor can be told by it."""
    registry, person = server().registry, visit().person
    return [(one, registry.call("register_channel", one.name, partial(one.reaches, person)) is True)
            for one in registry.channels.values()]
