"""Files that a form brought: stored, put where the form has them, and sealed while the form is not saved.

A form carries a file that is not saved yet by its digest, and a digest gives nobody its content: the seal says that this
person sent that file into this app.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from core.apps.models import DocumentRow
from core.base.db import db
from core.base.refs import DIGEST, FILE_MARK, files, files_in_text
from core.objects.index import files_missing
from core.objects.writer import put_file
from core.tenancy.models import App
from core.web.editor.sent import Sent, sent

MAX_FILES = 50
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}\Z")


def place_uploads(tree: Sent, uploads: Iterable[tuple[str, FileStorage]], app: App, root: str = "v") -> set[str]:
    """Store the files that came with a form and write them into its tree as if they had always been there; return their digests."""
    fresh = set[str]()
    for name, upload in list(uploads)[:MAX_FILES]:
        if not upload.filename or not name.endswith("~upload"):
            continue
        found = sent([(name, "")], root)
        place = tree
        while found.below:
            (step, found), = found.below.items()
            place = place.below.setdefault(step, Sent())
        item = stored(upload, app)
        fresh.add(item["file"])
        place.below = {part: Sent([str(value)]) for part, value in item.items()}
        place.marks = {"on": "1", **{mark: value for mark, value in place.marks.items() if mark != "drop"}}
    return fresh


def stored(upload: FileStorage, app: App) -> dict[str, Any]:
    """Store an uploaded file and return it as documents hold one."""
    digest, size = put_file(upload.stream, app.id)  # type: ignore[arg-type]  # werkzeug's IO[bytes]
    name = re.split(r"[/\\]", upload.filename or "")[-1]
    name = "".join(char for char in name if ord(char) >= 32)[:255] or "file"
    kind = (upload.mimetype or "").lower()
    return {"file": digest, "name": name, "size": size, "type": kind if _TYPE.match(kind) else "application/octet-stream"}


def seal(app: App, person: str, digest: str) -> str:
    """Return what says that a person sent a file into an app."""
    return str(_signer(app, person).dumps(digest))


def sealed(app: App, person: str, seals: Iterable[str]) -> set[str]:
    """Return the digests of those seals that are this person's for this app."""
    found = set[str]()
    for text in list(seals)[:MAX_FILES]:
        try:
            found.add(str(_signer(app, person).loads(text)))
        except BadSignature:
            continue
    return found


def _signer(app: App, person: str) -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt=f"editor-file/{app.id}/{person}")


def unknown_files(app: App, value: Any, before: Any, fresh: Iterable[str]) -> set[str]:
    """Return the digests that a form names although the app's documents do not, nor did the person send them (*fresh*).

    What was sent and is no longer there is unknown too.
    """
    named = set(_digests(value)) - set(_digests(before))
    gone = files_missing(named)
    named -= gone | set(fresh)
    return gone | (named - _files_of(app) if named else named)


def _files_of(app: App) -> set[str]:
    bodies = select(DocumentRow.body).where(DocumentRow.app_id == app.id, DocumentRow.body.contains(FILE_MARK, autoescape=True))
    return {digest for body in db.session.scalars(bodies) for digest in files_in_text(body)}


def _digests(value: Any) -> Iterable[str]:
    return (digest for digest in files(value) if DIGEST.match(digest))
