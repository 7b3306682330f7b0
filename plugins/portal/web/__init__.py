"""Pages of the portal: for admins, who manage it; for people outside, who come in by its door and have a profile."""

from __future__ import annotations

from plugins.portal.web import door, managed, profile

BLUEPRINTS = (managed.pages, door.pages, profile.pages)
