"""Files that people send and get: stored under a safe name, given out so that a browser runs nothing of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Response
from werkzeug.datastructures import FileStorage

from core.base import budget
from core.base.errors import InvalidValue
from core.base.text import straight
from core.objects.reader import read_file
from core.objects.writer import put_file
from core.server import server

MAX_NAME = 255
FORM_BYTES = 16 * 1024 * 1024
INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf", "text/plain"}
"""What a browser may show by itself; all else is saved to disk, whatever it says it is."""
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}\Z")
FileValue = dict[str, Any]
"""{"file": SHA-256, "name", "size": bytes, "type"}: what a document, a record or a row holds of a file."""


def most_form_bytes() -> int:
    """Return how much a form with files may hold, for `Pages.page(max_bytes=…)`: the setting, and room for what else is in it."""
    return int(server().config.upload_limit_bytes) + FORM_BYTES


def upload_type(upload: FileStorage) -> str:
    """Return the media type that a browser gives to a file, where it has the form of one."""
    kind = upload.mimetype or ""
    return kind if _TYPE.match(kind) else "application/octet-stream"


def keep_upload(upload: FileStorage, app_id: str, *, most_bytes: int | None = None) -> FileValue:
    """Store a file that came with a form, and return what names it.

    Raises:
        InvalidValue: it is larger than *most_bytes*, or than the setting allows.
        AppkeepError: the organization's quota does not hold it.
    """
    limit = int(server().config.upload_limit_bytes)
    most = limit if most_bytes is None else min(most_bytes, limit)
    name = safe_name(upload.filename or "")
    upload.stream.seek(0, 2)
    if upload.stream.tell() > most:
        raise InvalidValue(f"“{name[:60]}” is too large. This field accepts files up to {most:,} bytes.")
    upload.stream.seek(0)
    content, size = put_file(upload.stream, app_id)  # type: ignore[arg-type]  # werkzeug calls its stream IO[bytes]
    return {"file": content, "name": name, "size": size, "type": upload_type(upload)}


def file_response(item: Mapping[str, Any]) -> Response:
    """Return a stored file to a browser: whoever calls this has looked whether the visitor may have it."""
    free = budget.keep_place("the file") if item["size"] > budget.AT_ONCE_BYTES else None
    kind = item["type"] if item["type"] in INLINE else "application/octet-stream"
    response = Response(read_file(item["file"]), mimetype=kind)
    if free is not None:
        response.call_on_close(free)
    response.headers["Content-Length"] = str(item["size"])
    response.headers["Content-Disposition"] = disposition("inline" if kind in INLINE else "attachment", item["name"])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def disposition(way: str, name: str) -> str:
    """Return a Content-Disposition that any browser understands: a plain name, and the real one (RFC 5987)."""
    plain = "".join(char if 32 <= ord(char) < 127 and char not in '"\\;%' else "_" for char in name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_name(name: str) -> str:
    """Return the last part of a file's name, without control characters, at most 255 long."""
    last = re.split(r"[\\/]", name)[-1]
    clean = "".join(char for char in straight(last) if ord(char) >= 32 and ord(char) != 127 and not 0xD800 <= ord(char) < 0xE000).strip()
    if len(clean) > MAX_NAME:
        stem, dot, ending = clean.rpartition(".")
        clean = stem[:MAX_NAME - len(dot + ending)] + dot + ending if stem and len(ending) < 20 else clean[:MAX_NAME]
    return clean or "file"
