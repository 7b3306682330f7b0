"""Pages of tenants: signing in, the account, the organization."""

from __future__ import annotations

from tenants.web import entrance, shell

BLUEPRINTS = (shell.pages, entrance.pages)
