"""Fixed keys for the sample app, so that it is the same on every server."""

from __future__ import annotations

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def key(letter: str, word: str) -> str:
    """Return a key that reads like *word*: ten characters, filled up with 1."""
    kept = "".join(char if char in _ALPHABET else "L" for char in word if char not in " -.")
    return f"{letter}_{kept[:10].ljust(10, '1')}"


def ref(kind: str, letter: str, word: str) -> dict[str, str]:
    """Return a pointer to a document of the sample."""
    return {"ref": f"{kind}/{key(letter, word)}"}


def field(sheet: str, word: str) -> dict[str, str]:
    """Return a pointer to a field of one of its worksheets."""
    return {"ref": f"worksheet/{key('w', sheet)}/field/{key('f', sheet[:2] + word)}"}


def view(sheet: str, word: str) -> dict[str, str]:
    """Return a pointer to a view of one of its worksheets."""
    return {"ref": f"worksheet/{key('w', sheet)}/view/{key('v', sheet[:2] + word)}"}


def hole(sheet: str, *words: str) -> str:
    """Return how a formula names a field, or one across a link: ("Deals", "Company", "Companies", "Name")."""
    first = key("f", sheet[:2] + words[0])
    return f"{{{first}}}" if len(words) == 1 else f"{{{first}.{key('f', words[1][:2] + words[2])}}}"
