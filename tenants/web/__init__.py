"""Pages of tenants: signing in, the account, the organization."""

from __future__ import annotations

from tenants.web import (
    account,
    api_tokens,
    app_admins,
    backup_health,
    departments,
    entrance,
    first_start,
    http_api,
    links,
    log,
    members,
    notifications,
    org_roles,
    organization,
    second_factor,
    shell,
    webhooks,
)

BLUEPRINTS = (shell.pages, entrance.pages, first_start.pages, links.pages, account.pages, second_factor.pages, members.pages,
              departments.pages, org_roles.pages, app_admins.pages, backup_health.pages, log.pages, organization.pages,
              notifications.pages, webhooks.pages, api_tokens.pages, http_api.api)
