"""Which store the settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from core.base.config import Config
from core.base.errors import InvalidInput
from core.storage.folder import FolderStore
from core.storage.s3 import S3Store
from core.storage.store import Store


def open_store(config: Config) -> Store:
    """Return the store that the settings name.

    Raises:
        InvalidInput: the URL is of no known kind.
    """
    url: str = config.store_url
    if not url:
        return FolderStore(config.home_path / "objects")
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path.strip("/"))
    raise InvalidInput(f"APPKEEP_STORE_URL is “{url}”. Use s3://bucket/prefix, file:///folder, or leave it empty.")
