"""Downloading a backup as a file, whole or from where an earlier try broke off. The bytes are made as they are sent."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Response, render_template, request
from werkzeug.datastructures import ContentRange

from core.backups import export
from core.backups.export import Download, DownloadTooLarge, name_on_disk
from core.backups.log import note, noting
from core.backups.models import Backup
from core.base.budget import AT_ONCE_BYTES, keep_place
from core.web.backups.blueprint import BACKUP, backup_here, pages
from core.web.gate import Needs
from core.web.visit import visit

Span = tuple[int, int]


@pages.page(f"{BACKUP}/download/<what>", Needs.BACKUP)
def download(organization_id: str, app_id: str, backup_id: str, what: str) -> Response | tuple[str, int]:
    """Send a backup's "config", "data" or "both" as a file; a range of it where one is asked for."""
    backup = backup_here(backup_id)
    try:
        return sent(backup, what)
    except DownloadTooLarge as refused:
        return render_template("backups/too_large.html", backup=backup, refused=refused), refused.status


def sent(backup: Backup, what: str) -> Response:
    """Return the answer that sends a backup's file, or the range of it that is asked for.

    Raises:
        DownloadTooLarge, InvalidInput, NotFound: see `export.download`.
    """
    person = visit().person
    with noting("download", backup.app_id, person, backup_id=backup.id, part=what[:20]):
        found = export.download(backup, what)
    etag = hashlib.sha256(found.container.manifest).hexdigest()
    if request.if_none_match.contains(etag):
        return _headed(Response(status=304), found, etag)
    span = asked_span(found.size, etag)
    if span is not None and span[0] >= found.size:
        return _headed(_unsatisfied(found.size), found, etag)
    if request.method == "GET":
        told: dict[str, Any] = {"from_byte": span[0], "to_byte": span[1]} if span else {"size_bytes": found.size}
        note("download", backup.app_id, person, backup_id=backup.id, part=what, **told)
    return _headed(_sent(found, span), found, etag)


def asked_span(size: int, etag: str) -> Span | None:
    """Return the one range of bytes that is asked for, as (start, end); (size, size) for one that lies outside, None for all.

    Several ranges at once are answered with the whole file, as RFC 9110 allows; and so is a range of another state of it.
    """
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    if "If-Range" in request.headers and request.if_range.etag != etag:
        return None
    return asked.range_for_length(size) or (size, size)


def _sent(found: Download, span: Span | None) -> Response:
    start, end = span or (0, found.size)
    large = end - start > AT_ONCE_BYTES and request.method != "HEAD"
    free = keep_place("the download") if large else None
    body: Iterator[bytes] = iter(()) if request.method == "HEAD" else found.chunks(start, end)
    response = Response(body, 206 if span else 200, mimetype="application/zip", direct_passthrough=True)
    if free is not None:
        response.call_on_close(free)
    response.content_length = end - start
    if span:
        response.headers["Content-Range"] = ContentRange("bytes", start, end, found.size).to_header()
    return response


def _unsatisfied(size: int) -> Response:
    response = Response(status=416)
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def _headed(response: Response, found: Download, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    if response.status_code in (200, 206):
        response.headers["Content-Disposition"] = disposition(found.name)
    return response


def disposition(name: str) -> str:
    """Return the header that has a browser keep a file under a name of any script (RFC 6266)."""
    safe = name_on_disk(name)
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = f"backup{plain}" if plain.startswith(".") else plain
    start = f'attachment; filename="{plain}"'
    return start if plain == safe else f"{start}; filename*=UTF-8''{quote(safe, safe='')}"
