"""The server: what one process works with beside the database session. It knows of no page, no job and no backup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flask import current_app

from core.base.budget import Slots
from core.base.config import Config
from core.base.errors import AppkeepError
from core.base.whole_file import not_ours
from core.extension.field_type import FieldType
from core.extension.registry import Registry
from core.storage.choice import open_store
from core.storage.store import Store

if TYPE_CHECKING:
    from core.archive.signature import SigningKey

VERSION = "0.1.0"
EXTENSION = "appkeep"
"""The name under which Flask's application keeps the server."""


@dataclass
class Server:
    """What one process of Appkeep works with beside the database session."""

    config: Config
    registry: Registry

    @cached_property
    def store(self) -> Store:
        """Where objects lie."""
        return open_store(self.config, {name: kind.open for name, kind in self.registry.stores.items()})

    @cached_property
    def slots(self) -> Slots:
        """The places for slow requests in this process."""
        return Slots(self.config.web_threads)

    @cached_property
    def signing_key(self) -> SigningKey:
        """The key this server signs backups with, made at first use.

        Raises:
            AppkeepError: its file is damaged, or cannot be read.
        """
        from core.archive.signature import SigningKey  # with it comes a library that few commands need

        try:
            return SigningKey.load_or_make(self.config.home_path / "keys" / "signing.key")
        except PermissionError as error:
            raise AppkeepError(not_ours(error)) from error
        except ValueError as error:
            raise AppkeepError("The file keys/signing.key in the server’s home folder is damaged. Restore it from a copy; without one, "
                               "move it away: a new one is made, and files signed with the old one count as another server’s.") from error


def server() -> Server:
    """Return the server of the current application context."""
    found: Server = current_app.extensions[EXTENSION]
    return found


def field_type(name: object) -> FieldType:
    """Return a field type by name; see `Registry.field_type`."""
    return server().registry.field_type(name)
