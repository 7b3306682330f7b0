"""Secrets at rest: sealed with a key from the home folder's ``keys/``, so that a copy of the database alone opens none of them.

A sealed text is ``s1.<key>.<nonce and AES-256-GCM, base64url>``. What it is for is bound to it: it opens in no other place.
The file of keys has one a line, the newest first, which seals; all of them open.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.base.errors import AppkeepError
from core.base.whole_file import write_whole
from core.server import server

FILE = "secrets.key"
_VERSION = "s1"
_NONCE_BYTES = 12
KEY_BYTES = 32


class SecretLost(AppkeepError):
    """A secret was encrypted with a key that this server does not have."""

    code, status, title = "secret_lost", 503, "A secret cannot be read"


def seal(text: str, purpose: str) -> str:
    """Return a text sealed for a purpose, "webhook/h_…"; never twice the same."""
    key_id, key = next(iter(_keys().items()))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), purpose.encode())
    return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, purpose: str) -> str:
    """Return what was sealed for a purpose.

    Raises:
        SecretLost: its key is not there, or it was sealed for another purpose, or changed.
    """
    version, _, rest = sealed.partition(".")
    key_id, _, text = rest.partition(".")
    key = _keys().get(key_id)
    lost = SecretLost(f"A secret was encrypted with a key that is missing from keys/{FILE} in the server’s home folder. "
                      "Restore that file from a copy, or set up the secret again.")
    if version != _VERSION or key is None:
        raise lost
    raw = base64.urlsafe_b64decode(text)
    try:
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()
    except InvalidTag:
        raise lost from None


def reseal(sealed: str, purpose: str) -> str:
    """Return a sealed text sealed with the newest key.

    Raises:
        SecretLost: see `unseal`.
    """
    return seal(unseal(sealed, purpose), purpose)


def add_key() -> str:
    """Make a new key, which seals from now on, and return its name; the one before still opens, older ones are gone."""
    key_id, key = _made()
    _write({key_id: key, **dict(list(_keys().items())[:1])})
    return key_id


def _path() -> Path:
    found: Path = server().config.home_path / "keys" / FILE
    return found


def _keys() -> Mapping[str, bytes]:
    """Return the keys by name, the newest first; the first one is made when it is needed. Read each time: another process may add one.

    Raises:
        SecretLost: the file is there and cannot be read.
    """
    path = _path()
    if not path.exists():
        _write(dict([_made()]), first=True)
    try:
        pairs = (line.split() for line in path.read_text().splitlines() if line.strip())
        found = {key_id: base64.urlsafe_b64decode(key) for key_id, key in pairs}
        if not found or any(len(key) != KEY_BYTES for key in found.values()):
            raise ValueError("a key is missing")
    except ValueError as error:
        raise SecretLost(f"The file keys/{FILE} in the server’s home folder is damaged. Restore it from a copy; without one, move it "
                         "away: a new one is made, and secrets are set up again.") from error
    return found


def _made() -> tuple[str, bytes]:
    return secrets.token_hex(4), AESGCM.generate_key(bit_length=KEY_BYTES * 8)


def _write(keys: Mapping[str, bytes], *, first: bool = False) -> None:
    """Write the file of keys whole; where it is the first, one that another process has just written stays."""
    lines = "".join(f"{key_id} {base64.urlsafe_b64encode(key).decode()}\n" for key_id, key in keys.items())
    write_whole(_path(), lines.encode(), first=first)
