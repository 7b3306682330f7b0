"""What tenants add to the shell around every page: the organization's name, its menu, the account's menu."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from flask.blueprints import BlueprintSetupState

from core.api import MenuItem, Pages, visit
from tenants import service, signing_in

pages = Pages("tenants", __name__, template_folder="../templates")


@pages.record_once
def _start(state: BlueprintSetupState) -> None:
    signing_in.start(state.app)  # type: ignore[arg-type]  # Flask's own class, called App for its kinds


@pages.app_context_processor
def shown() -> dict[str, Any]:
    """Give every template what it says about the organization and the account."""
    here = g.get("visit")
    if here is None or here.visitor is None:
        return {}
    found: dict[str, Any] = {"sign_out_url": url_for("entrance.sign_out"), "account_menu": ()}
    if here.organization_id and here.role:
        found["organization_name"] = service.find_organization(here.organization_id).name
        found["organization_menu"] = _menu(here.organization_id)
    return found


def _menu(organization_id: str) -> list[MenuItem]:
    return [MenuItem("Apps", url_for("apps.organization_home", organization_id=organization_id))] if visit() else []
