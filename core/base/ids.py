"""Names of things: a letter (of strangers up to three), an underscore and random base-58 characters, never reused."""

from __future__ import annotations

import re
import secrets

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
KEY_LENGTH = 10
SINGLE = "main"
"""The key of the one document of a `single` kind."""

KEY = re.compile(rf"[a-z]{{1,3}}_[{ALPHABET}]{{{KEY_LENGTH}}}\Z")
PERSON = re.compile(rf"(?:system|u_[{ALPHABET}]{{{KEY_LENGTH}}})\Z")
SYSTEM = "system"
"""Who acts when nobody does: schedules, the command line without ``--as``."""


def new_key(letter: str) -> str:
    """Return a fresh key: 58 bits of chance behind *letter*."""
    return f"{letter}_" + "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))


def is_key(text: object, letter: str = "") -> bool:
    """Say whether *text* is a key, of the given letter if one is given."""
    return isinstance(text, str) and KEY.match(text) is not None and text.startswith(letter)


def is_person(text: object) -> bool:
    """Say whether *text* can stand where a record names who wrote it."""
    return isinstance(text, str) and PERSON.match(text) is not None
