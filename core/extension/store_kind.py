"""StoreKind: what a plugin brings so that objects lie somewhere else than in a folder or in S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKind:
    """A kind of store, chosen by the scheme of `APPKEEP_STORE_URL`: `open` gets the whole URL and gives the store, once a process.

    What a store is, `core.api.Store` says method by method; `core.testing.StoreLaws` holds it to that.
    """

    name: str
    """The scheme, in small letters: "azure" for azure://…"""
    open: Callable[[str], Store]
