"""Names that people type: of apps, groups, option sets, choices, items."""

from __future__ import annotations

from core.api import InvalidInput, checked_line


def checked(name: str, what: str, most: int = 100) -> str:
    """Return a name without space around it.

    Raises:
        InvalidInput: see `checked_line`.
    """
    return checked_line(name.strip(), most, what)


def checked_text(text: str, most: int) -> str:
    """Return a longer text with the line ends of the web made plain.

    Raises:
        InvalidInput: it is too long, or has what no text may hold.
    """
    text = text.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise InvalidInput(f"Enter {most} characters at most.")
    if "\0" in text:
        raise InvalidInput("This text has a character that cannot be stored. Remove it.")
    return text
