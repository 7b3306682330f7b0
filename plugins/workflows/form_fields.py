"""How forms of a workflow ask: operators and choices by their names, fields of one worksheet, yes or no by a tick."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from core.api import Input, walk
from plugins.workflows.sentences import OPERATORS
from plugins.workflows.tokens import Tokens

Options = list[tuple[str, str]]
OF_SHEET = ("field", "date_field", "button", "view")
"""Properties that name a part of the form's worksheet."""


class Knows(Protocol):
    """Says what a field's choices are."""

    def choices(self, field: str) -> Options:
        """Return (key, name) of the choices of the field of an address."""


def narrow(names: Knows, worksheet: str, asks: bool, tokens: Tokens) -> Callable[[Input], None]:
    """Return what makes the controls of a form ask in words; what they mean is read the same.

    Args:
        names: Says what things are called.
        worksheet: The address of the worksheet whose fields are meant; "" as long as there is none.
        asks: Whether the form asks for it, so that there is one to choose first.
        tokens: The values that can be used.
    """
    def narrowed(tree: Input) -> None:
        nodes = list(walk(tree))
        fields = {node.path.rpartition(".")[0]: str(node.value) for node in nodes if node.asks == "ref" and node.path.endswith(".field")}
        chosen = next((str(node.value) for node in nodes if node.asks == "ref" and node.path == "worksheet"), "") if asks else worksheet
        for node in nodes:
            above, _, last = node.path.rpartition(".")
            if node.asks == "flag":
                node.plain = True
            elif node.asks == "ref" and (last in OF_SHEET or above.rpartition(".")[2] == "fields" or above == "fields"):
                _only_of(node, chosen, asks)
            elif node.asks == "text" and last == "operator":
                _offer(node, OPERATORS.items())
            elif node.asks == "text" and last == "value" and (found := names.choices(fields.get(above, ""))):
                _offer(node, [*found, *((f"{{{token}}}", f"{{{token}}}") for token in tokens.uses)])
            elif node.asks == "text" and last in ("name", "variable"):
                node.long = False

    return narrowed


def _only_of(node: Input, worksheet: str, asks: bool) -> None:
    """Offer the parts of one worksheet, and what stands there; none as long as the form asks for the worksheet and has no answer."""
    if worksheet or asks:
        node.targets = [one for one in node.targets
                        if (worksheet and one.address.startswith(f"{worksheet}/")) or one.address == node.value]
    if not worksheet:
        node.help = "Choose a worksheet first." if asks else "This workflow is not about a record: its trigger has no worksheet."
    elif node.value and not str(node.value).startswith(f"{worksheet}/"):
        node.help = "This belongs to another worksheet. Choose again."


def _offer(node: Input, options: Iterable[tuple[str, str]]) -> None:
    """Offer options for a text, and what stands there now."""
    listed = list(options)
    if node.value and node.value not in dict(listed):
        listed.append((str(node.value), str(node.value).replace("_", " ")))
    node.asks, node.options, node.long = "enum", listed, False
