"""Tagged references inside documents: found and told apart without knowing any plugin. Pure.

A pointer is a one-key object: ``{"ref": "page/p_…"}`` inside the app, ``{"org": "department/d_…"}`` outside it. A file
is an object with a "file" key that holds the content's SHA-256.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ADDRESS = re.compile(r"[a-z_]{1,40}/[A-Za-z0-9_]{1,40}(?:/[a-z_]{1,40}/[A-Za-z0-9_]{1,40})?\Z")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")
FILE_MARK = '"file":"'
_FILE = re.compile(rf'{FILE_MARK}([0-9a-f]{{64}})"')


@dataclass(frozen=True, slots=True)
class Pointer:
    """One reference in a body: where it stands ("/blocks/0/target") and what it names."""

    tag: str
    target: str
    path: str


def pointers(body: Any) -> Iterator[Pointer]:
    """Yield every reference and file of a JSON value in document order; iterative, so depth costs nothing."""
    stack: list[tuple[str, Any]] = [("", body)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, Mapping):
            pointer = _pointer(path, value)
            if pointer is not None:
                yield pointer
            else:
                stack.extend((f"{path}/{name}", inner) for name, inner in reversed(list(value.items())))
        elif isinstance(value, list | tuple):
            stack.extend((f"{path}/{n}", value[n]) for n in range(len(value) - 1, -1, -1))


def files(body: Any) -> Iterator[str]:
    """Yield the digest of every file that a body names, as often as it names it."""
    return (pointer.target for pointer in pointers(body) if pointer.tag == "file")


def files_in_text(text: str) -> list[str]:
    """Return the digest of every file that a body or a record's values name, read from their canonical JSON without parsing it."""
    return _FILE.findall(text)


def split(address: str) -> tuple[str, str, str | None, str | None]:
    """Return (kind, key, part, part key) of an address; the last two are None for a whole document.

    Raises:
        ValueError: *address* has another form.
    """
    if not ADDRESS.match(address):
        raise ValueError(f"“{address[:100]}” is not an address such as page/p_… or worksheet/w_…/field/f_…")
    kind, key, *part = address.split("/")
    return (kind, key, part[0], part[1]) if part else (kind, key, None, None)


def _pointer(path: str, value: Mapping[str, Any]) -> Pointer | None:
    if len(value) == 1:
        (tag, target), = value.items()
        if tag in ("ref", "org") and isinstance(target, str):
            return Pointer(tag, target, path)
    target = value.get("file")
    if isinstance(target, str) and DIGEST.match(target):
        return Pointer("file", target, path)
    return None
