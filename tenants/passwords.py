"""Passwords: which are taken, how they are kept, whether one is the right one."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from core.api import InvalidInput
from tenants.typed_names import folded

MIN_CHARS, MAX_CHARS = 10, 1000
_TRIED_FIRST = """
    1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 1234567891 1q2w3e4r5t 1q2w3e4r5t6y
    q1w2e3r4t5 q1w2e3r4t5y6 qwertyuiop qwertzuiop qwerty1234 qwerty12345 qwerty123456 qwertyuiop123 1qaz2wsx3edc
    asdfghjkl1 asdfghjkl; zxcvbnm123 password12 password123 password1234 password12345 password123456 passw0rd123
    passwordpassword mypassword mypassword1 p@ssw0rd123 p@ssword123 letmein123 letmein1234 welcome123 welcome1234
    iloveyou12 iloveyou123 iloveyou1234 administrator administrator1 admin12345 admin123456 adminadmin adminadmin1
    changeme123 changemenow unknown123 abcdefghij abcdefghijk abc1234567 abcd123456 abcd1234567 aaaaaaaaaa 1111111111
    0000000000 1212121212 1122334455 1231231231 123123123123 1234512345 123qweasdzxc qazwsxedcrfv sunshine123
    princess123 football123 baseball123 superman123 trustno1trustno1 correcthorsebatterystaple
    appkeep123 appkeep1234 appkeepappkeep
"""
COMMON = frozenset((*_TRIED_FIRST.split(), "correct horse battery staple"))
_hasher = PasswordHasher()


def checked(password: str, email: str) -> str:
    """Return a password that may be taken.

    Raises:
        InvalidInput: it is too short, absurdly long, the email itself, or one that everybody tries first.
    """
    password = unicodedata.normalize("NFC", password)
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise InvalidInput(f"Use {MIN_CHARS} to {MAX_CHARS} characters for the password.")
    if folded(password) in (email, email.partition("@")[0]):
        raise InvalidInput("The password cannot be your email address.")
    if password.strip().lower() in COMMON or len(set(password)) < 3:
        raise InvalidInput("This password is too common. Choose another.")
    return password


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return _hasher.hash(unicodedata.normalize("NFC", password))


def matches(kept: str | None, password: str) -> bool:
    """Say whether *password* is the one of which *kept* was kept; takes as long where none was."""
    try:
        right: bool = _hasher.verify(kept or _nobodys(), unicodedata.normalize("NFC", password[:MAX_CHARS]))
    except Argon2Error:
        return False
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Say whether a password was kept with weaker parameters than are used now."""
    stale: bool = _hasher.check_needs_rehash(kept)
    return stale


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
