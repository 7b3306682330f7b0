"""Where a test looks: an app by its id, since what was read of it does not outlive a request."""

from __future__ import annotations

from dataclasses import dataclass

from core.api import App, apps


@dataclass(frozen=True)
class Place:
    """An app of an organization, by their ids."""

    id: str
    organization_id: str

    @property
    def row(self) -> App:
        """Its row, read anew."""
        return apps.find(self.id)
