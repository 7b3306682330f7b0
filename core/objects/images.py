"""Pictures that people send: known by how their content begins, whatever they are called."""

from __future__ import annotations

from typing import Any, BinaryIO

from core.base.errors import InvalidInput
from core.base.text import straight
from core.objects.writer import put_file

PICTURES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}
"""The types of pictures that may be sent, and how their contents begin."""
SHOWN_TYPES = (*PICTURES, "image/svg+xml")
"""The types of pictures that are shown, wherever they come from."""
MAX_NAME_CHARS = 255


def put_picture(app_id: str, stream: BinaryIO, name: str, *, limit_bytes: int) -> dict[str, Any]:
    """Store a picture and return what a body says of it. Not inside a transaction: the content comes first.

    Raises:
        InvalidInput: it is larger than *limit_bytes*, or no PNG, JPEG, GIF or WebP picture by its content.
    """
    start = stream.read(16)
    kind = next((kind for kind, begin in PICTURES.items() if start.startswith(begin)), None)
    size = stream.seek(0, 2)
    stream.seek(0)
    if kind is None or (kind == "image/webp" and start[8:12] != b"WEBP"):
        raise InvalidInput("The picture must be a PNG, JPEG, GIF or WebP file.")
    if size > limit_bytes:
        raise InvalidInput(f"The picture may have {limit_bytes // 1024**2} MiB at most.")
    content, size = put_file(stream, app_id)
    safe = "".join("_" if ord(char) < 32 or char in "/\\\x7f" else char for char in straight(name))[-MAX_NAME_CHARS:]
    return {"file": content, "name": safe or "picture", "size": size, "type": kind}
