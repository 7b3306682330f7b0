"""Time zones as they are stored: a name that this machine does not know stops nobody, and is told to whoever runs the server."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

from core.server import server

log = logging.getLogger(__name__)
_told: set[str] = set()


def zone_named(name: str | None) -> ZoneInfo:
    """Return a time zone by its name; UTC where there is no name, or none that is known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # whatever a name does to the files of zones; ZoneInfoNotFoundError is a KeyError
        if name not in _told:
            _told.add(name or "")
            log.error("The time zone “%s” is not known on this machine; UTC stands in for it", (name or "")[:60])
        return ZoneInfo("UTC")


def zone_of(organization_id: str) -> ZoneInfo:
    """Return an organization's time zone, UTC where it has none that is known here."""
    return zone_named(server().registry.hook.organization_time_zone(organization_id=organization_id))
