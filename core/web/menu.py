"""Items of menus: what plugins add to the navigation of an app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of a menu: its text and address; a group has items of its own and may have no address.

    `icon` is the name of a drawing (`core.web.icons`) or a sign such as an emoji.
    """

    title: str
    url: str | None = None
    icon: str = ""
    address: str | None = None
    items: Sequence[MenuItem] = field(default_factory=tuple)
