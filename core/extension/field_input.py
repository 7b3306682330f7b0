"""FieldInput: how people enter a value of one type of field, where a plugin brings a control of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from core.extension.field_type import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInput:
    """The control of a type of field in forms and cells.

    Args:
        type: The name of the type, which is none of Appkeep's own.
        control: (value, texts, definition, name, id) -> HTML of a control with that name and id. `value` is the canonical value, None
            for an empty one; `texts` is what was sent where a form comes back with mistakes, else None.
        read: (texts, definition) -> the value, in any form that the type's `canonical` takes; None for an empty one.
        show: (value, definition) -> what stands in a cell, as HTML or text; without it, what the type's `text` gives.
    """

    type: str
    control: Callable[[Any, Sequence[str] | None, Definition, str, str], Markup]
    read: Callable[[Sequence[str], Definition], Any]
    show: Callable[[Any, Definition], Markup | str] | None = None

    @property
    def name(self) -> str:
        """The name of the type: each has one control."""
        return self.type
