"""Names from files as names of fields and worksheets: not empty, on one line, not too long, each once. Pure."""

from __future__ import annotations

from plugins.tabular.table import Table

MAX_CHARS = 100


class Names:
    """The names of one place, made different from each other whatever their case."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def take(self, wanted: str, otherwise: str = "Unnamed") -> str:
        """Return a name like the wanted one that nothing else has."""
        plain = tidy(wanted) or otherwise
        name, number = plain[:MAX_CHARS].rstrip(), 1
        while name.casefold() in self.taken:
            number += 1
            name = f"{plain[:MAX_CHARS - 1 - len(str(number))]} {number}"
        self.taken.add(name.casefold())
        return name


def labels(table: Table) -> list[str]:
    """Return by what names the columns of a table are called where somebody speaks of them: their own, each once."""
    names = Names()
    return [names.take(column.name) for column in table.columns]


def tidy(text: str) -> str:
    """Return a text on one line, without control characters and what cannot be stored."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())
