"""What one page asks of the database again and again: read once a request, as long as the request only reads.

The one danger: what is kept may be older than the database. So it is kept only while a request of GET or HEAD lasts and no
transaction is open that writes, and never for another tenant than the one it was read for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import g, has_request_context, request

from core.base.db import in_transaction
from core.tenancy.wall import current_scope

T = TypeVar("T")


def remembered(key: Hashable, read: Callable[[], T], *, everywhere: bool = False) -> T:
    """Return what *read* gives, asked once a request for each key and tenant; asked each time where anything may be written.

    Args:
        everywhere: It is the same whatever the tenant: a person's own places, say.
    """
    if not keeping():
        return read()
    kept: dict[Hashable, Any] = g.setdefault("remembered", {})
    whole = (None if everywhere else current_scope(), key)
    if whole not in kept:
        kept[whole] = read()
    return cast(T, kept[whole])


def forget() -> None:
    """Have everything asked again: something was changed while a page was made."""
    if has_request_context():
        g.pop("remembered", None)


def keeping() -> bool:
    """Say whether what is read now may be kept until the end of the request."""
    return has_request_context() and request.method in ("GET", "HEAD") and not in_transaction()


def making_page() -> bool:
    """Say whether a whole page is being made, which asks for most of what its app is made of; not a part of one, nor a picture."""
    if not keeping() or request.headers.get("HX-Request") == "true":
        return False
    return request.headers.get("Sec-Fetch-Dest", "document") == "document"
