"""View models: a block as its template takes it. Values, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Shown:
    """A block that is shown: which template piece shows it, with what, and the blocks inside it.

    `note` is a quiet sentence for those who manage the app: for whom the block is, or why it shows nothing.
    """

    kind: str
    key: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    inside: list[Shown] = field(default_factory=list)
    classes: str = ""
    style: str = ""
    note: str | None = None
    span: int = 0
    """How many of the page's twelve columns it takes; 0 for all."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link or button leads: an address to open, or an act to post; `stopped` says why it can do neither."""

    url: str | None = None
    new_tab: bool = False
    post: Mapping[str, Any] | None = None
    sign_out: bool = False
    stopped: str | None = None

    @property
    def outside(self) -> bool:
        """Whether it leaves this server."""
        return self.url is not None and not self.url.startswith("/")
