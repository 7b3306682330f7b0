"""What people type to name things: email addresses and names, brought into one form. Pure."""

from __future__ import annotations

import re
import unicodedata

from core.api import InvalidInput, straight

# No character that has a meaning in a mail's header: an address must be one address.
EMAIL = re.compile(r"""[^@\s<>,;:"\\()\[\]]{1,64}@[^@\s<>,;:"\\()\[\]]{1,189}\Z""")


def folded(email: str) -> str:
    """Return an email as it is kept and looked for: trimmed, in lower case, composed (NFC)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).lower())


def checked_email(email: str) -> str:
    """Return an email address as it is kept.

    Raises:
        InvalidInput: it is none.
    """
    found = folded(email)
    if not EMAIL.match(found) or len(found) > 254 or not _visible(found):
        raise InvalidInput(f"“{email[:100]}” is not an email address.")
    return found


def checked_name(name: str, what: str) -> str:
    """Return the name of a person or thing, trimmed and composed.

    Raises:
        InvalidInput: it is empty, longer than 100 characters, or has characters that nobody sees.
    """
    found = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(found) <= 100 or not _visible(found):
        raise InvalidInput(f"The name of {what} must have 1 to 100 characters, and no control characters.")
    return found


def _visible(text: str) -> bool:
    # Joiners (Cf) belong to names in some scripts and to emoji, and to no email that is what it looks like.
    hidden = ("Cc", "Cs", "Zl", "Zp") if "@" not in text else ("Cc", "Cf", "Cs", "Zl", "Zp")
    return straight(text) == text and not any(unicodedata.category(char) in hidden for char in text)
