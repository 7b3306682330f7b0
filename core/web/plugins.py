"""The page that tells an organization's admins which plugins there are, and how they do; what went wrong is told to operators only."""

from __future__ import annotations

from flask import render_template

from core.server import server
from core.tenancy.plugin_states import states
from core.web.gate import ORGANIZATION, Needs, Pages

pages = Pages("plugins", __name__)


@pages.page(f"{ORGANIZATION}/plugins", Needs.ORG_ADMIN)
def show(organization_id: str) -> str:
    """List the plugins that are not Appkeep's own, and what is missing."""
    registry, kept = server().registry, states()
    rows = [(name, registry.versions.get(name, ""), kept.get(name)) for name in sorted(registry.manager.strangers)]
    absent = sorted(registry.absent.values(), key=lambda one: one.title)
    return render_template("plugins.html", plugins=rows, left_out=sorted(registry.broken), absent=absent)
