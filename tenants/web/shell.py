"""What tenants add to the shell around every page: the organization's name, its menu, the account's menu, where else one is."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from flask.blueprints import BlueprintSetupState

from core.api import MenuItem, Pages, server, visit
from tenants import service, signing_in
from tenants.notifications import inbox

pages = Pages("tenants", __name__, template_folder="../templates")
_MANAGED = (("Members", "members.show"), ("Departments", "departments.show"), ("Org roles", "org_roles.show"),
            ("App admins", "app_admins.overview"), ("Backup health", "backup_health.show"),
            ("Plan and usage", "organization.plan"), ("API tokens", "api_tokens.managed"), ("Webhooks", "webhooks.show"),
            ("Deliveries", "webhooks.deliveries"), ("Log", "log.show"), ("Plugins", "plugins.show"),
            ("Settings", "organization.settings"))


@pages.record_once
def _start(state: BlueprintSetupState) -> None:
    signing_in.start(state.app)  # type: ignore[arg-type]  # Flask's own class, called App for its kinds


@pages.app_context_processor
def shown() -> dict[str, Any]:
    """Give every template what it says about the organization and the account."""
    here = g.get("visit")
    if here is None or here.visitor is None or here.guest is not None:
        return {}
    found: dict[str, Any] = {"sign_out_url": url_for("entrance.sign_out"),
                             "account_menu": (MenuItem("Your account", url_for("account.show")),
                                              MenuItem("Notifications", url_for("notifications.show")))}
    found["inbox"] = {"url": url_for("notifications.show"), "count_url": url_for("notifications.unread"),
                      "unread": inbox.unread_count(here.person)}
    if here.organization_id and here.role:
        found["organization_name"] = service.about(here.organization_id)[0]
        brought = brought_to(here.organization_id)
        found["organization_menu"] = _menu(here.organization_id, brought)
        found["account_menu"] = (*found["account_menu"], *brought)
    return found


@pages.app_template_global()
def other_places() -> list[MenuItem]:
    """Return the organizations that the visitor belongs to, if there is more than one to choose from."""
    if visit().visitor is None:
        return []
    places = service.places_of(visit().person)
    items = [MenuItem(place.name, url_for("apps.organization_home", organization_id=place.id)) for place in places if place.role]
    if any(place.role is None for place in places):
        items.append(MenuItem("Apps in other organizations", url_for("entrance.nowhere")))
    return items if len(items) > 1 else []


def brought_to(organization_id: str) -> list[MenuItem]:
    """Return what plugins add to an organization's navigation."""
    given = server().registry.hook.organization_menu(organization_id=organization_id)
    return sorted((item for some in given for item in some), key=lambda item: item.title)


def _menu(organization_id: str, brought: list[MenuItem]) -> list[MenuItem]:
    items = [MenuItem("Apps", url_for("apps.organization_home", organization_id=organization_id)), *brought]
    if visit().manages_organization:
        items += [MenuItem(title, url_for(endpoint, organization_id=organization_id)) for title, endpoint in _MANAGED]
    return items
