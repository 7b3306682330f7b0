"""The sample app on SQLite: how pages look does not depend on the engine."""

from tests.plugins.settings.conftest import client, sample

__all__ = ["client", "sample"]
