"""Which store the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from core.base.config import Config
from core.base.errors import InvalidInput
from core.storage.folder import FolderStore
from core.storage.s3 import S3Store
from core.storage.store import Store


def open_store(config: Config, more: Mapping[str, Callable[[str], Store]] = MappingProxyType({})) -> Store:
    """Return the store that the settings name; *more* are kinds that plugins bring, by scheme.

    Raises:
        InvalidInput: the URL is of no known kind.
    """
    url: str = config.store_url
    if not url:
        return FolderStore(config.home_path / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and parts.path != "/":
        return FolderStore(Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path.strip("/"))
    if parts.scheme in more:
        return more[parts.scheme](url)
    raise InvalidInput(f"APPKEEP_STORE_URL is “{url}”. Use s3://bucket/prefix, file:///folder, or leave it empty; "
                       "other kinds need a plugin that brings them.")
