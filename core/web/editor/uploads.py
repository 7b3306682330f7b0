"""Files that a form brought: stored, and put where the form has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import FileStorage

from core.apps.models import App
from core.catalogue import files_missing
from core.objects import put_file
from core.refs import DIGEST, files
from core.web.editor.sent import Sent, sent

MAX_FILES = 50
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}\Z")


def place_uploads(tree: Sent, uploads: Iterable[tuple[str, FileStorage]], app: App, root: str = "v") -> None:
    """Store the files that came with a form and write them into its tree as if they had always been there."""
    for name, upload in list(uploads)[:MAX_FILES]:
        if not upload.filename or not name.endswith("~upload"):
            continue
        found = sent([(name, "")], root)
        place = tree
        while found.below:
            (step, found), = found.below.items()
            place = place.below.setdefault(step, Sent())
        place.below = {part: Sent([str(value)]) for part, value in stored(upload, app).items()}
        place.marks = {"on": "1", **{mark: value for mark, value in place.marks.items() if mark != "drop"}}


def stored(upload: FileStorage, app: App) -> dict[str, Any]:
    """Store an uploaded file and return it as documents hold one."""
    digest, size = put_file(upload.stream, app.id)  # type: ignore[arg-type]  # werkzeug's IO[bytes]
    name = re.split(r"[/\\]", upload.filename or "")[-1]
    name = "".join(char for char in name if ord(char) >= 32)[:255] or "file"
    kind = (upload.mimetype or "").lower()
    return {"file": digest, "name": name, "size": size, "type": kind if _TYPE.match(kind) else "application/octet-stream"}


def unknown_files(value: Any, before: Any) -> set[str]:
    """Return the digests that a form names although neither the document named them before nor the organization has them."""
    known = set(_digests(before))
    return files_missing(digest for digest in _digests(value) if digest not in known)


def _digests(value: Any) -> Iterable[str]:
    return (digest for digest in files(value) if DIGEST.match(digest))
