"""How forms of a workflow ask: operators and choices are chosen by their names, yes or no is a tick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from core.api import Input, walk
from plugins.workflows.sentences import OPERATORS

Options = list[tuple[str, str]]


class Knows(Protocol):
    """Says what a field's choices are."""

    def choices(self, field: str) -> Options:
        """Return (key, name) of the choices of the field of an address."""


def narrow(names: Knows) -> Callable[[Input], None]:
    """Return what makes the controls of a form ask in words; what they mean is read the same."""
    def narrowed(tree: Input) -> None:
        fields = {node.path.rpartition(".")[0]: str(node.value) for node in walk(tree)
                  if node.asks == "ref" and node.path.endswith(".field")}
        for node in walk(tree):
            above, _, last = node.path.rpartition(".")
            if node.asks == "flag":
                node.plain = True
            elif node.asks == "text" and last == "operator":
                _offer(node, OPERATORS.items())
            elif node.asks == "text" and last == "value" and (found := names.choices(fields.get(above, ""))):
                _offer(node, found)

    return narrowed


def _offer(node: Input, options: Iterable[tuple[str, str]]) -> None:
    """Offer options for a text, and what stands there now."""
    listed = list(options)
    if node.value and node.value not in dict(listed):
        listed.append((str(node.value), str(node.value).replace("_", " ")))
    node.asks, node.options, node.long = "enum", listed, False
